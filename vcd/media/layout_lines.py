"""Straight steps that stay where they are: between pictures side by side, and around a picture in another."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vcd.media.layout_maps import Map, Maps

A = TypeVar("A", bound=np.generic)

SPLIT = 0.6
"""Least mean sureness of a step that runs all the way across ..."""
SPLIT_PART = 0.3
"""... and in each fifth of it."""
TWIN = 0.3
"""The same for a step whose mirror image is one."""
INSET = 0.52
"""Least mean sureness of the sides of a picture in a picture ..."""
INSET_SIDE = 0.42
"""... and of each one."""
CHANCE = 0.3
"""What a pixel of a side must exceed to lengthen it."""
CANDIDATES = 14
"""Lines in each direction that are tried as sides."""
LEAST_INSET, MOST_INSET = 0.15, 0.92
"""Sides of a picture in a picture, as shares of what it lies in."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is taken for a picture in a picture."""

    least: float = LEAST_INSET
    """Its shortest side, as a share of that of what it lies in."""
    few: int = 2
    """Where it lies at the edge and has no more sides than this ..."""
    few_side: float = 0.56
    """... each must be as sure as this: two lines meet by chance more often than four."""


FILM = Limits()


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """Pixels [left, right) x [top, bottom) of the maps."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def area(self) -> int:
        return self.width * self.height

    def of(self, values: NDArray[A]) -> NDArray[A]:
        """The part of a map that lies in the box."""
        return values[self.top : self.bottom, self.left : self.right]

    def cut(self, quarter: int, depth_px: int) -> "Box":
        """Less so many pixels from the top, right, bottom or left side."""
        left, top, right, bottom = self.left, self.top, self.right, self.bottom
        if quarter == 0:
            top += depth_px
        elif quarter == 1:
            right -= depth_px
        elif quarter == 2:
            bottom -= depth_px
        else:
            left += depth_px
        return Box(left, top, right, bottom)

    def pieces(self, upright: bool, lines: Sequence[int]) -> list["Box"]:
        """What lies before, between and behind upright or level lines."""
        ends = [self.left, *lines, self.right] if upright else [self.top, *lines, self.bottom]
        if upright:
            return [Box(a, self.top, b, self.bottom) for a, b in pairwise(ends)]
        return [Box(self.left, a, self.right, b) for a, b in pairwise(ends)]


def find_split(maps: Maps, box: Box) -> tuple[bool, list[int]] | None:
    """Whether the surest step all the way across the box is upright, and the first pixel behind it.

    Where its mirror image is one too, even if less sure, both: grounds lie on two sides of a picture, and look more
    like it than another picture does. None when there is no step.
    """
    best: tuple[float, bool, list[int]] | None = None
    for upright in (True, False):
        part = box.of(maps.across) if upright else box.of(maps.down).T
        cover = _spread_one(part, axis=1)
        side = cover.shape[1]
        mean, least = cover.mean(axis=0), np.min([each.mean(axis=0) for each in np.array_split(cover, 5)], axis=0)
        margin = max(4, round(0.03 * side))
        good = (mean >= SPLIT) & (least >= SPLIT_PART)
        good[:margin] = good[side - margin :] = False
        if good.any():
            peak = part.mean(axis=0) + mean
            at = int(np.argmax(np.where(good, peak, -1)))
            if best is None or mean[at] > best[0]:
                near = np.arange(max(0, side - at - 2), min(side, side - at + 3))
                twin = int(near[np.argmax(peak[near])])
                lines = [at, twin] if mean[twin] >= TWIN and abs(at - twin) > margin else [at]
                best = float(mean[at]), upright, [line + (box.left if upright else box.top) for line in sorted(lines)]
    return best and best[1:]


def _spread_one(part: Map, axis: int) -> Map:
    """Each step also counts one pixel beside it: lines are not exact to the pixel."""
    moved = [np.roll(part, by, axis) for by in (-1, 1)]
    return np.maximum(part, np.maximum(*moved))


def find_inset(maps: Maps, box: Box, limits: Limits = FILM) -> Box | None:
    """The rectangle inside the box whose sides are steps, the surest and longest; None for none.

    Up to two of its sides, meeting in a corner, may be those of the box.
    """
    across, down = _spread_one(box.of(maps.across), 1), _spread_one(box.of(maps.down), 0)
    x_pairs = _pairs(_candidates(across, round(0.8 * limits.least * box.height)), box.width, limits.least)
    y_pairs = _pairs(_candidates(down.T, round(0.8 * limits.least * box.width)), box.height, limits.least)
    if not len(x_pairs) or not len(y_pairs):
        return None
    worth = _worth(_sides(across, down, x_pairs, y_pairs), limits)
    if not np.isfinite(worth.max()):
        return None
    row, column = np.unravel_index(int(np.argmax(worth)), worth.shape)
    (left, right), (top, bottom) = x_pairs[row].tolist(), y_pairs[column].tolist()
    return Box(box.left + left, box.top + top, box.left + right, box.top + bottom)


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Left, right, top and bottom sides of X x Y rectangles."""

    sums: NDArray[np.float64]
    """float64 (4, X, Y), sureness of the steps along each."""
    lengths_px: NDArray[np.int64]
    """int64 (4, X, Y)."""
    given: NDArray[np.bool_]
    """bool (4, X, Y), whether it is a side of the box, where no step can be seen."""


def _sides(across: Map, down: Map, x_pairs: NDArray[np.int64], y_pairs: NDArray[np.int64]) -> _Sides:
    height, width = across.shape
    (x0, x1), (y0, y1) = (x_pairs.T[:, :, None], y_pairs.T[:, None, :])
    upright, level = _sums(across, 0), _sums(down, 1)
    sums = [upright[y1, x] - upright[y0, x] for x in (x0, x1)] + [level[y, x1] - level[y, x0] for y in (y0, y1)]
    lengths_px = [y1 - y0, y1 - y0, x1 - x0, x1 - x0]
    given = [x0 == 0, x1 == width, y0 == 0, y1 == height]
    shape = (len(x_pairs), len(y_pairs))
    return _Sides(*(np.stack([np.broadcast_to(each, shape) for each in all4]) for all4 in (sums, lengths_px, given)))


def _worth(sides: _Sides, limits: Limits) -> NDArray[np.float64]:
    """float64 (X, Y), how far the sides exceed chance, in pixels; -inf for what is no inset."""
    seen = ~sides.given
    cover = np.where(seen, sides.sums / sides.lengths_px, 1.0)
    total, length = (np.where(seen, each, 0).sum(axis=0) for each in (sides.sums, sides.lengths_px))
    left, right, top, bottom = sides.given
    strip = (left & right) | (top & bottom)
    least = np.where(seen.sum(axis=0) > limits.few, INSET_SIDE, limits.few_side)
    good = (seen.sum(axis=0) >= 2) & ~strip & (cover.min(axis=0) >= least) & (total >= INSET * length)
    return np.where(good, total - CHANCE * length, -np.inf)


def _sums(cover: Map, axis: int) -> NDArray[np.float64]:
    """float64 (H + 1, W + 1), sums of the pixels before each; the last line each way is for the box's far sides."""
    padded = np.pad(cover.astype(np.float64), ((0, 1), (0, 1)))
    return np.cumsum(padded, axis) - padded


def _candidates(cover: Map, window: int) -> NDArray[np.int64]:
    """Columns with the surest run of that many pixels, at most CANDIDATES, no two side by side."""
    sums = np.cumsum(np.pad(cover, ((1, 0), (0, 0))), axis=0)
    runs = (sums[window:] - sums[:-window]).max(axis=0) / window if len(sums) > window else np.zeros(cover.shape[1])
    chosen: list[int] = []
    for at in np.argsort(-runs, kind="stable"):
        if runs[at] < INSET_SIDE or len(chosen) == CANDIDATES:
            break
        if all(abs(at - other) > 2 for other in chosen):
            chosen.append(int(at))
    return np.array(chosen, dtype=np.int64)


def _pairs(lines: NDArray[np.int64], side: int, least: float) -> NDArray[np.int64]:
    """int64 (n, 2), two of the lines or of the box's own sides, as far apart as an inset is wide."""
    margin = max(2, round(0.02 * side))
    inner = lines[(lines >= margin) & (lines < side - margin)]
    ends = np.unique(np.concatenate([[0], inner, [side]]))
    first, second = np.triu_indices(len(ends), 1)
    pairs = np.stack([ends[first], ends[second]], axis=1)
    apart = np.diff(pairs, axis=1)[:, 0]
    return pairs[(apart >= least * side) & (apart <= MOST_INSET * side)]
