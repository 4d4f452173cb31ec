"""Pictures that are no trouble to a browser: with colour profiles, huge, or no pixels at all."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.conftest import Call
from tests.made_images import make_image
from tests.test_made import ALIKE, error
from vcd.config import MediaConfig, SampleConfig
from vcd.errors import InputError
from vcd.media import open_media
from vcd.types import Picture

SVG = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'


def still(path: Path) -> Picture:
    (frame,) = open_media(path, MediaConfig(short_side_px=2000)).frames(SampleConfig())
    return frame.picture


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("profile", ["sRGB", "none that is one"])
def test_a_colour_profile_does_no_harm(tmp_path: Path, suffix: str, profile: str) -> None:
    content = (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() if profile == "sRGB" else b"\0\xff" * 300
    )
    plain = still(make_image(tmp_path / f"plain{suffix}", 7))

    assert error(still(make_image(tmp_path / f"a{suffix}", 7, icc_profile=content)), plain) < ALIKE


def test_a_grey_profile_on_a_cmyk_picture_does_no_harm(tmp_path: Path) -> None:
    path = make_image(tmp_path / "a.jpg", 7, mode="CMYK", icc_profile=b"\0" * 200)

    assert error(still(path), still(make_image(tmp_path / "b.jpg", 7, mode="CMYK"))) < ALIKE


def huge_png(side_px: int) -> bytes:
    """White, one bit a pixel: 900 million pixels are 110 KB."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer = zlib.compressobj(1)
    row = b"\0" + b"\xff" * ((side_px + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(side_px)) + packer.flush()
    header = struct.pack(">IIBBBBB", side_px, side_px, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_thirty_thousand_pixels_square_are_refused_by_the_settings_limit(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(huge_png(30_000))

    with pytest.raises(InputError, match="pixels"):
        open_media(path, MediaConfig())


def test_a_picture_below_the_limit_is_read_however_large(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(huge_png(6_000))

    (frame,) = open_media(path, MediaConfig()).frames(SampleConfig())

    assert frame.picture.shape == (224, 224, 3)
    assert frame.picture.min() == 255


def test_a_jpeg_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    content = bytearray(make_image(tmp_path / "a.jpg", 7).read_bytes())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", 30_000, 30_000)
    (tmp_path / "b.jpg").write_bytes(content)

    with pytest.raises(InputError, match="pixels"):
        open_media(tmp_path / "b.jpg", MediaConfig())


@pytest.mark.parametrize("name", ["a.svg", "a.png", "a.mp4"])
def test_svg_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(SVG)

    with pytest.raises(InputError, match=f"{name}: is an SVG drawing"):
        open_media(tmp_path / name, MediaConfig())


def test_odd_pictures_are_indexed_and_found_side_by_side(tmp_path: Path, vcd: Call) -> None:
    """Every mode in one folder, among files that are no pictures: each is used or named."""
    folder = tmp_path / "all"
    folder.mkdir()
    for number, (name, mode) in enumerate(
        [("cmyk.jpg", "CMYK"), ("deep.png", "I;16"), ("palette.png", "P"), ("alpha.webp", "RGBA"), ("bit.png", "1")]
    ):
        make_image(folder / name, 7 + number, mode=mode)
    make_image(folder / "one.png", size=(1, 1))
    (folder / "broken.jpg").write_bytes(make_image(tmp_path / "whole.jpg", 7).read_bytes()[:900])
    (folder / "empty.png").touch()
    with io.BytesIO() as turned:
        Image.fromarray(np.zeros((4, 4, 3), dtype=np.uint8)).save(turned, "PPM")
        (folder / "other.png").write_bytes(turned.getvalue())

    told = vcd("index", folder, "--library", tmp_path / "library")

    assert told.code == 3
    assert told.text.startswith("6 added, 0 replaced, 0 unchanged, 3 unusable")
    assert sorted(line.split(":")[1].strip().rpartition("/")[2] for line in told.err.splitlines()) == [
        "broken.jpg", "empty.png", "other.png",
    ]  # fmt: skip
