"""The made files are what they say: read back with plain PyAV and Pillow, never with vcd."""

import os
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.sidedata.sidedata import Type
from numpy.typing import NDArray

from tests.made import (
    BT709,
    FULL_RANGE,
    HDR10,
    HLG,
    INTRA_ONLY,
    MASTERING,
    ONE_I_FRAME,
    OPEN_GOP,
    Colour,
    Picture,
    change_every,
    cut,
    film,
    make_video,
    picture,
    read_pictures,
    reencode,
    scenes,
    steady,
    uneven,
)  # fmt: skip

UNEVEN = uneven(6)
ALIKE = 6.0
"""Mean error of an 8-bit level that an encoder may make; two scenes differ by 50 and more."""


def error(one: Picture, other: Picture) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def times_of(path: Path) -> list[float]:
    return [at_s for at_s, _ in read_pictures(path)]


def packets_of(path: Path) -> list[tuple[float, bool, bool]]:
    """Time, is key, is hidden by an edit list: of each packet, in decoding order."""
    with av.open(path) as container:
        packets = [p for p in container.demux(video=0) if p.pts is not None]
        return [(float(p.pts * p.time_base), p.is_keyframe, p.is_discard) for p in packets]


def first_frame(path: Path) -> av.VideoFrame:
    with av.open(path) as container:
        return next(container.decode(video=0))


def thumbnail(shown: Picture) -> NDArray[np.float64]:
    """Unit vector of a tiny gray picture without its mean: a poor man's descriptor."""
    gray = cv2.cvtColor(cv2.resize(shown, (16, 9), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    row = gray.astype(float).ravel() - gray.mean()
    return row / np.linalg.norm(row)


def test_scenes_differ_and_survive_a_bad_encode(tmp_path: Path) -> None:
    shown = np.array([thumbnail(picture(scene, 3.0 * scene)) for scene in range(60)])
    path = make_video(tmp_path / "bad.mp4", steady(60, 1), change_every(1), size=(160, 90), options={"crf": "38"})
    stored = np.array([thumbnail(taken) for _, taken in read_pictures(path)])
    at_its_time = np.array([thumbnail(picture(scene, scene)) for scene in range(60)])

    likeness = shown @ shown.T
    assert np.max(likeness - np.eye(60)) < 0.75
    assert np.min(np.sum(stored * at_its_time, axis=1)) > 0.97


def test_a_scene_drifts_slowly_and_scales() -> None:
    assert error(picture(3, 1.0), picture(3, 1.0)) == 0
    assert 0.5 < error(picture(3, 1.0), picture(3, 1.2)) < 12
    large = cv2.resize(picture(3, 1.0, (640, 360)), (320, 180), interpolation=cv2.INTER_AREA)
    assert error(large, picture(3, 1.0)) < 3
    assert error(film(scenes(3, 4), 1.5, speed=-1)(1.0), picture(3, 0.5)) == 0


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        *((suffix, None) for suffix in (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".ts", ".flv", ".wmv")),
        (".avi", None), (".mp4", "libx265"), (".mp4", "libsvtav1"), (".mkv", "libsvtav1"), (".mp4", "mpeg4"),
        (".mov", "prores_ks"), (".mkv", "ffv1"), (".mkv", "mjpeg"),
    ],
)  # fmt: skip
def test_frames_of_a_variable_rate_have_the_times_asked_for(tmp_path: Path, suffix: str, codec: str | None) -> None:
    path = make_video(tmp_path / f"film{suffix}", UNEVEN, codec=codec)

    assert times_of(path) == pytest.approx(UNEVEN, abs=1e-6)
    for at_s, shown in read_pictures(path):
        assert error(shown, picture(int((at_s + 1e-6) // 2), at_s)) < ALIKE


@pytest.mark.parametrize(
    ("name", "codec", "per_s"),
    [("a.avi", None, 10), ("a.avi", "mjpeg", 12), ("a.avi", "msmpeg4", 25), ("a.mpg", None, 25),
     ("a.ts", "mpeg2video", 25), ("a.mpg", None, 10), ("a.gif", None, 10)],
)  # fmt: skip
def test_frames_of_a_constant_rate_have_the_times_asked_for(
    tmp_path: Path, name: str, codec: str | None, per_s: float
) -> None:
    path = make_video(tmp_path / name, steady(4, per_s), codec=codec)

    assert times_of(path) == pytest.approx(steady(4, per_s), abs=1e-5)


def test_mpeg_2_refuses_times_that_it_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        make_video(tmp_path / "film.mpg", UNEVEN)


@pytest.mark.parametrize(("suffix", "start_s"), [(".ts", 3600), (".ts", 95_000), (".mkv", 5), (".mp4", 5), (".mov", 5)])
def test_a_film_can_start_late(tmp_path: Path, suffix: str, start_s: float) -> None:
    path = make_video(tmp_path / f"film{suffix}", UNEVEN, start_s=start_s)

    with av.open(path) as container:
        stream = container.streams.video[0]
        assert container.start_time / av.time_base == pytest.approx(start_s, abs=1e-3)
        shown_s = [float(frame.pts * frame.time_base) for frame in container.decode(stream)]
    assert shown_s == pytest.approx([start_s + at_s for at_s in UNEVEN], abs=1e-3)


def test_the_last_frame_has_a_length_and_one_frame_is_enough(tmp_path: Path) -> None:
    with av.open(make_video(tmp_path / "film.mp4", [0, 0.1, 0.5])) as container:
        assert container.duration == pytest.approx(900_000)
    assert times_of(make_video(tmp_path / "one.mp4", [0])) == [0]


def test_equal_calls_make_equal_films(tmp_path: Path) -> None:
    one, other = (list(read_pictures(make_video(tmp_path / name, UNEVEN))) for name in ("1.mp4", "2.mp4"))
    for (one_s, one_shown), (other_s, other_shown) in zip(one, other, strict=True):
        assert one_s == other_s
        assert error(one_shown, other_shown) < 1


def test_groups_of_pictures_are_as_asked(tmp_path: Path) -> None:
    def keys(**words: Any) -> list[float]:
        return [at_s for at_s, is_key, _ in packets_of(make_video(tmp_path / "film.mp4", steady(6), **words)) if is_key]

    assert keys() == [0, 2, 4]  # where the scenes change
    assert keys(scenecut=False) == [0]
    assert keys(scenecut=False, gop=ONE_I_FRAME) == [0]
    assert keys(scenecut=False, gop=25) == [0, 2.5, 5]
    assert keys(gop=INTRA_ONLY) == pytest.approx(steady(6))


def test_x264_writes_b_frames(tmp_path: Path) -> None:
    order = [at_s for at_s, _, _ in packets_of(make_video(tmp_path / "film.mp4", steady(6)))]
    assert order != sorted(order)


def test_frames_of_an_open_group_are_shown_before_its_i_frame(tmp_path: Path) -> None:
    packets = packets_of(make_video(tmp_path / "film.mkv", steady(4), options=OPEN_GOP))
    leading = {key: at_s for (key, is_key, _), (at_s, _, _) in pairwise(packets) if is_key and at_s < key}
    assert leading == pytest.approx({1.0: 0.9, 2.0: 1.9, 3.0: 2.9})


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(("rotation", "told"), [(90, 90), (180, -180), (270, -90)])
def test_a_rotated_film_is_upright_once_turned(tmp_path: Path, suffix: str, rotation: int, told: int) -> None:
    size = (180, 320) if rotation % 180 else (320, 180)
    frame = first_frame(make_video(tmp_path / f"film{suffix}", [0, 0.1], rotation=rotation, size=size))

    assert frame.rotation == told
    assert Type.DISPLAYMATRIX in frame.side_data
    assert (frame.width, frame.height) == (320, 180)
    assert error(np.rot90(frame.to_ndarray(format="rgb24"), rotation // 90), picture(0, 0, size)) < ALIKE


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_pixels_need_not_be_square(tmp_path: Path, suffix: str) -> None:
    with av.open(make_video(tmp_path / f"film{suffix}", steady(1), sar=Fraction(4, 3))) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.sample_aspect_ratio) == (240, 180, Fraction(4, 3))


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [("a.mp4", "libx264", "yuv444p"), ("a.webm", None, None), ("a.mkv", "ffv1", None),
     ("a.avi", "mjpeg", None), ("a.mp4", "libsvtav1", None)],
)  # fmt: skip
def test_sizes_may_be_odd(tmp_path: Path, name: str, codec: str | None, pix_fmt: str | None) -> None:
    frame = first_frame(make_video(tmp_path / name, steady(1), codec=codec, pix_fmt=pix_fmt, size=(321, 181)))
    assert (frame.width, frame.height) == (321, 181)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", None), ("a.ts", "mpeg2video"), ("a.mpg", None)])
def test_an_interlaced_frame_shows_two_moments(tmp_path: Path, name: str, codec: str | None) -> None:
    path = make_video(tmp_path / name, steady(2, 25), change_every(0.06), codec=codec, interlaced=True)
    assert first_frame(path).interlaced_frame
    with av.open(path) as container:
        second = list(container.decode(video=0))[1]  # shown from 0.04 s: the scene changes between its fields
    upper, lower = (second.to_ndarray(format="gray")[row::2] for row in (0, 1))
    expected = [cv2.cvtColor(picture(*moment), cv2.COLOR_RGB2GRAY) for moment in ((0, 0.04), (1, 0.06))]
    assert error(upper, expected[0][0::2]) < ALIKE
    assert error(lower, expected[1][1::2]) < ALIKE


def test_frames_may_have_ten_bits(tmp_path: Path) -> None:
    assert first_frame(make_video(tmp_path / "a.mp4", steady(1), pix_fmt="yuv420p10le")).format.name == "yuv420p10le"


@pytest.mark.parametrize(
    ("colour", "codec", "white"), [(HDR10, "libx265", 0.581), (HLG, "libx264", 0.75), (BT709, "libx264", 1.0)]
)
def test_colours_are_tagged_and_white_lies_where_it_should(
    tmp_path: Path, colour: Colour, codec: str, white: float
) -> None:
    options = MASTERING if colour is HDR10 else None
    blank = np.full((180, 320, 3), 255, np.uint8)
    path = make_video(
        tmp_path / "film.mp4", steady(1), show=lambda _: blank, codec=codec, colour=colour, options=options
    )

    frame = first_frame(path)
    tags = (frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range)
    assert tags == (colour.primaries, colour.trc, colour.matrix, 1)
    assert (Type.MASTERING_DISPLAY_METADATA in frame.side_data) == (colour is HDR10)
    assert frame.to_ndarray(format="rgb48le").mean() / 65535 == pytest.approx(white, abs=0.01)


def test_full_range_is_tagged(tmp_path: Path) -> None:
    frame = first_frame(make_video(tmp_path / "film.mp4", steady(1), colour=FULL_RANGE))
    assert frame.color_range == 2
    assert error(frame.to_ndarray(format="rgb24"), picture(0, 0)) < ALIKE


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".ts", ".avi", ".flv", ".wmv"])
def test_a_film_can_have_sound(tmp_path: Path, suffix: str) -> None:
    times_s = steady(3) if suffix == ".avi" else UNEVEN
    path = make_video(tmp_path / f"film{suffix}", times_s, audio=True)

    with av.open(path) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert container.duration / av.time_base == pytest.approx(times_s[-1], abs=0.5)
    shown_s = np.array(times_of(path))
    assert 0 <= shown_s[0] < 0.05  # the delay of the sound's encoder
    assert shown_s - shown_s[0] == pytest.approx(times_s, abs=1e-3)


def test_a_reencoded_stretch_shows_what_the_source_showed(tmp_path: Path) -> None:
    source = make_video(tmp_path / "film.mp4", UNEVEN)
    copy = reencode(
        source,
        tmp_path / "copy.mkv",
        1.5,
        5.5,
        size=(240, 136),
        speed=1.25,
        edit=lambda shown: shown[:, ::-1],
    )

    begins_s = max(at_s for at_s in UNEVEN if at_s <= 1.5)
    wanted_s = [0.0, *((at_s - 1.5) / 1.25 for at_s in UNEVEN if 1.5 < at_s < 5.5)]
    assert times_of(copy) == pytest.approx(wanted_s, abs=1e-3)
    first = picture(int(begins_s // 2), begins_s, (240, 136))[:, ::-1]
    assert error(next(read_pictures(copy))[1], first) < ALIKE


@pytest.mark.parametrize("suffix", [".mpg", ".avi", ".webm"])
def test_a_stretch_can_be_reencoded_into_any_container(tmp_path: Path, suffix: str) -> None:
    source = make_video(tmp_path / "film.mp4", steady(4, 25))
    assert len(times_of(reencode(source, tmp_path / f"copy{suffix}", 1, 3))) == 50


def test_a_cut_hides_the_frames_before_it_with_an_edit_list(tmp_path: Path) -> None:
    source = make_video(tmp_path / "film.mp4", steady(6), scenecut=False, gop=20)
    cut_mp4, cut_mkv = (cut(source, tmp_path / name, 3, 5) for name in ("cut.mp4", "cut.mkv"))

    assert times_of(cut_mp4) == pytest.approx(steady(2))
    assert error(next(read_pictures(cut_mp4))[1], picture(1, 3)) < ALIKE
    assert packets_of(cut_mp4)[0] == (-1.0, True, True)  # the I-frame of 2 s
    assert times_of(cut_mkv) == pytest.approx(steady(3))
    assert error(next(read_pictures(cut_mkv))[1], picture(1, 2)) < ALIKE


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="only Linux tells")
def test_making_a_film_leaves_the_process_its_usual_priority(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", steady(1), codec="libsvtav1")

    assert os.sched_getscheduler(0) == os.SCHED_OTHER
