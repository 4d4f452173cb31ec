"""Matches of one pair -> the line r = speed * q + offset that most query frames agree on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COMMON_SPEEDS = (1.0, 1.2, 1 / 1.2, 1.25, 0.8, 1.5, 1 / 1.5, 2.0, 0.5, 24 / 25, 25 / 24, 1.1, 0.9)
"""Speeds that programs and pirates use, most usual first."""
GRID_RATIO = 1.04
BIN_S = 1.0
NEAR_S = (2.5, 2.0, 1.5)
"""Distance from the line within which matches take part in the fit, pass by pass."""
SNAP_WITHIN = 0.04
MIN_FREE_LENGTH_S = 8.0
"""A shorter stretch of matches says too little about the speed: it takes the nearest common one."""


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Matches of one pair (M of them)."""

    rows: NDArray[np.int64]
    """Query rows."""
    q_s: NDArray[np.float64]
    r_s: NDArray[np.float64]
    weights: NDArray[np.float64]
    """Positive."""

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, kept: NDArray[np.bool_]) -> "Hits":
        return Hits(self.rows[kept], self.q_s[kept], self.r_s[kept], self.weights[kept])


@dataclass(frozen=True, slots=True)
class Line:
    """r = speed * q + offset_s; a negative speed runs backwards."""

    speed: float
    offset_s: float

    def at(self, q_s: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.speed * q_s + self.offset_s


def speed_grid(low: float, high: float) -> NDArray[np.float64]:
    """A geometric grid, and the common speeds, between the limits."""
    steps = np.arange(np.floor(np.log(low) / np.log(GRID_RATIO)), np.ceil(np.log(high) / np.log(GRID_RATIO)) + 1)
    speeds = np.concatenate([GRID_RATIO**steps, COMMON_SPEEDS])
    return np.unique(speeds[(speeds >= low - 1e-9) & (speeds <= high + 1e-9)])


def best_line(hits: Hits, speeds: NDArray[np.float64]) -> Line | None:
    """The line with most votes: each hit votes for an offset at each speed, one vote a query frame and bin.

    Unusual speeds need a little more than usual ones, since a static scene fits any speed. None when there are no
    hits.
    """
    best: tuple[float, Line] | None = None
    for speed in speeds:
        offsets_s = hits.r_s - speed * hits.q_s
        low = float(offsets_s.min())
        bins = np.floor((offsets_s - low) / BIN_S).astype(np.int64)
        count = int(bins.max()) + 1
        cells = hits.rows * count + bins
        order = np.lexsort((-hits.weights, cells))
        first = order[np.unique(cells[order], return_index=True)[1]]
        votes = np.bincount(bins[first], hits.weights[first], minlength=count)
        padded = np.pad(votes, 1)
        smooth = votes + 0.5 * (padded[:-2] + padded[2:])
        peak = int(np.argmax(smooth))
        worth = float(smooth[peak]) * _usualness(float(speed))
        if best is None or worth > best[0]:
            best = worth, Line(float(speed), low + (peak + 0.5) * BIN_S)
    return best[1] if best else None


def _usualness(speed: float) -> float:
    """1 for speed 1, a little less for other common speeds, less again for the rest."""
    if speed == 1:
        return 1.0
    return 0.95 if any(abs(speed - common) < 1e-9 for common in COMMON_SPEEDS) else 0.92


def fit_line(hits: Hits, start: Line, speeds: NDArray[np.float64]) -> Line:
    """A robust fit to the hits near `start`, its slope snapped to a common speed when the fit allows.

    Iteratively reweighted least squares with Cauchy weights on the best hit of each query frame.
    """
    line = start
    near = hits
    for distance_s in NEAR_S:
        near = _nearest_of_each_row(hits, line, distance_s)
        if len(near) < 3 or float(np.ptp(near.q_s)) < MIN_FREE_LENGTH_S:
            snapped = min(_allowed(speeds), key=lambda speed: abs(np.log(speed / line.speed)))
            return _with_speed(near, snapped, line) if len(near) else line
        line = _least_squares(near, line, (float(speeds[0]), float(speeds[-1])))
    free_error = _error(near, line)
    for speed in _allowed(speeds):
        if abs(np.log(speed / line.speed)) <= SNAP_WITHIN:
            snapped_line = _with_speed(near, speed, line)
            if _error(near, snapped_line) <= 1.1 * free_error + 0.04:
                return snapped_line
    return line


def _allowed(speeds: NDArray[np.float64]) -> list[float]:
    """Common speeds within the limits of the grid, most usual first."""
    return [speed for speed in COMMON_SPEEDS if speeds[0] - 1e-9 <= speed <= speeds[-1] + 1e-9] or [float(speeds[0])]


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
        slope = float(np.clip(slope, max(limits[0], line.speed * 0.97), min(limits[1], line.speed * 1.03)))
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
