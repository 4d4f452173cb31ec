"""Extrapolation from two matched key frames: the strong rules of one entry to the iQIYI contest of 2019.

Two neighbouring frames of the query match frames of the reference that lie as far apart, or 1.2 times as far. From
there the line is followed frame by frame, backward and forward, as long as the frame where it leads looks alike.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vcd.align.baselines.stretches import Stretch
from vcd.align.line import Line
from vcd.config import AlignConfig
from vcd.types import Descriptors, FrameMatches, Span

SAME = 0.9
"""Cosine from which two frames are taken to be the same."""
TOP = 100
"""Matches looked at for each frame of the query."""
SPEEDS = (1.0, 1.2)
WITHIN_S = 1.0
"""How far a frame may lie from where the line leads."""
Seed = tuple[float, int, Line]
"""Sum of two similarities, row of the first of the two query frames, line through the matches."""


def find_by_extrapolation(
    query: Descriptors,
    reference: Descriptors,
    matches: FrameMatches,
    floor: float,  # noqa: ARG001 (its threshold is fixed)
    config: AlignConfig,  # noqa: ARG001
) -> Iterator[Stretch]:
    """From each pair of neighbours that no earlier stretch covers, the surest pair first."""
    covered = np.zeros(len(query), dtype=bool)
    for _, row, line in sorted(_seeds(query, matches), key=lambda seed: (-seed[0], seed[1], seed[2].speed)):
        if covered[row] or covered[row + 1]:
            continue
        holds = _holds(query, reference, line) & ~covered
        first, stop = row, row + 2
        while first > 0 and holds[first - 1]:
            first -= 1
        while stop < len(query) and holds[stop]:
            stop += 1
        covered[first:stop] = True
        span = query.span(first, stop)
        r_start_s, r_end_s = line.at(np.array([span.start_s, span.end_s])).tolist()
        yield Stretch(span, Span(r_start_s, r_end_s), line.speed)


def _seeds(query: Descriptors, matches: FrameMatches) -> Iterator[Seed]:
    """For each two neighbouring query frames and each speed the surest two matches that keep their distance."""
    hits = [_hits(matches, row) for row in range(len(query))]
    for row, (before, after) in enumerate(pairwise(hits)):
        if not len(before[0]) or not len(after[0]):
            continue
        apart_s = query.times_s[row + 1] - query.times_s[row]
        for speed in SPEEDS:
            errors_s = np.abs(after[0][None, :] - before[0][:, None] - speed * apart_s)
            sums = np.where(errors_s <= WITHIN_S, before[1][:, None] + after[1][None, :], -np.inf)
            one, other = np.unravel_index(int(np.argmax(sums)), sums.shape)
            if np.isfinite(sums[one, other]):
                offsets_s = (
                    before[0][one] - speed * query.times_s[row],
                    after[0][other] - speed * query.times_s[row + 1],
                )
                yield float(sums[one, other]), row, Line(speed, float(np.mean(offsets_s)))


def _hits(matches: FrameMatches, row: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Reference times and similarities of a query frame's best matches that count as the same."""
    low, high = np.searchsorted(matches.query_rows, [row, row + 1])
    similarities = matches.similarities[low:high]
    order = np.argsort(-similarities, kind="stable")[:TOP]
    order = order[similarities[order] > SAME]
    return matches.reference_times_s[low:high][order], similarities[order]


def _holds(query: Descriptors, reference: Descriptors, line: Line) -> NDArray[np.bool_]:
    """bool (N,): whether the reference frame nearest to where the line leads is there and looks the same."""
    at_s = line.at(query.times_s)
    borders_s = (reference.times_s[1:] + reference.times_s[:-1]) / 2
    rows = np.searchsorted(borders_s, at_s)
    near = np.abs(reference.times_s[rows] - at_s) <= WITHIN_S
    alike: NDArray[np.bool_] = np.einsum("nd,nd->n", query.vectors, reference.vectors[rows]) > SAME
    return near & alike
