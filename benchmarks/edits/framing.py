"""Edits of what part of the picture is seen, how it is turned, and what stands around it."""

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from typing import Any

from benchmarks.edits.film import Context, Edit, Film, Size, even

COLOURS = ("black", "white", "0x203a5c", "0x7a1f2b", "0x2f4f2f", "0xd8c9a3")


def _crop(film: Film, area: float, across: float, down: float) -> Film:
    """So much of the area, `across` and `down` of the way to the far side."""
    kept = film.size.scaled(sqrt(area))
    x_px = int((film.size.width_px - kept.width_px) * across)
    y_px = int((film.size.height_px - kept.height_px) * down)
    return film.cropped(kept, x_px, y_px)


def crop(film: Film, context: Context) -> Film:
    return _crop(film, context.level(0.8, 0.55, 0.3), 0.5, 0.5).sized(film.size)


def crop_off_centre(film: Film, context: Context) -> Film:
    """Cropped near a corner."""
    across, down = (context.either(context.within(0, 0.15), context.within(0.85, 1)) for _ in range(2))
    return _crop(film, context.level(0.8, 0.55, 0.3), across, down).sized(film.size)


def aspect(film: Film, context: Context) -> Film:
    """Squeezed in one direction."""
    share = context.level(0.85, 0.7, 0.5)
    return film.sized(film.size.scaled(*context.either((share, 1.0), (1.0, share))))


def pillarbox(film: Film, context: Context) -> Film:
    """Bars left and right, the picture as high as before."""
    width = even(film.size.width_px / (1 - context.level(0.15, 0.3, 0.5)))
    size = Size(width, film.size.height_px)
    return film.padded(size, (width - film.size.width_px) // 2, 0)


def letterbox(film: Film, context: Context) -> Film:
    """Bars above and below in a picture that grows higher."""
    height = even(film.size.height_px / (1 - context.level(0.15, 0.3, 0.5)))
    return film.padded(Size(film.size.width_px, height), 0, (height - film.size.height_px) // 2)


def vertical(film: Film, context: Context) -> Film:
    """An upright picture whose ground is the film itself, enlarged and blurred.

    Mild: its sides are cut off, so that it is a square; hard: smaller than the ground is wide, and not in the middle.
    """
    size = Size(even(film.size.height_px * 9 / 16), film.size.height_px)
    first, second = film.copies(2)
    ground = filled(first, Size(even(size.width_px / 6), even(size.height_px / 6)))
    ground = ground.filter("gblur", sigma=3).filter("scale", size.width_px, size.height_px).filter("setsar", 1)
    whole = fitted(film.size, size)
    inner = context.level(Size(size.width_px, size.width_px), whole, whole.scaled(0.8))
    y_px = int((size.height_px - inner.height_px) * context.level(0.5, 0.5, context.within(0.25, 0.75)))
    video = ground.overlay(filled(second, inner), x=(size.width_px - inner.width_px) // 2, y=y_px)
    return replace(film, video=video, size=size)


def fitted(size: Size, room: Size) -> Size:
    """The whole picture, as large as the room allows."""
    scale = min(room.width_px / size.width_px, room.height_px / size.height_px)
    return size.scaled(scale)


def filled(video: Any, size: Size) -> Any:
    """Cropped to fill a picture of that size."""
    scaled = video.filter("scale", size.width_px, size.height_px, force_original_aspect_ratio="increase")
    return scaled.filter("crop", size.width_px, size.height_px).filter("setsar", 1)


def border(film: Film, context: Context) -> Film:
    """A frame of one colour with a thin line of another around the picture."""
    share = context.level(0.04, 0.1, 0.18)
    inner = film.size.scaled(1 - 2 * share)
    outer, line = context.random.permutation(COLOURS)[:2]
    small = inner.scaled(0.97)
    x_px, y_px = (inner.width_px - small.width_px) // 2, (inner.height_px - small.height_px) // 2
    lined = film.sized(small).padded(inner, x_px, y_px, str(line))
    x_px, y_px = (film.size.width_px - inner.width_px) // 2, (film.size.height_px - inner.height_px) // 2
    return lined.padded(film.size, x_px, y_px, str(outer))


def mirror(film: Film, context: Context) -> Film:
    """Left and right change places; at medium and hard also cropped."""
    area = context.level(1.0, 0.85, 0.6)
    turned = film.filtered("hflip")
    return turned if area == 1 else _crop(turned, area, 0.5, 0.5).sized(film.size)


def rotate(film: Film, context: Context) -> Film:
    """Turned by a few degrees, the corners black."""
    degrees = context.level(2.0, 6.0, 14.0)
    return film.filtered("rotate", f"{context.either(degrees, -degrees)}*PI/180", fillcolor="black")


def rotate_90(film: Film, context: Context) -> Film:
    """A quarter turn; a quarter turn the other way; upside down and mirrored."""
    if context.strength == "hard":
        return film.filtered("vflip")
    turned = Size(film.size.height_px, film.size.width_px)
    return replace(film.filtered("transpose", context.level("clock", "cclock", "")), size=turned)


def perspective(film: Film, context: Context) -> Film:
    """Seen from the side: the corners move by up to so much of the sides."""
    most = context.level(0.05, 0.11, 0.2)
    corners = {}
    for number, (across, down) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
        x, y = context.within(most / 2, most), context.within(most / 2, most)
        corners[f"x{number}"] = f"W*{abs(across - x * context.either(1, 0)):.4f}"
        corners[f"y{number}"] = f"H*{abs(down - y * context.either(1, 0)):.4f}"
    return film.filtered("perspective", **corners, sense="destination")


FRAMING: Mapping[str, Edit] = {
    "crop": Edit(crop, "frame"),
    "crop-off-centre": Edit(crop_off_centre, "frame"),
    "aspect": Edit(aspect, "frame"),
    "letterbox": Edit(letterbox, "layout"),
    "pillarbox": Edit(pillarbox, "layout"),
    "vertical": Edit(vertical, "layout"),
    "border": Edit(border, "layout"),
    "mirror": Edit(mirror, "frame"),
    "rotate": Edit(rotate, "frame"),
    "rotate-90": Edit(rotate_90, "frame"),
    "perspective": Edit(perspective, "frame"),
}
