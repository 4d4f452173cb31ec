"""Films as found in the world: every frame, and every choice of frames, is that of plain decoding."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.test_made import error
from vcd.config import MediaConfig, SampleConfig
from vcd.errors import InputError
from vcd.media import find_media, open_media
from vcd.media.picture import to_picture
from vcd.media.probe import open_video
from vcd.types import Frame, Span

VIDEOS = Path(__file__).parents[2] / "shared" / "data" / "videos"
CONFIG = MediaConfig(short_side_px=96)
TRUNCATED = "laracroft-cinepak-partial.avi"
FORMATS = sorted(path for path in (VIDEOS / "formats").glob("*") if path.name != TRUNCATED)
CLIPS = sorted((VIDEOS / "clips").glob("*"))[::8]

pytestmark = [
    pytest.mark.media,
    pytest.mark.slow,
    pytest.mark.skipif(not FORMATS, reason=f"{VIDEOS} is not present"),
]


def plainly_decoded(path: Path) -> list[Frame]:
    """Each frame by itself, with the times of the stream, in the order in which the decoder gives them."""
    with open_video(path, CONFIG) as (container, stream):
        return [
            Frame(
                float(frame.pts * stream.time_base), to_picture(frame, CONFIG.short_side_px, stream.sample_aspect_ratio)
            )
            for frame in container.decode(stream)
        ]


def assert_among(frames: list[Frame], whole: list[Frame], zero_s: float) -> None:
    """Each frame is the one of its time in the whole film."""
    whole_s = np.array([frame.time_s for frame in whole]) - zero_s
    for frame in frames:
        nearest = int(np.argmin(abs(whole_s - frame.time_s)))
        assert whole_s[nearest] == pytest.approx(frame.time_s, abs=1e-6)
        if frame.picture.shape == whole[nearest].picture.shape:
            assert error(frame.picture, whole[nearest].picture) < 1


@pytest.mark.parametrize("path", FORMATS + CLIPS, ids=lambda path: path.name)
def test_a_film_is_read_as_it_is(path: Path) -> None:
    whole = plainly_decoded(path)
    media = open_media(path, CONFIG)
    end_s = media.info.duration_s

    every = list(media.frames_between(Span(0, end_s + 1), 0.0))
    zero_s = whole[0].time_s - every[0].time_s
    assert [frame.time_s for frame in every] == pytest.approx([frame.time_s - zero_s for frame in whole], abs=1e-6)
    assert_among(every, whole, zero_s)
    assert every[-1].time_s < end_s <= every[-1].time_s + 10
    for mode in ("iframe", "scene", "uniform", "hybrid"):
        frames = list(media.frames(SampleConfig(mode=mode)))  # type: ignore[arg-type]
        assert_among(frames, whole, zero_s)
        assert all(before.time_s < after.time_s for before, after in pairwise(frames))
        if mode == "hybrid":
            assert_gaps_kept(frames, every)
    for start_s in (0.3 * end_s, 0.77 * end_s):
        between = list(media.frames_between(Span(start_s, start_s + 0.5), 0.1))
        assert_among(between, whole, zero_s)
        assert bool(between) == any(start_s <= frame.time_s < start_s + 0.5 for frame in every)


def assert_gaps_kept(frames: list[Frame], every: list[Frame]) -> None:
    """No gap of more than 1 s that some frame could have made smaller.

    By 0.5 s more where packets give no picture (screen recordings that stand still, hidden reference frames):
    the next that does stands in.
    """
    assert frames[0].time_s == every[0].time_s
    for before, after in pairwise(frames):
        between = [frame for frame in every if before.time_s < frame.time_s <= before.time_s + 0.5]
        assert after.time_s - before.time_s <= 1.5 or not between


def test_a_film_that_lacks_its_end_is_refused_unless_asked_for() -> None:
    path = VIDEOS / "formats" / TRUNCATED

    with pytest.raises(InputError, match="is truncated"):
        open_media(path, CONFIG)
    anyhow = open_media(path, MediaConfig(short_side_px=96, accept_truncated=True))
    assert len(list(anyhow.frames(SampleConfig(mode="uniform")))) == 7


def test_all_of_a_folder_is_found() -> None:
    assert len(list(find_media([VIDEOS / "formats"]))) == len(FORMATS) + 1
