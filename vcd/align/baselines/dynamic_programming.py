"""Dynamic programming: the best local alignments of the two sequences.

Source: Chou, Chen and Lee, "Pattern-based near-duplicate video retrieval and localization on web-scale videos" (IEEE
Transactions on Multimedia, 2015), as VCSL (arXiv 2203.02654) uses it: diagonal steps count whole, steps of one side
alone half, and a path that meets too little likeness for too long ends. Here each path remembers where it began, so
that one pass finds all of them; it begins and ends at cells that look alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vcd.align.baselines.grid import cells_span, similarity_grid
from vcd.align.baselines.stretches import Stretch
from vcd.config import AlignConfig
from vcd.types import Descriptors, FrameMatches

STEPS = np.array([[1.0], [0.5], [0.5]])
"""What the likeness of a cell counts after a step of both sides, of the query alone, of the reference alone."""
DISCONTINUE = 3
"""Cells in a row that may look unalike."""
MIN_TOTAL = 0.5
"""Paths with less likeness in them than this are not worth a look."""


def find_by_dynamic_programming(
    query: Descriptors,
    reference: Descriptors,
    matches: FrameMatches,  # noqa: ARG001 (it looks at all similarities)
    floor: float,
    config: AlignConfig,  # noqa: ARG001
) -> Iterator[Stretch]:
    """The best path from each beginning, best first."""
    totals, origins = local_alignments(np.maximum(similarity_grid(query, reference) - floor, 0.0))
    ends = np.flatnonzero(totals >= MIN_TOTAL)
    ends = ends[np.argsort(-totals.ravel()[ends], kind="stable")]
    _, first = np.unique(origins.ravel()[ends], return_index=True)
    for end in ends[np.sort(first)]:
        q_last, r_last = divmod(int(end), totals.shape[1])
        q_first, r_first = divmod(int(origins.ravel()[end]), totals.shape[1])
        yield Stretch(cells_span(q_first, q_last), cells_span(r_first, r_last))


def local_alignments(likeness: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Total of the best path that ends in each cell, and the cell (flat number) where it begins; both (Q, R).

    A path begins and ends with a diagonal step to a cell of some likeness; cells where none ends have total 0.
    Computed antidiagonal by antidiagonal, for the cells of one do not depend on each other. `likeness` is at least 0.
    """
    q, r = likeness.shape
    totals, origins = np.zeros((q, r), dtype=np.float32), np.zeros((q, r), dtype=np.int64)
    last = second_last = _Front.empty(q)
    for diagonal in range(q + r - 1):
        rows = np.arange(max(0, diagonal - r + 1), min(q, diagonal + 1))
        gain = likeness[rows, diagonal - rows]
        # From (i - 1, j - 1), (i - 1, j) and (i, j - 1).
        before = np.stack([second_last.totals[rows], last.side_totals[rows], last.side_totals[rows + 1]])
        reached = before + np.where(before > 0, STEPS, 1.0) * gain
        best, pick = np.argmax(reached, axis=0), np.arange(len(rows))
        begins = before[best, pick] == 0
        earlier = np.stack([second_last.origins[rows], last.origins[rows], last.origins[rows + 1]])[best, pick]
        missed = np.stack([second_last.misses[rows], last.misses[rows], last.misses[rows + 1]])[best, pick]
        misses = np.where(gain > 0, 0, missed + 1)
        total = np.where(misses > DISCONTINUE, 0, reached[best, pick])
        origin = np.where(begins, rows * r + diagonal - rows, earlier)
        totals[rows, diagonal - rows] = np.where((gain > 0) & (begins | (best == 0)), total, 0)
        origins[rows, diagonal - rows] = origin
        front = _Front.empty(q)
        front.totals[rows + 1], front.side_totals[rows + 1] = total, np.where(begins, 0, total)
        front.origins[rows + 1], front.misses[rows + 1] = origin, misses
        second_last, last = last, front
    return totals, origins


@dataclass(frozen=True, slots=True, eq=False)
class _Front:
    """The paths that end on one antidiagonal, by row of the query, with a row of nothing in front."""

    totals: NDArray[np.float64]
    side_totals: NDArray[np.float64]
    """Of the paths that may take a step of one side: 0 where one has just begun."""
    origins: NDArray[np.int64]
    misses: NDArray[np.int64]

    @classmethod
    def empty(cls, rows: int) -> "_Front":
        zeros = np.zeros(rows + 1, dtype=np.int64)
        return cls(np.zeros(rows + 1), np.zeros(rows + 1), zeros, zeros.copy())
