"""The edits that make a query of a picture: named, deterministic, on RGB arrays.

Each takes the picture, another picture that is no reference (for those that need one), and a random generator. What
a generator gives depends on seed, edit and picture id alone, so any edit can be made alone and comes out the same.
"""

import hashlib
import io
from collections.abc import Callable, Mapping

import cv2
import numpy as np
from PIL import Image

from benchmarks.images.drawing import Rng, border, draw_logo, draw_text, place
from vcd.types import Picture

Edit = Callable[[Picture, Picture, Rng], Picture]


def edited(picture: Picture, other: Picture, name: str, seed: int, picture_id: str) -> Picture:
    """One query: the edit `name` of `picture`; raises `KeyError` for an edit that there is not."""
    digest = hashlib.sha256(f"{seed}/{name}/{picture_id}".encode()).digest()
    made = EDITS[name](picture, other, np.random.default_rng(list(digest)))
    return np.ascontiguousarray(made, dtype=np.uint8)


def jpeg(picture: Picture, quality: int) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def crop(picture: Picture, share: float, rng: Rng | None = None, aspect: float = 1.0) -> Picture:
    """The `share` of both sides, from the centre or, with `rng`, from anywhere; `aspect` widens, the area stays."""
    height, width = picture.shape[:2]
    rows = max(1, min(height, round(share / aspect**0.5 * height)))
    columns = max(1, min(width, round(share * aspect**0.5 * width)))
    top, left = (height - rows) // 2, (width - columns) // 2
    if rng is not None:
        top, left = int(rng.integers(0, height - rows + 1)), int(rng.integers(0, width - columns + 1))
    return picture[top : top + rows, left : left + columns]


def colours(picture: Picture, rng: Rng) -> Picture:
    """Contrast, brightness and saturation, each up or down."""
    contrast, saturation = (np.float32(value) for value in rng.uniform(0.7, 1.3, 2))
    brightness = np.float32(rng.uniform(-30, 30))
    values = picture.astype(np.float32)
    grey = values.mean(axis=2, keepdims=True)
    values = (grey + (values - grey) * saturation - 128) * contrast + 128 + brightness
    return np.clip(values, 0, 255).astype(np.uint8)


def _jpeg_blur(picture: Picture, other: Picture, rng: Rng) -> Picture:  # noqa: ARG001
    blurred = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(1.0, 2.0)))
    return jpeg(np.asarray(blurred, dtype=np.uint8), int(rng.integers(20, 41)))


def _centre(share: float) -> Edit:
    def cut(picture: Picture, other: Picture, rng: Rng) -> Picture:  # noqa: ARG001
        return crop(picture, share)

    return cut


def _crop_area(picture: Picture, other: Picture, rng: Rng) -> Picture:  # noqa: ARG001
    """30 % of the area from anywhere, up to a fifth wider or narrower."""
    return crop(picture, 0.3**0.5, rng, aspect=float(np.exp(rng.uniform(-0.2, 0.2))))


def _letterbox(picture: Picture, other: Picture, rng: Rng) -> Picture:  # noqa: ARG001
    """Black bars above and below, or left and right, of 8 to 16 % of the picture each."""
    width = float(rng.uniform(0.08, 0.16))
    return border(picture, rng, width, 0, True) if rng.random() < 0.75 else border(picture, rng, 0, width, True)


def _logo_text(picture: Picture, other: Picture, rng: Rng) -> Picture:  # noqa: ARG001
    marked = draw_logo(picture, rng, float(rng.uniform(0.12, 0.18)))
    return draw_text(marked, rng, float(rng.uniform(0.06, 0.09)), float(rng.uniform(0.78, 0.86)))


def _picture_in_picture(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """The picture at 40 to 65 % of the sides, inside another one."""
    return place(other, picture, float(rng.uniform(0.4, 0.65)), rng)


def _behind(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """Another picture at 35 to 55 % of the sides, inside the picture."""
    return place(picture, other, float(rng.uniform(0.35, 0.55)), rng)


def _mirror(picture: Picture, other: Picture, rng: Rng) -> Picture:  # noqa: ARG001
    return picture[:, ::-1]


def _rotation(picture: Picture, other: Picture, rng: Rng) -> Picture:  # noqa: ARG001
    """5 degrees either way; the size stays and the corners that open up are black."""
    return rotate(picture, 5 if rng.random() < 0.5 else -5)


def rotate(picture: Picture, degrees: float) -> Picture:
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(picture, turn, (width, height), flags=cv2.INTER_LINEAR), dtype=np.uint8)


def _grey_contrast(picture: Picture, other: Picture, rng: Rng) -> Picture:  # noqa: ARG001
    """Grey, contrast halved or up to half as much again, darker or brighter by up to 40."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.float32)
    changed = (grey - 128) * float(rng.uniform(0.5, 1.5)) + 128 + float(rng.uniform(-40, 40))
    return np.repeat(np.clip(changed, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _compound(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """An off-centre crop, then a border or another picture around it, colours, text, JPEG."""
    made = crop(picture, float(rng.uniform(0.7, 0.9)), rng, aspect=float(np.exp(rng.uniform(-0.1, 0.1))))
    if rng.random() < 0.5:
        made = border(made, rng, float(rng.uniform(0, 0.15)), float(rng.uniform(0.05, 0.15)))
    else:
        made = place(other, made, float(rng.uniform(0.65, 0.85)), rng)
    made = draw_text(colours(made, rng), rng, float(rng.uniform(0.06, 0.1)), float(rng.uniform(0.1, 0.85)))
    return jpeg(made, int(rng.integers(30, 61)))


EDITS: Mapping[str, Edit] = {
    "jpeg+blur": _jpeg_blur,
    "crop 90%": _centre(0.9),
    "crop 70%": _centre(0.7),
    "crop 50%": _centre(0.5),
    "crop 30% area": _crop_area,
    "letterbox": _letterbox,
    "logo+text": _logo_text,
    "picture-in-picture": _picture_in_picture,
    "behind": _behind,
    "mirror": _mirror,
    "rotation 5": _rotation,
    "grey+contrast": _grey_contrast,
    "compound": _compound,
}
