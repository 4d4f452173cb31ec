"""Times count from where players start the file, whatever its clock says."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.made import cut, make_video, scenes, steady, uneven
from tests.made_sound import make_audio
from tests.made_streams import LARGE_SCENE, SMALL_SCENE, make_two_videos, make_video_with_cover, merge
from tests.test_made import ALIKE, error, picture
from tests.test_media_formats import FULL_SIZE, every_frame, sampled, show_the_film, times
from vcd.config import SampleConfig
from vcd.media import open_media
from vcd.media.timeline import Clock, PacketRow, Timeline, make_timeline
from vcd.types import Span

UNEVEN = uneven(3)
MODES = ("iframe", "scene", "uniform", "hybrid")


@pytest.mark.parametrize(("suffix", "start_s"), [(".ts", 3600), (".ts", 95_000), (".mkv", 5), (".mp4", 5), (".mov", 5)])
def test_a_film_whose_clock_starts_late_starts_at_0(tmp_path: Path, suffix: str, start_s: float) -> None:
    path = make_video(tmp_path / f"a{suffix}", UNEVEN, start_s=start_s)

    info, frames = every_frame(path)

    assert times(frames) == pytest.approx(UNEVEN, abs=1e-3)
    assert show_the_film(frames)
    assert info.duration_s == pytest.approx(UNEVEN[-1], abs=0.5)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_film_that_starts_after_its_sound_keeps_its_distance(tmp_path: Path, suffix: str) -> None:
    film = make_video(tmp_path / "film.mp4", steady(3), start_s=1.0)
    path = merge(tmp_path / f"a{suffix}", film, make_audio(tmp_path / "sound.m4a", 4.0))

    _, frames = every_frame(path)

    assert times(frames) == pytest.approx([1 + at_s for at_s in steady(3)], abs=0.05)  # delay of the sound's encoder
    assert show_the_film(frames, shift_s=-frames[0].time_s + 1e-3)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".flv", ".wmv"])
def test_sound_does_not_shift_a_film(tmp_path: Path, suffix: str) -> None:
    path = make_video(tmp_path / f"a{suffix}", UNEVEN, audio=True)

    assert times(every_frame(path)[1]) == pytest.approx(UNEVEN, abs=0.05)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("start_s", [2.0, 2.7])
def test_frames_cut_away_by_an_edit_list_are_not_there(tmp_path: Path, start_s: float, mode: str) -> None:
    source = make_video(tmp_path / "whole.mp4", steady(6), scenecut=False, gop=20)
    path = cut(source, tmp_path / "cut.mp4", start_s, 5.5)

    frames = sampled(path, mode, 0.5)

    assert times(frames)[0] == pytest.approx(0 if mode != "iframe" or start_s == 2.0 else 1.3)
    assert show_the_film(frames, shift_s=start_s + 1e-3)


def test_a_film_of_two_recordings_goes_on(tmp_path: Path) -> None:
    """Two broadcasts one after the other in one file: the clock goes back, or far ahead."""
    parts = [
        make_video(tmp_path / "1.ts", steady(2)),
        make_video(tmp_path / "2.ts", steady(2), from_s=2),
        make_video(tmp_path / "3.ts", steady(2), from_s=4, start_s=7200),
    ]
    (tmp_path / "all.ts").write_bytes(b"".join(part.read_bytes() for part in parts))

    info, frames = every_frame(tmp_path / "all.ts")

    assert times(frames) == pytest.approx(steady(6), abs=1e-3)
    assert show_the_film(frames)
    assert info.duration_s == pytest.approx(6)
    assert times(sampled(tmp_path / "all.ts", "scene")) == pytest.approx([0, 2, 4], abs=1e-3)
    between = list(open_media(tmp_path / "all.ts", FULL_SIZE).frames_between(Span(3.5, 4.5), 0.1))
    assert times(between) == pytest.approx([3.5 + at_s for at_s in steady(1)], abs=1e-3)
    assert show_the_film(between)


def test_a_film_that_changes_its_size_is_read_to_the_end(tmp_path: Path) -> None:
    parts = [
        make_video(tmp_path / "1.ts", steady(2)),
        make_video(tmp_path / "2.ts", steady(2), scenes(1), from_s=2, size=(160, 120)),
    ]
    (tmp_path / "all.ts").write_bytes(b"".join(part.read_bytes() for part in parts))

    info, frames = every_frame(tmp_path / "all.ts")

    assert times(frames) == pytest.approx(steady(4), abs=1e-3)
    assert (info.width_px, info.height_px) == (320, 180)
    assert {frame.picture.shape for frame in frames[20:]} == {(120, 160, 3)}
    assert all(error(frame.picture, picture(1, frame.time_s, (160, 120))) < ALIKE for frame in frames[20:])


@pytest.mark.parametrize(
    ("suffix", "default", "scene"),
    [(".mp4", None, SMALL_SCENE), (".mp4", "large", LARGE_SCENE), (".mkv", None, LARGE_SCENE),
     (".mkv", "small", SMALL_SCENE), (".mkv", "large", LARGE_SCENE), (".ts", None, LARGE_SCENE)],
)  # fmt: skip
def test_the_default_video_is_read_else_the_largest(
    tmp_path: Path, suffix: str, default: str | None, scene: int
) -> None:
    path = make_two_videos(tmp_path / f"a{suffix}", default)  # type: ignore[arg-type]

    _, frames = every_frame(path)

    assert len(frames) == 20
    height, width, _ = frames[5].picture.shape
    assert error(frames[5].picture, picture(scene, frames[5].time_s, (width, height))) < ALIKE


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("mode", MODES)
def test_a_cover_is_not_the_film(tmp_path: Path, suffix: str, mode: str) -> None:
    assert show_the_film(sampled(make_video_with_cover(tmp_path / f"a{suffix}"), mode, 0.5))


def packet(pts: int | None, dts: int | None, is_key: bool = False) -> PacketRow:
    return PacketRow(pts, dts, is_key, is_discarded=False, size_bytes=100, duration=0)


def timeline(rows: list[PacketRow], container: str = "matroska", start_us: int | None = 0, delay: int = 0) -> Timeline:
    """10 frames a second in a clock of milliseconds."""
    return make_timeline(rows, Clock(Fraction(1, 1000), start_us, Fraction(10), container, delay))


def test_packets_without_any_time_follow_the_nominal_rate() -> None:
    made = timeline([packet(None, None, True), packet(None, None), packet(None, None)], start_us=None)

    assert made.times_s == pytest.approx([0, 0.1, 0.2])
    assert made.end_s == pytest.approx(0.3)


def test_what_precedes_the_first_key_frame_is_not_shown() -> None:
    rows = [packet(0, 0), packet(100, 100), packet(300, 200, True), packet(200, 300), packet(400, 400)]
    made = timeline(rows)

    assert made.is_shown.tolist() == [False, False, True, False, True]
    assert made.times_s[2] == pytest.approx(0.3)


def test_a_file_without_any_key_frame_is_read_from_its_first_packet() -> None:
    assert timeline([packet(100 * row, 100 * row) for row in range(5)]).is_shown.all()


def test_the_second_field_of_a_frame_is_not_shown_by_itself() -> None:
    rows = [packet(0, 0, True), packet(None, None), packet(100, 100), packet(None, None)]
    made = timeline(rows)

    assert made.is_shown.tolist() == [True, False, True, False]
    assert made.times_s == pytest.approx([0, 0, 0.1, 0.1])


@pytest.mark.parametrize("container", ["mpegts", "matroska", "mov"])
def test_a_clock_that_goes_back_was_set_anew(container: str) -> None:
    rows = [packet(100 * row, 100 * row, row == 0) for row in range(20)]
    made = timeline(rows + rows, container)

    assert made.times_s == pytest.approx([0.1 * row for row in range(40)])
    assert made.is_shown.all()


def test_a_clock_that_goes_far_ahead_was_set_anew_in_a_broadcast_only() -> None:
    rows = [packet(at_ms, at_ms, at_ms == 0) for at_ms in (0, 100, 200, 60_200, 60_300)]

    assert timeline(rows, "mpegts").times_s == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert timeline(rows, "matroska").times_s == pytest.approx([0, 0.1, 0.2, 60.2, 60.3])


def test_times_of_shown_frames_are_never_negative() -> None:
    for start_us in (None, -20_000, 0, 500_000, 10_000_000):
        made = timeline([packet(400 + 100 * row, 100 * row, row == 0) for row in range(5)], start_us=start_us)
        assert (made.times_s[made.is_shown] >= 0).all()


@pytest.mark.parametrize("mode", MODES)
def test_frames_always_rise_in_time(tmp_path: Path, mode: str) -> None:
    """Whatever packets claim: times that repeat, go back a little, or stand still."""
    path = make_video(tmp_path / "a.mkv", steady(3))
    media = open_media(path, FULL_SIZE)
    shown = media._timeline  # type: ignore[attr-defined]
    shaken = shown.times_s + np.random.default_rng(0).choice([0, 0.2, -0.2], len(shown))
    object.__setattr__(shown, "times_s", np.maximum(shaken, 0))

    frames = times(list(media.frames(SampleConfig(mode=mode, gap_s=0.3))))  # type: ignore[arg-type]

    assert len(frames) > 0
    assert all(before < after for before, after in pairwise(frames))
