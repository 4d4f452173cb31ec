"""Still and moving pictures for the tests, written by Pillow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.made_scenes import SIZE, Edit, Size, picture

ORIENTATION_TAG = 0x0112
# What turns an upright picture into the one that is stored under an EXIF orientation.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def make_image(
    path: Path,
    scene: int = 0,
    at_s: float = 0.0,
    *,
    size: Size = SIZE,
    mode: str = "RGB",
    orientation: int = 1,
    edit: Edit | None = None,
    **saving: Any,
) -> Path:
    """A picture of a film in the format of the suffix: .jpg .png .webp .gif .bmp .tif .avif and more.

    `mode` is Pillow's: RGB, L, P (palette), RGBA (transparent towards the right), LA, CMYK, "I;16" (16-bit
    gray), 1. With an EXIF `orientation` (jpg, png, webp, tif, avif) the picture is stored turned, so that it
    is upright when the tag is obeyed: `size` is what a viewer sees. `saving` goes to Pillow: ``quality=80``.
    """
    shown = picture(scene, at_s, size)
    image = as_mode(Image.fromarray(edit(shown) if edit else shown), mode)
    if orientation != 1:
        image = image.transpose(STORED[orientation])
        saving["exif"] = Image.Exif()
        saving["exif"][ORIENTATION_TAG] = orientation
    image.save(path, **saving)
    return path


def as_mode(image: Image.Image, mode: str) -> Image.Image:
    """The same picture in another of Pillow's modes."""
    if mode in {"RGBA", "LA"}:
        image = image.convert(mode)
        fade = np.linspace(255, 0, image.width).round().astype(np.uint8)
        image.putalpha(Image.fromarray(np.tile(fade, (image.height, 1))))
        return image
    if mode == "P":
        return image.quantize(128)
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    return image.convert(mode)


def make_animation(
    path: Path,
    scene_numbers: Sequence[int] = (0, 1, 2, 3),
    delays_ms: Sequence[int] = (100, 500, 40, 1000),
    *,
    size: Size = SIZE,
    **saving: Any,
) -> Path:
    """An animated .gif, .webp, .png (APNG) or .avif: one frame a scene, each shown for its own time."""
    images = [Image.fromarray(picture(scene, 0, size)) for scene in scene_numbers]
    if path.suffix in {".png", ".apng"}:
        saving = {"format": "PNG", "default_image": False} | saving
    images[0].save(path, save_all=True, append_images=images[1:], duration=list(delays_ms), loop=0, **saving)
    return path
