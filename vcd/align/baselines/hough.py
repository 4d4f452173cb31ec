"""Temporal Hough voting: the offset that most matches agree on, from its first match to its last.

Source: Douze, Jegou and Schmid, "An image-based approach to video copy detection with spatio-temporal
post-filtering" (IEEE Transactions on Multimedia, 2010), as VCSL (arXiv 2203.02654) uses it: on the dense matrix of
similarities, at speed 1. Copies at another speed fall apart into pieces of nearby offsets.
"""

from collections.abc import Iterator

import numpy as np

from vcd.align.baselines.grid import cells_span, similarity_grid
from vcd.align.baselines.stretches import Stretch
from vcd.config import AlignConfig
from vcd.types import Descriptors, FrameMatches

PEAKS = 100
"""Offsets looked at, most votes first."""
MAX_GAP = 5
"""Cells without support that a stretch may bridge."""


def find_by_hough(
    query: Descriptors,
    reference: Descriptors,
    matches: FrameMatches,  # noqa: ARG001 (it looks at all similarities)
    floor: float,
    config: AlignConfig,  # noqa: ARG001
) -> Iterator[Stretch]:
    """Each cell above the floor votes for its offset by its excess; one stretch for each run of support."""
    grid = similarity_grid(query, reference)
    rows, columns = np.nonzero(grid >= floor)
    offsets = columns - rows
    votes = np.zeros(sum(grid.shape))
    np.add.at(votes, offsets + len(grid), grid[rows, columns] - floor)
    for peak in np.argsort(-votes, kind="stable")[:PEAKS]:
        offset = int(peak) - len(grid)
        on_it = np.sort(rows[offsets == offset])
        for piece in np.split(on_it, np.flatnonzero(np.diff(on_it) > MAX_GAP + 1) + 1):
            if len(piece):
                first, last = int(piece[0]), int(piece[-1])
                yield Stretch(cells_span(first, last), cells_span(first + offset, last + offset))
