"""Putting a picture into another frame: borders, picture-in-picture both ways, stacking."""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
from numpy.random import Generator

from vcd.types import Picture

Draw = Callable[[int, int], Picture]
"""The picture at a height and width."""
Pick = Callable[[], Picture]

SEEN = 0.06
"""Least share of the frame's area in which the picture is shown, times what a crop has left of it."""


def lay_out(draw: Draw, pick: Pick, area: float, side_px: int, rng: Generator) -> Picture:
    """uint8 (side, side, 3): the picture in one of the layouts; `area` is what a crop has already left of it."""
    chance = rng.random()
    if chance < 0.28:
        return bordered(draw, pick, side_px, rng)
    if chance < 0.7:
        return inset(draw, fitted(pick(), side_px, side_px), max(0.2, min(0.7, np.sqrt(SEEN / area))), 0.85, rng)
    if chance < 0.85:
        return covered(draw, pick, side_px, rng)
    return stacked(draw, pick, side_px, rng)


def fitted(picture: Picture, height: int, width: int) -> Picture:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def ground(pick: Pick, side_px: int, rng: Generator) -> Picture:
    """What lies behind: black, a colour, or a blurred picture as in vertical templates."""
    chance = rng.random()
    if chance < 0.5:
        return np.zeros((side_px, side_px, 3), dtype=np.uint8)
    if chance < 0.75:
        return np.full((side_px, side_px, 3), rng.integers(0, 256, 3), dtype=np.uint8)
    return np.ascontiguousarray(cv2.blur(fitted(pick(), side_px, side_px), (15, 15)), dtype=np.uint8)


def bordered(draw: Draw, pick: Pick, side_px: int, rng: Generator) -> Picture:
    """Letterbox, pillarbox, or a frame around; up to 45 % of the picture's side is border."""
    frame = ground(pick, side_px, rng)
    kind = int(rng.integers(3))
    high, wide = side_px, side_px
    if kind != 1:
        high = round(side_px * rng.uniform(0.5, 0.95))
    if kind != 0:
        wide = round(side_px * rng.uniform(0.5, 0.95))
    top = (side_px - high) // 2 if rng.random() < 0.7 else int(rng.integers(0, side_px - high + 1))
    left = (side_px - wide) // 2 if rng.random() < 0.7 else int(rng.integers(0, side_px - wide + 1))
    frame[top : top + high, left : left + wide] = draw(high, wide)
    return frame


def inset(draw: Draw, behind: Picture, least: float, most: float, rng: Generator) -> Picture:
    """The picture small in another one, at `least` to `most` of its side, perhaps a little transparent."""
    side_px = behind.shape[0]
    scale = rng.uniform(least, most)
    high = max(12, round(side_px * min(1.0, scale * np.exp(rng.uniform(-0.25, 0.25)))))
    wide = max(12, round(side_px * min(1.0, scale * np.exp(rng.uniform(-0.25, 0.25)))))
    top, left = int(rng.integers(0, side_px - high + 1)), int(rng.integers(0, side_px - wide + 1))
    opacity = 1.0 if rng.random() < 0.8 else rng.uniform(0.6, 1)
    frame = behind.copy()
    place = frame[top : top + high, left : left + wide]
    place[:] = cv2.addWeighted(draw(high, wide), opacity, place, 1 - opacity, 0)
    return frame


def covered(draw: Draw, pick: Pick, side_px: int, rng: Generator) -> Picture:
    """Another picture small in this one."""
    other = pick()
    return inset(lambda high, wide: fitted(other, high, wide), draw(side_px, side_px), 0.2, 0.55, rng)


def stacked(draw: Draw, pick: Pick, side_px: int, rng: Generator) -> Picture:
    """Beside or above one to three other pictures."""
    count = int(rng.integers(2, 5))
    if count == 4:
        half = side_px // 2
        cells = [(r, c, half, half) for r in (0, side_px - half) for c in (0, side_px - half)]
    else:
        cuts = np.linspace(0, side_px, count + 1).round().astype(int)
        upright = rng.random() < 0.5
        pieces = [(int(a), int(b - a)) for a, b in pairwise(cuts)]
        cells = [(a, 0, n, side_px) if upright else (0, a, side_px, n) for a, n in pieces]
    frame = np.zeros((side_px, side_px, 3), dtype=np.uint8)
    own = int(rng.integers(len(cells)))
    for number, (top, left, high, wide) in enumerate(cells):
        drawn = draw(high, wide) if number == own else fitted(pick(), high, wide)
        frame[top : top + high, left : left + wide] = drawn
    return frame
