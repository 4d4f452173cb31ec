"""Hybrid decodes on between two key frames only where something may happen, and never tells another story for it."""

from pathlib import Path

import numpy as np
import pytest

from tests.made import make_video, picture, scenes, steady
from tests.test_made import ALIKE, error
from tests.test_media_formats import FULL_SIZE, sampled, times
from vcd.config import MediaConfig, SampleConfig
from vcd.errors import SetupError
from vcd.media import decode, open_media
from vcd.media.quiet import quiet_rows
from vcd.media.sampling import choose_packets

GROUP_S, LENGTH_S = 4.0, 16.0


def slides(path: Path, change_s: float, flash_s: float | None = None) -> Path:
    """A slide that stands still, then another; key frames every 4 s and at no cut."""

    def show(time_s: float) -> np.ndarray:
        is_flash = flash_s is not None and flash_s <= time_s < flash_s + 0.3
        return picture(7 if is_flash else int(time_s >= change_s), 0)

    return make_video(path, steady(LENGTH_S), show=show, gop=int(10 * GROUP_S), scenecut=False)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Packets that went to a decoder."""
    seen: list[int] = []
    whole = decode.decode_packet
    monkeypatch.setattr(decode, "decode_packet", lambda packet: (seen.append(packet.pts), whole(packet))[1])
    return seen


def test_a_still_shot_is_sampled_as_closely_without_being_decoded(tmp_path: Path, decoded: list[int]) -> None:
    path = slides(tmp_path / "a.mp4", change_s=8.0)
    media = open_media(path, FULL_SIZE)
    sample = SampleConfig(gap_s=1.0)
    timeline = media._timeline  # type: ignore[attr-defined]
    wanted = choose_packets(timeline, sample)

    frames = list(media.frames(sample))

    assert times(frames) == pytest.approx(timeline.times_s[wanted])
    assert all(error(frame.picture, picture(int(frame.time_s >= 8), 0)) < ALIKE for frame in frames)
    # The first and the third group end in a key frame that shows the same, the second in another slide.
    assert not set(decoded) & set(range(1, 40))
    assert set(decoded) & set(range(41, 80))


@pytest.mark.parametrize("change_s", [5.3, 6.0])
def test_a_change_inside_a_group_is_seen(tmp_path: Path, change_s: float) -> None:
    frames = sampled(slides(tmp_path / "a.mp4", change_s), "hybrid", 1.0)

    assert all(error(frame.picture, picture(int(frame.time_s >= change_s), 0)) < ALIKE for frame in frames)


def test_a_flash_between_two_key_frames_that_are_the_same_is_decoded(tmp_path: Path) -> None:
    path = slides(tmp_path / "a.mp4", change_s=99, flash_s=5.5)
    timeline = open_media(path, FULL_SIZE)._timeline  # type: ignore[attr-defined]
    wanted = choose_packets(timeline, SampleConfig(gap_s=1.0))
    is_quiet = quiet_rows(timeline, wanted)

    assert is_quiet.any()
    assert not is_quiet[(timeline.times_s[wanted] > 4) & (timeline.times_s[wanted] < 8)].any()


def test_what_moves_is_not_quiet(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", steady(8), scenes(1), gop=20, scenecut=False)
    timeline = open_media(path, FULL_SIZE)._timeline  # type: ignore[attr-defined]

    assert not quiet_rows(timeline, choose_packets(timeline, SampleConfig(gap_s=0.5))).any()


def test_hardware_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", steady(1))

    with pytest.raises(SetupError, match=r"media\.hardware: videotoolbox cannot decode on this machine"):
        open_media(path, MediaConfig(hardware="videotoolbox"))
