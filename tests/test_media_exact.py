"""Unusual clocks and orders of frames: every frame has the time that it was made with, and so has every sample."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.exactness import compare_times
from tests.made import cut, make_video, read_pictures, steady, uneven
from tests.test_media_formats import FULL_SIZE, every_frame, sampled, show_the_film, times
from vcd.config import SampleConfig
from vcd.media import open_media

WRAP_S = 2**33 / 90_000
"""A broadcast's clock starts again from 0 then."""
TELECINED = [(5 * pair + (3 if second else 0)) / 60 for pair in range(36) for second in (False, True)]
"""24 frames a second on a screen of 60 fields: shown for 3 and 2 fields in turn."""
OPEN_HEVC = {"x265-params": "log-level=none:open-gop=1:keyint=15:bframes=3:scenecut=0"}
UNSHIFTED = {"avoid_negative_ts": "disabled"}
Made = tuple[Path, list[float]]


def _made(name: str, times_s: list[float], **how: object) -> Callable[[Path], Made]:
    return lambda folder: (make_video(folder / name, times_s, **how), times_s)  # type: ignore[arg-type]


FILMS: dict[str, Callable[[Path], Made]] = {
    "clock wraps, ts": _made("a.ts", uneven(3), start_s=WRAP_S - 1.3),
    "clock wraps, open groups": _made("a.ts", steady(3), start_s=WRAP_S - 1.3, options={"x264-params": "open-gop=1"}),
    "negative start, ts": _made("a.ts", uneven(3), start_s=-0.7, muxing=UNSHIFTED),
    "telecined, mp4": _made("a.mp4", TELECINED),
    "telecined, ts": _made("a.ts", TELECINED),
    "120 a second": _made("a.mp4", steady(1.5, 120), options={"crf": "12"}),
    "1 a second": _made("a.mp4", steady(8, 1)),
    "1 a second, HEVC": _made("a.mkv", steady(8, 1), codec="libx265"),
    "one frame, late": _made("a.mkv", [0.0], start_s=7.0),
    "CRA pictures": _made("a.mp4", uneven(4), codec="libx265", options=OPEN_HEVC),
    "AV1, forward key frames": _made(
        "a.mkv", steady(4), codec="libsvtav1", gop=16, options={"svtav1-params": "irefresh-type=1:enable-tf=0"}
    ),
}


@pytest.fixture(params=FILMS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    return FILMS[request.param](tmp_path)


def test_every_frame_and_every_sample_has_its_time(made: Made) -> None:
    path, times_s = made

    _, frames = every_frame(path)

    assert times(frames) == pytest.approx(times_s, abs=1e-3)
    assert show_the_film(frames)
    for mode in ("iframe", "uniform", "hybrid"):
        for time_s in times(sampled(path, mode, 0.5)):
            assert min(abs(np.array(times_s) - time_s)) < 1e-3


@pytest.mark.parametrize("threads", [2, 5])
def test_the_number_of_threads_changes_neither_moments_nor_pictures(made: Made, threads: int) -> None:
    """Packets go to a decoder of several threads by themselves, and come back later than from one."""
    path, _ = made
    for mode in ("iframe", "scene", "uniform", "hybrid"):
        sample = SampleConfig(mode=mode, gap_s=0.5)  # type: ignore[arg-type]
        one, many = (list(open_media(path, FULL_SIZE, count).frames(sample)) for count in (1, threads))
        assert times(one) == times(many)
        assert all(np.array_equal(a.picture, b.picture) for a, b in zip(one, many, strict=True))


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_what_an_mp4_shows_before_its_begin_is_not_shown(tmp_path: Path, suffix: str) -> None:
    path = make_video(tmp_path / f"a{suffix}", steady(3), start_s=-0.7, muxing=UNSHIFTED)

    _, frames = every_frame(path)

    assert times(frames) == pytest.approx(steady(2.3), abs=1e-3)
    assert show_the_film(frames, shift_s=0.7 + 1e-3)


def test_a_film_that_begins_with_a_cra_picture_lacks_what_was_shown_before_it(tmp_path: Path) -> None:
    """Its leading pictures need a group that was cut away: a player leaves them out, and so they have no time."""
    whole = make_video(tmp_path / "whole.ts", steady(6), codec="libx265", options=OPEN_HEVC)
    path = cut(whole, tmp_path / "cut.ts", 1.5, 6)

    _, frames = every_frame(path)

    assert len(frames) > 25
    assert times(frames) == pytest.approx([at_s for at_s, _ in read_pictures(path)], abs=1e-3)


def test_what_is_missing_or_too_much_or_elsewhere_is_told() -> None:
    theirs = np.array([0.0, 0.1, 0.2])

    assert compare_times(theirs + 4e-4, theirs).outcome == "same"
    assert compare_times(theirs[:2], theirs).missing == 1
    late = compare_times(np.array([0.0, 0.1, 0.2, 0.35]), theirs)
    assert (late.missing, late.extra, late.apart_s, late.outcome) == (0, 1, 0.15, "differs")
