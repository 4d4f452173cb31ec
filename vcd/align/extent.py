"""Along a line: which run of query frames is the copy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vcd.align.line import Line
from vcd.types import Descriptors

REACH_S = 2.0
"""Furthest a reference frame may lie from the line to stand for the moment on it."""
GAIN_LIMITS = (-0.06, 0.35)
"""A single frame can neither break a run nor make one."""
MIN_GAIN = 0.3
"""Runs with less evidence are not worth a second look."""
MISS = 0.02
"""Taken off every gain, so that frames that say nothing do not lengthen a run."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Query rows [first, stop) that follow a line."""

    first: int
    stop: int
    gain: float
    """Sum of the evidence in it."""
    similarities: NDArray[np.float64]
    """float64 (stop - first,), similarity of each row to its moment in the reference; 0 where there is none."""


def along(query: Descriptors, reference: Descriptors, line: Line) -> NDArray[np.float64]:
    """float64 (N,), similarity of each query frame, less its bias, to the reference where the line puts it.

    The better of the reference frames before and after that moment. NaN inside the reference where neither is within
    reach, for a sparsely sampled reference says nothing of that moment; 0 outside of it.
    """
    at_s = line.at(query.times_s)
    after = np.searchsorted(reference.times_s, at_s)
    best = np.full(len(query), np.nan)
    for neighbour in (after - 2, after - 1, after, after + 1):
        rows = np.clip(neighbour, 0, len(reference) - 1)
        near = (np.abs(reference.times_s[rows] - at_s) <= REACH_S) & (rows == neighbour)
        similarities = np.einsum("nd,nd->n", query.vectors, reference.vectors[rows]) - query.bias
        best = np.where(near, np.fmax(best, similarities), best)
    outside = (at_s < 0) | (at_s > reference.info.duration_s)
    return np.where(np.isnan(best) & outside, 0.0, best)


def gains_of(similarities: NDArray[np.float64], quality: NDArray[np.float32], floor: float) -> NDArray[np.float64]:
    """What each similarity adds to the evidence for a copy, 0 for NaN; `quality` is that of the query's frames."""
    return np.nan_to_num((np.clip(similarities - floor, *GAIN_LIMITS) - MISS) * np.clip(quality, 0, 1))


def find_run(
    query: Descriptors,
    similarities: NDArray[np.float64],
    free: NDArray[np.bool_],
    floor: float,
    max_gap_s: float = np.inf,
) -> Run | None:
    """The run of rows with the greatest sum of gains (Kadane's maximum subarray); None when no gain is positive.

    Rows that are not `free` belong to another segment and break a run, and so does a longer stretch than `max_gap_s`
    in which nothing gains: what follows is another copy, though on the same line. Rows that nothing is known of do
    neither.
    """
    gains = np.where(free, gains_of(similarities, query.quality, floor), -np.inf)
    unknown = (free & np.isnan(similarities)).tolist()
    best, total, start, supported_s = (0.0, 0, 0), 0.0, 0, -np.inf
    before_s = 0.0
    for row, (gain, time_s) in enumerate(zip(gains.tolist(), query.times_s.tolist(), strict=True)):
        if unknown[row]:
            supported_s += time_s - before_s
        before_s = time_s
        if total <= 0 or time_s - supported_s > max_gap_s:
            total, start = 0.0, row
        total = total + gain if np.isfinite(gain) else 0.0
        if gain > 0:
            supported_s = time_s
        if total > best[0]:
            best = (total, start, row + 1)
    gain, first, stop = best
    return Run(first, stop, float(gain), similarities[first:stop]) if stop > first else None
