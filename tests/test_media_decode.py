"""Decoding a part gives what decoding the whole gives: plain PyAV is the slow twin."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import made_broken
from tests.made import INTRA_ONLY, ONE_I_FRAME, OPEN_GOP, cut, make_video, read_pictures, steady, uneven
from tests.test_made import error
from tests.test_media_formats import FULL_SIZE, every_frame, sampled, show_the_film, times
from tests.test_media_sampling import timelines
from vcd.media import open_media
from vcd.media.decode import needed_packets
from vcd.media.timeline import Timeline
from vcd.types import Frame, Span

Maker = Callable[[Path], Path]
INTRA_REFRESH = {"x264-params": "intra-refresh=1:keyint=10"}
REORDERED = {"x264-params": "b-pyramid=normal:bframes=6:b-adapt=0:ref=4:scenecut=0"}


def _cut_after(start_s: float) -> Maker:
    def make(folder: Path) -> Path:
        source = make_video(folder / "whole.mp4", steady(6), scenecut=False, gop=20)
        return cut(source, folder / "cut.mp4", start_s, 5.5)

    return make


def _all_flagged_key(folder: Path) -> Path:
    """An mp4 without its list of key frames claims that all are: H.264 with long groups."""
    whole = make_video(folder / "whole.mp4", steady(6), gop=15, codec="libx265")
    (folder / "a.mp4").write_bytes(whole.read_bytes().replace(b"stss", b"free"))
    return folder / "a.mp4"


FILES: dict[str, Maker] = {
    "B-frames": lambda folder: make_video(folder / "a.mp4", uneven(6), gop=20),
    "open groups, mp4": lambda folder: make_video(folder / "a.mp4", steady(6), options=OPEN_GOP),
    "open groups, mkv": lambda folder: make_video(folder / "a.mkv", uneven(6), options=OPEN_GOP),
    "open groups, ts": lambda folder: make_video(folder / "a.ts", steady(6), options=OPEN_GOP),
    "open groups, H.265": lambda folder: make_video(
        folder / "a.mkv", steady(6), codec="libx265",
        options={"x265-params": "log-level=none:open-gop=1:keyint=15:bframes=3:scenecut=0"},
    ),
    "open groups, MPEG-2": lambda folder: make_video(
        folder / "a.ts", steady(6, 25), codec="mpeg2video", options={"bf": "2", "g": "15"}
    ),
    "long groups": lambda folder: make_video(folder / "a.mp4", steady(6), gop=ONE_I_FRAME, scenecut=False),
    "intra only": lambda folder: make_video(folder / "a.mp4", steady(6), gop=INTRA_ONLY),
    "intra refresh": lambda folder: make_video(folder / "a.mkv", steady(6), options=INTRA_REFRESH),
    "deep reordering": lambda folder: make_video(folder / "a.mp4", steady(6), options=REORDERED, gop=25),
    "all flagged key": _all_flagged_key,
    "edit list": _cut_after(2.7),
    "edit list at a key frame": _cut_after(2.0),
    "VP9": lambda folder: make_video(folder / "a.webm", uneven(6), gop=25),
    "AV1": lambda folder: make_video(folder / "a.mp4", uneven(6), codec="libsvtav1", gop=25),
    "MPEG-4": lambda folder: make_video(folder / "a.mkv", steady(6), codec="mpeg4", options={"bf": "2", "g": "15"}),
}  # fmt: skip


def assert_as_in(path: Path, frames: list[Frame]) -> None:
    whole = list(read_pictures(path))
    whole_s = np.array([at_s for at_s, _ in whole])
    for frame in frames:
        nearest = int(np.argmin(abs(whole_s - frame.time_s)))
        assert whole_s[nearest] == pytest.approx(frame.time_s, abs=1e-3)
        assert error(frame.picture, whole[nearest][1]) < 1


@pytest.mark.parametrize("kind", FILES)
def test_all_frames_are_those_of_plain_decoding(tmp_path: Path, kind: str) -> None:
    path = FILES[kind](tmp_path)

    _, frames = every_frame(path)

    assert_as_in(path, frames)
    assert times(frames) == pytest.approx([at_s for at_s, _ in read_pictures(path)], abs=1e-3)


@pytest.mark.parametrize("kind", FILES)
def test_sampled_frames_are_those_of_plain_decoding(tmp_path: Path, kind: str) -> None:
    path = FILES[kind](tmp_path)

    for mode in ("iframe", "uniform", "hybrid"):
        for gap_s in (0.35, 1.0):
            frames = sampled(path, mode, gap_s)
            assert_as_in(path, frames)
            if mode == "hybrid":
                assert max(after - before for before, after in pairwise(times(frames))) <= max(gap_s, 0.4) + 1e-3


@pytest.mark.parametrize("kind", FILES)
def test_frames_of_a_span_are_those_of_plain_decoding(tmp_path: Path, kind: str) -> None:
    path = FILES[kind](tmp_path)
    media = open_media(path, FULL_SIZE)

    for start_s in (0.0, 0.95, 1.45, 2.05, 2.45):
        frames = list(media.frames_between(Span(start_s, start_s + 0.3), 0.0))
        assert_as_in(path, frames)
        expected = [at_s for at_s, _ in read_pictures(path) if start_s - 1e-6 <= at_s < start_s + 0.3 - 1e-6]
        assert times(frames) == pytest.approx(expected, abs=1e-3)


def test_few_packets_are_decoded_for_key_frames_alone() -> None:
    timeline = _timeline([0, 3, 1, 2, 4, 7, 5, 6], keys=[0, 4])

    assert needed_packets(timeline, np.array([0, 4])).tolist() == [True, *[False] * 3, True, *[False] * 3]


def test_a_leading_picture_needs_the_group_before() -> None:
    timeline = _timeline([0, 2, 1, 5, 3, 4, 6, 9, 8, 7], keys=[0, 3, 7])

    assert timeline.is_leading.tolist() == [row in {4, 5, 8, 9} for row in range(10)]
    assert np.flatnonzero(needed_packets(timeline, np.array([4]))).tolist() == [0, 1, 2, 3, 4]
    assert np.flatnonzero(needed_packets(timeline, np.array([6]))).tolist() == [3, 6]


def test_both_fields_of_a_frame_are_decoded() -> None:
    """Two packets of one time: the second field has none of its own."""
    timeline = _timeline([0, 0, 2, 2, 1, 1, 3, 3], keys=[0, 6])

    assert np.flatnonzero(needed_packets(timeline, np.array([0, 6]))).tolist() == [0, 1, 6, 7]


def _timeline(order: list[int], keys: list[int]) -> Timeline:
    is_key = np.zeros(len(order), dtype=bool)
    is_key[keys] = True
    moments = np.array(order)
    return Timeline(moments / 10, is_key, np.ones(len(order), dtype=bool), moments + 1, len(order) / 10, moments)


@given(timelines(), st.data())
def test_what_is_needed_starts_at_a_key_frame_and_holds_what_is_wanted(timeline: Timeline, data: st.DataObject) -> None:
    wanted = np.array(data.draw(st.lists(st.integers(0, len(timeline) - 1), min_size=1, unique=True)))
    needed = needed_packets(timeline, wanted)
    follows = ~timeline.is_key & ~timeline.is_leading

    assert needed[wanted].all()
    for row in np.flatnonzero(needed & follows):
        start = int(np.flatnonzero(timeline.is_key[: row + 1])[-1])
        assert (needed | timeline.is_leading)[start:row].all()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_damaged_film_keeps_the_right_times(tmp_path: Path, suffix: str) -> None:
    """An AVI does not: it counts its frames, so those after the damage come early by what was lost."""
    whole = make_video(tmp_path / f"whole{suffix}", steady(6, 25), gop=12)
    path = made_broken.damage(whole, tmp_path / f"damaged{suffix}", 0.45, 0.55)

    _, frames = every_frame(path)

    outside = [frame for frame in frames if not 1.5 < frame.time_s < 4.5]
    assert show_the_film(outside)
    assert outside[0].time_s == 0
    assert outside[-1].time_s == pytest.approx(5.96, abs=0.05)
