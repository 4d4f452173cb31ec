"""Pictures come upright, with square pixels and the colours that a screen would show."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.made import (
    BT709,
    FULL_RANGE,
    HDR10,
    HLG,
    MASTERING,
    Colour,
    change_every,
    make_video,
    picture,
    scenes,
    steady,
)  # fmt: skip
from tests.test_made import ALIKE, error
from tests.test_media_formats import FULL_SIZE, every_frame, show_the_film, times
from vcd.config import MediaConfig
from vcd.media import open_media
from vcd.types import Span

SMALL = MediaConfig(short_side_px=90)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("rotation", [90, 180, 270, -90])
@pytest.mark.parametrize("size", [(320, 180), (180, 320)])
def test_a_film_stored_turned_comes_upright(tmp_path: Path, suffix: str, rotation: int, size: tuple[int, int]) -> None:
    path = make_video(tmp_path / f"a{suffix}", steady(0.5), size=size, rotation=rotation)

    info, frames = every_frame(path)

    assert (info.width_px, info.height_px) == size
    assert all(error(frame.picture, picture(0, frame.time_s, size)) < ALIKE for frame in frames)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
@pytest.mark.parametrize("sar", [Fraction(4, 3), Fraction(16, 15), Fraction(4, 5)])
def test_pixels_that_are_not_square_become_square(tmp_path: Path, suffix: str, sar: Fraction) -> None:
    path = make_video(tmp_path / f"a{suffix}", steady(0.5), sar=sar)

    info, frames = every_frame(path, SMALL)

    assert abs(info.width_px - 320) <= 1
    assert all(abs(frame.picture.shape[1] - 160) <= 1 for frame in frames)
    assert error(frames[0].picture[:, :159], picture(0, 0, (160, 90))[:, :159]) < 2 * ALIKE


def test_turned_pixels_that_are_not_square_become_square(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", steady(0.5), size=(320, 240), sar=Fraction(4, 3), rotation=90)

    info, frames = every_frame(path, MediaConfig(short_side_px=120))

    assert (info.width_px, info.height_px) == (320, 240)
    assert error(frames[0].picture, picture(0, 0, (160, 120))) < 2 * ALIKE


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [("a.mp4", "libx264", "yuv444p"), ("a.webm", None, None), ("a.mkv", "ffv1", None),
     ("a.avi", "mjpeg", None), ("a.mp4", "libsvtav1", None)],
)  # fmt: skip
def test_odd_sizes_are_kept(tmp_path: Path, name: str, codec: str | None, pix_fmt: str | None) -> None:
    path = make_video(tmp_path / name, steady(0.5), codec=codec, pix_fmt=pix_fmt, size=(321, 181))

    info, frames = every_frame(path)

    assert (info.width_px, info.height_px) == (321, 181)
    assert all(error(frame.picture, picture(0, frame.time_s, (321, 181))) < ALIKE for frame in frames)


@pytest.mark.parametrize("size", [(2, 2), (16, 2), (2, 400), (640, 16)])
def test_tiny_and_thin_films_have_pictures(tmp_path: Path, size: tuple[int, int]) -> None:
    path = make_video(tmp_path / "a.mov", steady(0.3), codec="png", size=size)

    _, frames = every_frame(path, MediaConfig())

    assert len(frames) == 3
    assert frames[0].picture.shape[:2] == size[::-1]


@pytest.mark.parametrize("short_side_px", [64, 90, 180, 224])
def test_pictures_are_made_small_but_never_large(tmp_path: Path, short_side_px: int) -> None:
    path = make_video(tmp_path / "a.mp4", steady(0.3))

    _, frames = every_frame(path, MediaConfig(short_side_px=short_side_px))

    height = min(short_side_px, 180)
    assert frames[0].picture.shape == (height, round(height * 320 / 180), 3)
    small = cv2.resize(picture(0, 0), frames[0].picture.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert error(frames[0].picture, small) < ALIKE


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [("libx264", "yuv420p10le"), ("libx265", "yuv420p10le"), ("libx264", "yuv422p"), ("libx264", "yuv444p10le"),
     ("ffv1", "gray"), ("ffv1", "yuv420p16le"), ("ffv1", "bgr0"), ("ffv1", "yuva420p")],
)  # fmt: skip
def test_frames_may_have_any_depth_and_layout(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    path = make_video(tmp_path / "a.mkv", steady(0.5), codec=codec, pix_fmt=pix_fmt)

    _, frames = every_frame(path)

    for frame in frames:
        shown = picture(0, frame.time_s)
        if pix_fmt == "gray":
            shown = np.repeat((shown @ [0.299, 0.587, 0.114]).round().astype(np.uint8)[..., None], 3, axis=2)
        assert error(frame.picture, shown) < ALIKE


@pytest.mark.parametrize("colour", [BT709, FULL_RANGE], ids=["BT.709", "full range"])
def test_tagged_colours_are_obeyed(tmp_path: Path, colour: Colour) -> None:
    assert show_the_film(every_frame(make_video(tmp_path / "a.mp4", steady(0.5), colour=colour))[1])


@pytest.mark.parametrize("scene", [0, 1, 2])
@pytest.mark.parametrize(("colour", "codec"), [(HDR10, "libx265"), (HLG, "libx265"), (HLG, "libx264")])
def test_hdr_looks_like_the_standard_copy(tmp_path: Path, scene: int, colour: Colour, codec: str) -> None:
    options = MASTERING if colour is HDR10 else None
    path = make_video(tmp_path / "a.mp4", steady(1), scenes(scene), codec=codec, colour=colour, options=options)
    with av.open(path) as container:
        as_stored = next(container.decode(video=0)).to_ndarray(format="rgb24")

    shown = every_frame(path)[1][0].picture

    assert error(shown, picture(scene, 0)) < 10
    assert error(shown, picture(scene, 0)) < error(as_stored, picture(scene, 0)) / 3


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", None), ("a.ts", "mpeg2video"), ("a.mpg", None)])
def test_an_interlaced_frame_shows_one_moment(tmp_path: Path, name: str, codec: str | None) -> None:
    """The scene changes between the two fields of some frames."""
    path = make_video(tmp_path / name, steady(1, 25), change_every(0.06), codec=codec, interlaced=True)

    _, frames = every_frame(path, SMALL)

    assert times(frames) == pytest.approx(steady(1, 25), abs=1e-3)
    for frame in frames:
        scene = change_every(0.06)(frame.time_s)
        assert error(frame.picture, picture(scene, frame.time_s, (160, 90))) < 2 * ALIKE


def test_a_huge_pixel_shape_is_not_obeyed(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", steady(0.3), show=lambda at_s: picture(0, at_s), codec="ffv1")
    squeezed = make_video(tmp_path / "b.mkv", steady(0.3), codec="ffv1", size=(4000, 50), sar=Fraction(50))

    assert every_frame(path)[0].width_px == 320
    assert every_frame(squeezed)[0].width_px == 80


def test_all_modes_give_the_same_picture_of_a_moment(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", steady(2), rotation=90, size=(180, 320))
    media = open_media(path, FULL_SIZE)

    one = next(media.frames_between(Span(1.0, 1.1), 0.0))
    other = next(frame for frame in every_frame(path)[1] if frame.time_s == one.time_s)

    assert error(one.picture, other.picture) == 0
