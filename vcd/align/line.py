"""Matches of one pair -> the line r = speed * q + offset that most query frames agree on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vcd.types import Span

COMMON_SPEEDS = (1.0, 1.2, 1 / 1.2, 1.25, 0.8, 1.5, 1 / 1.5, 2.0, 0.5, 24 / 25, 25 / 24, 1.1, 0.9)
"""Speeds that programs and pirates use, most usual first."""
GRID_RATIO = 1.04
BIN_S = 1.0
ROUNDING = 1e-6
"""Share of a bin by which a hit may miss it: times are often whole steps, and sums of them are not exact."""
NEAR_S = (2.5, 2.0, 1.5)
"""Distance from the line within which matches take part in the fit, pass by pass."""
SNAP_WITHIN = 0.04
CELLS_AT_ONCE = 1_000_000
"""Hits times speeds that are counted together: bounds the memory."""
MIN_FREE_LENGTH_S = 8.0
"""A shorter stretch of matches says too little about the speed: it takes the nearest common one."""


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Matches of one pair (M of them), by query row and reference time."""

    rows: NDArray[np.int64]
    """Query rows."""
    q_s: NDArray[np.float64]
    r_s: NDArray[np.float64]
    weights: NDArray[np.float64]
    """Positive."""

    def __post_init__(self) -> None:
        steps, rising = np.diff(self.rows), np.diff(self.r_s) >= 0
        if not ((steps > 0) | ((steps == 0) & rising)).all():
            raise ValueError("hits are sorted by query row and reference time")

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, kept: NDArray[np.bool_]) -> "Hits":
        return Hits(self.rows[kept], self.q_s[kept], self.r_s[kept], self.weights[kept])


@dataclass(frozen=True, slots=True)
class Line:
    """r = speed * q + offset_s; a negative speed runs backwards."""

    speed: float
    offset_s: float

    @classmethod
    def through(cls, query: Span, reference: Span, speed: float) -> "Line":
        """The line of that speed through the first moment of the query's span and what of the reference it shows."""
        return cls(speed, (reference.start_s if speed > 0 else reference.end_s) - speed * query.start_s)

    def at(self, q_s: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.speed * q_s + self.offset_s

    def inside(self, r_duration_s: float) -> tuple[float, float]:
        """The moments of the query between which the line lies inside a reference of that length."""
        ends_s = -self.offset_s / self.speed, (r_duration_s - self.offset_s) / self.speed
        return min(ends_s), max(ends_s)


def speed_grid(low: float, high: float, backwards: bool = False) -> NDArray[np.float64]:
    """A geometric grid, and the common speeds, between the limits; with `backwards` also their negatives.

    Most usual first: of equal votes the first wins.
    """
    steps = np.arange(np.floor(np.log(low) / np.log(GRID_RATIO)), np.ceil(np.log(high) / np.log(GRID_RATIO)) + 1)
    speeds = np.concatenate([COMMON_SPEEDS, GRID_RATIO**steps])
    _, first = np.unique(speeds, return_index=True)
    speeds = speeds[np.sort(first)]
    speeds = speeds[(speeds >= low - 1e-9) & (speeds <= high + 1e-9)]
    return np.concatenate([speeds, -speeds]) if backwards else speeds


def best_line(hits: Hits, speeds: NDArray[np.float64]) -> Line | None:
    """The line with most votes: each hit votes for an offset at each speed, one vote a frame of either side and bin.

    Were it one a query frame alone, a slow line would gather the many frames of a static query scene at the one
    reference frame that shows it. Unusual speeds need a little more than usual ones, since a static scene fits any
    speed. None when there are no hits.
    """
    if not len(hits):
        return None
    best: tuple[float, Line] | None = None
    frames = _Frames.of(hits)
    at_once = max(1, CELLS_AT_ONCE // len(hits))
    for first in range(0, len(speeds), at_once):
        some = speeds[first : first + at_once]
        lows_s, votes = _count(hits, frames, some)
        peaks = votes.argmax(axis=1)
        worth = votes[np.arange(len(some)), peaks] * [_usualness(speed) for speed in some.tolist()]
        top = int(np.argmax(worth))
        if best is None or worth[top] > best[0]:
            best = float(worth[top]), Line(float(some[top]), float(lows_s[top] + (peaks[top] + 0.5) * BIN_S))
    return _centred(hits, best[1]) if best else None


def _centred(hits: Hits, line: Line) -> Line:
    """The line moved to the mean of the hits beside it, so that it does not matter where the bins begin."""
    offsets_s = hits.r_s - line.speed * hits.q_s
    near = np.abs(offsets_s - line.offset_s) <= 1.5 * BIN_S
    return Line(line.speed, float(np.average(offsets_s[near], weights=hits.weights[near])))


@dataclass(frozen=True, slots=True, eq=False)
class _Frames:
    """The order of hits by the reference's frames, and which of them begin another frame in it."""

    order: NDArray[np.int64]
    begins: NDArray[np.bool_]

    @classmethod
    def of(cls, hits: Hits) -> "_Frames":
        order = np.lexsort((hits.q_s, hits.r_s))
        return cls(order, np.diff(hits.r_s[order], prepend=-np.inf) > 0)


def _count(hits: Hits, frames: _Frames, speeds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """float64 (S,), where each speed's first bin begins, and float64 (S, bins), votes with half of the neighbours'."""
    offsets_s = hits.r_s - speeds[:, None] * hits.q_s
    lows_s = offsets_s.min(axis=1)
    bins = ((offsets_s - lows_s[:, None]) / BIN_S + ROUNDING).astype(np.int64)
    width = int(bins.max()) + 1
    by_query = _one_a_frame(bins, np.diff(hits.rows, prepend=-1) > 0, hits.weights, width)
    by_reference = _one_a_frame(bins[:, frames.order], frames.begins, hits.weights[frames.order], width)
    votes = np.minimum(by_query, by_reference)
    smooth = votes.copy()
    smooth[:, 1:] += 0.5 * votes[:, :-1]
    smooth[:, :-1] += 0.5 * votes[:, 1:]
    return lows_s, smooth


def _one_a_frame(
    bins: NDArray[np.int64], begins: NDArray[np.bool_], weights: NDArray[np.float64], width: int
) -> NDArray[np.float64]:
    """float64 (S, width): of the hits of one frame in one bin the greatest weight, summed over frames.

    `bins` is (S, M), by frames and times within them, so that those of one frame in one bin are neighbours at any
    speed, and nothing is sorted; `begins` (M,) says where another frame begins.
    """
    new = np.ones(bins.shape, dtype=bool)
    new[:, 1:] = (bins[:, 1:] != bins[:, :-1]) | begins[1:]
    runs = np.flatnonzero(new)
    greatest = np.maximum.reduceat(np.broadcast_to(weights, bins.shape).ravel(), runs)
    cells = (bins + width * np.arange(len(bins))[:, None]).ravel()[runs]
    counted = np.bincount(cells, greatest, minlength=width * len(bins))
    return np.asarray(counted, dtype=np.float64).reshape(len(bins), width)


def _usualness(speed: float) -> float:
    """1 for speed 1, a little less for other common speeds, less again for the rest and for running backwards."""
    forwards = abs(speed)
    common = 1.0 if forwards == 1 else 0.9 if any(abs(forwards - one) < 1e-9 for one in COMMON_SPEEDS) else 0.85
    return common if speed > 0 else 0.9 * common


def fit_line(hits: Hits, start: Line, speeds: NDArray[np.float64]) -> Line:
    """A robust fit to the hits near `start`, its slope snapped to a common speed when the fit allows.

    Iteratively reweighted least squares with Cauchy weights on the best hit of each query frame.
    """
    line = start
    near = hits
    forwards = np.abs(speeds)
    limits = float(forwards.min()), float(forwards.max())
    for distance_s in NEAR_S:
        near = _nearest_of_each_row(hits, line, distance_s)
        if len(near) < 3 or float(np.ptp(near.q_s)) < MIN_FREE_LENGTH_S:
            snapped = min(_allowed(speeds, line), key=lambda speed: abs(np.log(speed / line.speed)))
            return _with_speed(near, snapped, line) if len(near) else line
        line = _least_squares(near, line, limits)
    free_error = _error(near, line)
    for speed in _allowed(speeds, line):
        if abs(np.log(speed / line.speed)) <= SNAP_WITHIN:
            snapped_line = _with_speed(near, speed, line)
            if _error(near, snapped_line) <= 1.1 * free_error + 0.04:
                return snapped_line
    return line


def _allowed(speeds: NDArray[np.float64], line: Line) -> list[float]:
    """Common speeds within the limits of the grid and in the direction of the line, most usual first."""
    low, high, sign = np.abs(speeds).min() - 1e-9, np.abs(speeds).max() + 1e-9, np.copysign(1.0, line.speed)
    return [float(sign) * speed for speed in COMMON_SPEEDS if low <= speed <= high] or [line.speed]


def _nearest_of_each_row(hits: Hits, line: Line, distance_s: float) -> Hits:
    """Of each query row the hit of most weight, less by its distance from the line."""
    distances_s = np.abs(hits.r_s - line.at(hits.q_s))
    near = hits.take(distances_s <= distance_s)
    worth = near.weights * (1 - 0.5 * distances_s[distances_s <= distance_s] / distance_s)
    order = np.lexsort((-worth, near.rows))
    _, first = np.unique(near.rows[order], return_index=True)
    kept = np.zeros(len(near), dtype=bool)
    kept[order[first]] = True
    return near.take(kept)


def _least_squares(hits: Hits, line: Line, limits: tuple[float, float]) -> Line:
    for _ in range(5):
        residuals_s = hits.r_s - line.at(hits.q_s)
        weights = hits.weights / (1 + (residuals_s / 0.5) ** 2)
        q_mean = np.average(hits.q_s, weights=weights)
        r_mean = np.average(hits.r_s, weights=weights)
        spread = float(np.sum(weights * (hits.q_s - q_mean) ** 2))
        slope = float(np.sum(weights * (hits.q_s - q_mean) * (hits.r_s - r_mean))) / spread
        sign, forwards = (1.0, line.speed) if line.speed > 0 else (-1.0, -line.speed)
        slope = sign * float(np.clip(sign * slope, max(limits[0], forwards * 0.97), min(limits[1], forwards * 1.03)))
        line = Line(slope, float(r_mean - slope * q_mean))
    return line


def _with_speed(hits: Hits, speed: float, line: Line) -> Line:
    """The line of that speed through the middle of the hits: their weighted median offset, then Cauchy means."""
    offsets_s = hits.r_s - speed * hits.q_s
    order = np.argsort(offsets_s)
    mass = np.cumsum(hits.weights[order])
    offset_s = float(offsets_s[order][np.searchsorted(mass, mass[-1] / 2)]) if len(hits) else line.offset_s
    for _ in range(5):
        weights = hits.weights / (1 + ((offsets_s - offset_s) / 0.3) ** 2)
        offset_s = float(np.average(offsets_s, weights=weights))
    return Line(speed, offset_s)


def _error(hits: Hits, line: Line) -> float:
    """Mean of the residuals, each capped at 1 s, in seconds."""
    return float(np.average(np.minimum(np.abs(hits.r_s - line.at(hits.q_s)), 1.0), weights=hits.weights))
