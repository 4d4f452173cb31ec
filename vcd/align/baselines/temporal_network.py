"""Temporal network: the heaviest path through the best matches, forward in both files.

Source: Tan, Ngo, Hong and Chua, "Scalable detection of partial near-duplicate videos by visual-temporal consistency"
(ACM Multimedia, 2009), as VCSL (arXiv 2203.02654) uses it. A node is one of the best matches of a second of the
query; an edge leads a few seconds forward in both files; the heaviest path is a copy, the next one is sought without
it. Nothing asks the path to be straight, which is the method's weakness and its freedom.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vcd.align.baselines.grid import cells_span, similarity_grid
from vcd.align.baselines.stretches import Stretch
from vcd.config import AlignConfig
from vcd.types import Descriptors, FrameMatches

TOP = 10
"""Matches of a second of the query that become nodes."""
MAX_STEP = 10
"""Cells that an edge may skip on either side."""
NEAR = 3
"""Nodes this near to a path that was found are explained by it."""
PATHS = 11


def find_by_network(
    query: Descriptors,
    reference: Descriptors,
    matches: FrameMatches,  # noqa: ARG001 (it looks at all similarities)
    floor: float,
    config: AlignConfig,  # noqa: ARG001
) -> Iterator[Stretch]:
    """The heaviest paths, one after the other."""
    grid = similarity_grid(query, reference)
    columns = np.argsort(-grid, axis=1, kind="stable")[:, :TOP]
    weights = np.take_along_axis(grid, columns, axis=1).astype(np.float64)
    usable = weights >= floor
    for _ in range(PATHS):
        path = heaviest_path(columns, np.where(usable, weights, -np.inf))
        if len(path) < 2:
            return
        (first_q, first_r), (last_q, last_r) = path[0].tolist(), path[-1].tolist()
        yield Stretch(cells_span(first_q, last_q), cells_span(first_r, last_r))
        rows = np.arange(first_q, last_q + 1)
        on_path = np.interp(rows, path[:, 0], path[:, 1])
        usable[rows] &= np.abs(columns[rows] - on_path[:, None]) > NEAR


def heaviest_path(columns: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """int64 (n, 2), rows and columns of the path with the greatest sum of weights; both rise by 1 to MAX_STEP.

    `columns` and `weights` are (Q, k): the nodes of each row; a weight of -inf marks a node that is not there.
    """
    totals = weights.copy()
    before = np.full((*columns.shape, 2), -1, dtype=np.int64)
    for row in range(1, len(columns)):
        low = max(0, row - MAX_STEP)
        rises = columns[row][:, None] - columns[low:row].ravel()[None, :]
        reachable = np.where((rises > 0) & (rises <= MAX_STEP), totals[low:row].ravel()[None, :], -np.inf)
        best = np.argmax(reachable, axis=1)
        gains = reachable[np.arange(len(best)), best]
        joined = gains > 0
        totals[row] += np.where(joined, gains, 0.0)
        before[row][joined] = np.stack([low + best // columns.shape[1], best % columns.shape[1]], axis=1)[joined]
    node = np.array(np.unravel_index(int(np.argmax(totals)), totals.shape))
    path = []
    if np.isfinite(totals[tuple(node)]):
        while node[0] >= 0:
            path.append((int(node[0]), int(columns[tuple(node)])))
            node = before[tuple(node)]
    return np.array(path[::-1], dtype=np.int64).reshape(-1, 2)
