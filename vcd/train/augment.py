"""A picture -> two views of it: an easy one, as a library holds it, and a hard one, as a pirate makes it.

The list of edits and their order of value follow the winners of ISC21 and VSC2022 (SSCD: Pizzi et al., CVPR 2022).
What is seen of the picture is bounded from below over all edits together: a crop to a seventh of the area is not also
made a small inset.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.random import Generator

from vcd.train.degrade import degrade, recolour, soft_copy
from vcd.train.layout import lay_out
from vcd.train.overlay import overlay
from vcd.types import Picture

Pick = Callable[[], Picture]
"""Another picture, to lay over, under or beside this one."""

MIN_CROP = 0.15
"""Least share of the area that a hard view keeps."""
EASY_CROP = 0.75


def easy_view(picture: Picture, side_px: int, rng: Generator) -> Picture:
    """uint8 (side, side, 3): nearly the whole picture, perhaps recompressed or a little recoloured."""
    view = crop(picture, float(rng.uniform(EASY_CROP, 1)), 1.1, side_px, side_px, rng)
    if rng.random() < 0.3:
        view = recolour(view, 0.3, rng)
    if rng.random() < 0.4:
        view = soft_copy(view, rng)
    return view


def hard_view(picture: Picture, pick: Pick, side_px: int, groups: frozenset[str], rng: Generator) -> Picture:
    """uint8 (side, side, 3): edited by some of the `groups` (keys of `vcd.train.augment.GROUPS`)."""
    area = 1.0
    if "crop" in groups:
        area = float(np.exp(rng.uniform(np.log(MIN_CROP), 0))) if rng.random() < 0.7 else float(rng.uniform(0.6, 1))
    layout = "layout" in groups and rng.random() < 0.6
    tilt = "crop" in groups and rng.random() < 0.2

    def draw(height: int, width: int) -> Picture:
        made = tilted(picture, area, height, width, rng) if tilt else crop(picture, area, 1.6, height, width, rng)
        return mirror(made, rng) if "mirror" in groups else made

    view = lay_out(draw, pick, area, side_px, rng) if layout else draw(side_px, side_px)
    if "colour" in groups and rng.random() < 0.6:
        view = recolour(view, 1.0, rng)
    if "overlay" in groups:
        view = overlay(view, rng)
    if "degrade" in groups and rng.random() < 0.75:
        view = degrade(view, rng)
    return view


def crop(picture: Picture, area: float, stretch: float, height: int, width: int, rng: Generator) -> Picture:
    """A rectangle of `area` (share of the picture), its sides unequal by up to `stretch`, resized to height x width."""
    tall, wide = picture.shape[:2]
    ratio = np.exp(rng.uniform(-np.log(stretch), np.log(stretch)) / 2)
    down, across = min(1.0, np.sqrt(area) * ratio), min(1.0, np.sqrt(area) / ratio)
    rows, columns = max(8, round(tall * down)), max(8, round(wide * across))
    top, left = int(rng.integers(0, tall - rows + 1)), int(rng.integers(0, wide - columns + 1))
    return resize(picture[top : top + rows, left : left + columns], height, width)


def tilted(picture: Picture, area: float, height: int, width: int, rng: Generator) -> Picture:
    """The same as `crop`, turned by up to 12 degrees or seen from a little aside."""
    tall, wide = picture.shape[:2]
    scale = np.sqrt(max(area, 0.25))
    half = np.array([wide, tall]) * scale / 2
    room = np.array([wide, tall]) / 2 - half
    middle = np.array([wide, tall]) / 2 + rng.uniform(-1, 1, 2) * room
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    if rng.random() < 0.6:
        angle = np.deg2rad(rng.uniform(-12, 12))
        corners = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    else:
        corners = corners * (1 + rng.uniform(-0.15, 0.15, corners.shape))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    warp = cv2.getPerspectiveTransform((corners + middle).astype(np.float32), target)
    edge = cv2.BORDER_CONSTANT if rng.random() < 0.5 else cv2.BORDER_REFLECT
    return np.asarray(
        cv2.warpPerspective(picture, warp, (width, height), flags=cv2.INTER_LINEAR, borderMode=edge), dtype=np.uint8
    )


def mirror(picture: Picture, rng: Generator) -> Picture:
    """Mirrored in three of ten cases: seldom enough that a mirrored copy still looks a little less alike."""
    return np.ascontiguousarray(picture[:, ::-1]) if rng.random() < 0.3 else picture


def resize(picture: Picture, height: int, width: int) -> Picture:
    """Averages where it shrinks, interpolates where it grows."""
    way = cv2.INTER_AREA if picture.shape[0] * picture.shape[1] > height * width else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), dtype=np.uint8)


GROUPS: Mapping[str, str] = {
    "crop": "crops to 15 % of the area, changed aspect, small rotation, perspective",
    "mirror": "mirrored",
    "layout": "borders, picture-in-picture both ways, stacking",
    "overlay": "subtitles, text, logos, stickers",
    "colour": "brightness, contrast, gamma, saturation, hue, grey",
    "degrade": "blur, noise, lost resolution, JPEG",
}
