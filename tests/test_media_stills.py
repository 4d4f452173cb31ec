"""Images, and animations made of them."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import made_broken
from tests.made import picture
from tests.made_images import make_animation, make_image
from tests.test_made import ALIKE, error
from tests.test_media_formats import FULL_SIZE, every_frame, sampled, times
from vcd.config import MediaConfig, SampleConfig
from vcd.errors import InputError
from vcd.media import open_media
from vcd.types import Picture, Span

SUFFIXES = [".jpg", ".png", ".webp", ".gif", ".bmp", ".tif", ".avif"]
MODES = ("iframe", "scene", "uniform", "hybrid")
SHOWN = picture(7, 0)
GRAY = np.repeat(np.asarray(Image.fromarray(SHOWN).convert("L"))[..., None], 3, axis=2)
FADE = np.linspace(255, 0, 320).round()[None, :, None] / 255


def still(path: Path, config: MediaConfig = FULL_SIZE) -> Picture:
    (frame,) = open_media(path, config).frames(SampleConfig())
    return frame.picture


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_image_has_one_frame_at_0(tmp_path: Path, suffix: str) -> None:
    media = open_media(make_image(tmp_path / f"a{suffix}", 7), FULL_SIZE)

    info = media.info
    assert (info.kind, info.duration_s, info.width_px, info.height_px) == ("image", 0, 320, 180)
    for mode in MODES:
        (frame,) = media.frames(SampleConfig(mode=mode))  # type: ignore[arg-type]
        assert frame.time_s == 0
        assert error(frame.picture, SHOWN) < ALIKE
    assert times(list(media.frames_between(Span(0, 0), 0.1))) == [0]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_obeyed(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = make_image(tmp_path / f"a{suffix}", 7, orientation=orientation)

    info = open_media(path, FULL_SIZE).info
    assert (info.width_px, info.height_px) == (320, 180)
    assert error(still(path), SHOWN) < ALIKE


@pytest.mark.parametrize(
    ("name", "mode", "expected"),
    [("a.png", "P", SHOWN), ("a.gif", "P", SHOWN), ("a.jpg", "CMYK", SHOWN), ("a.tif", "CMYK", SHOWN),
     ("a.png", "L", GRAY), ("a.jpg", "L", GRAY), ("a.png", "I;16", GRAY), ("a.tif", "I;16", GRAY),
     ("a.png", "RGBA", SHOWN * FADE + 255 * (1 - FADE)), ("a.webp", "RGBA", SHOWN * FADE + 255 * (1 - FADE)),
     ("a.png", "LA", GRAY * FADE + 255 * (1 - FADE))],
)  # fmt: skip
def test_every_colour_mode_becomes_rgb(tmp_path: Path, name: str, mode: str, expected: Picture) -> None:
    """What is transparent shows white."""
    assert error(still(make_image(tmp_path / name, 7, mode=mode)), expected.round().astype(np.uint8)) < ALIKE


def test_a_palette_with_a_transparent_colour_shows_white_there(tmp_path: Path) -> None:
    image = Image.new("P", (40, 40), 1)
    image.putpalette([200, 0, 0, 0, 200, 0])
    image.paste(0, (0, 0, 20, 40))
    image.save(tmp_path / "a.png", transparency=0)

    shown = still(tmp_path / "a.png")

    assert shown[20, 5].tolist() == [255, 255, 255]
    assert shown[20, 35].tolist() == [0, 200, 0]


def test_black_and_white_is_read(tmp_path: Path) -> None:
    assert set(np.unique(still(make_image(tmp_path / "a.png", 7, mode="1")))) == {0, 255}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_pixel_is_an_image(tmp_path: Path, suffix: str) -> None:
    assert still(make_image(tmp_path / f"a{suffix}", size=(1, 1)), MediaConfig()).shape == (1, 1, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_large_image_is_made_small(tmp_path: Path, suffix: str) -> None:
    path = make_image(tmp_path / f"a{suffix}", 7, size=(1600, 900))

    assert open_media(path, MediaConfig()).info.width_px == 1600
    shown = still(path, MediaConfig(short_side_px=90))
    assert error(shown, picture(7, 0, (160, 90))) < ALIKE


def test_an_image_is_judged_by_its_content(tmp_path: Path) -> None:
    path = make_image(tmp_path / "a.png", 7).rename(tmp_path / "a.mp4")

    assert open_media(path, FULL_SIZE).info.format == "image/png"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_half_an_image_is_refused(tmp_path: Path, suffix: str) -> None:
    path = made_broken.truncate(make_image(tmp_path / f"whole{suffix}", 7), tmp_path / f"half{suffix}")

    with pytest.raises(InputError, match="half"):
        still(path)


def test_a_png_bomb_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pixels"):
        open_media(made_broken.png_bomb(tmp_path / "bomb.png"), MediaConfig())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_more_pixels_than_allowed_are_refused(tmp_path: Path, suffix: str) -> None:
    path = make_image(tmp_path / f"a{suffix}")

    with pytest.raises(InputError, match="320 x 180 pixels, above the limit of 57599"):
        open_media(path, MediaConfig(max_pixels=320 * 180 - 1))
    assert open_media(path, MediaConfig(max_pixels=320 * 180)).info.kind == "image"


ANIMATED = [".gif", ".webp", ".png", ".avif"]
STARTS_S = [0, 0.1, 0.6, 0.64]


@pytest.mark.parametrize("suffix", ANIMATED)
def test_an_animation_is_a_video_with_its_own_delays(tmp_path: Path, suffix: str) -> None:
    path = make_animation(tmp_path / f"a{suffix}", (0, 1, 2, 3), (100, 500, 40, 1000))

    info, frames = every_frame(path)

    assert info.kind == "video"
    assert info.duration_s == pytest.approx(1.64)
    assert times(frames) == pytest.approx(STARTS_S)
    assert all(error(frame.picture, picture(scene, 0)) < ALIKE for scene, frame in enumerate(frames))


@pytest.mark.parametrize("suffix", ANIMATED)
def test_an_animation_is_sampled_like_a_video(tmp_path: Path, suffix: str) -> None:
    path = make_animation(tmp_path / f"a{suffix}", (0, 1, 2, 3), (100, 500, 40, 1000))

    assert times(sampled(path, "iframe")) == [0]
    assert times(sampled(path, "uniform", 0.5)) == pytest.approx([0, 0.6])
    assert times(sampled(path, "hybrid", 0.3)) == pytest.approx([0, 0.1, 0.6, 0.64])
    assert times(sampled(path, "scene")) == pytest.approx(STARTS_S)
    between = list(open_media(path, FULL_SIZE).frames_between(Span(0.1, 0.64), 0.5))
    assert times(between) == pytest.approx([0.1, 0.6])


def test_a_still_moment_of_an_animation_is_no_change_of_scene(tmp_path: Path) -> None:
    images = [Image.fromarray(picture(scene, at_s)) for scene, at_s in ((0, 0), (0, 0.1), (1, 0), (1, 0.1))]
    images[0].save(tmp_path / "a.webp", save_all=True, append_images=images[1:], duration=100)

    assert times(sampled(tmp_path / "a.webp", "scene")) == pytest.approx([0, 0.2])


def test_frames_too_short_to_be_meant_are_shown_as_browsers_do(tmp_path: Path) -> None:
    path = make_animation(tmp_path / "a.gif", (0, 1, 2, 3), (10, 0, 20, 100))

    assert times(every_frame(path)[1]) == pytest.approx([0, 0.1, 0.2, 0.22])


def test_the_picture_for_programs_that_know_no_animation_is_left_out(tmp_path: Path) -> None:
    path = make_animation(tmp_path / "a.png", (9, 1, 2, 3), (100, 500, 40), default_image=True)

    _, frames = every_frame(path)

    assert times(frames) == pytest.approx([0, 0.1, 0.6])
    assert [error(frame.picture, picture(scene, 0)) for scene, frame in enumerate(frames, 1)] == [0, 0, 0]


@pytest.mark.parametrize("suffix", ANIMATED)
def test_half_an_animation_is_refused(tmp_path: Path, suffix: str) -> None:
    path = made_broken.truncate(make_animation(tmp_path / f"whole{suffix}"), tmp_path / f"half{suffix}")

    with pytest.raises(InputError, match="half"):
        open_media(path, MediaConfig())


def test_a_tiff_of_many_pages_is_its_first_page(tmp_path: Path) -> None:
    pages = [Image.fromarray(picture(scene, 0)) for scene in (7, 8)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])

    assert error(still(tmp_path / "a.tif"), SHOWN) == 0


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".apng"])
def test_damaged_images_raise_nothing_but_input_errors(tmp_path: Path, suffix: str) -> None:
    """Pillow stumbles in many ways: IndexError, RuntimeError, struct.error."""
    whole = make_animation(tmp_path / f"w{suffix}", size=(32, 24)) if suffix in {".gif", ".apng", ".avif"} else None
    data = (whole or make_image(tmp_path / f"w{suffix}", size=(32, 24))).read_bytes()
    random = np.random.default_rng(0)
    path = tmp_path / f"damaged{suffix}"
    for _ in range(60):
        damaged = bytearray(data)
        for at in (len(data) * random.random(4) ** 2).astype(int):
            damaged[at] = random.integers(256)
        path.write_bytes(bytes(damaged))
        with suppress(InputError):
            assert list(open_media(path, MediaConfig(max_pixels=10_000)).frames(SampleConfig()))
