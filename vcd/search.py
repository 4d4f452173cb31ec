"""Stage 4: a query's `Descriptors` -> ranked `FrameMatches`, one for each reference worth aligning."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vcd.config import SearchConfig
from vcd.types import Descriptors, FrameMatches, Neighbours

OFFSET_BIN_S = 10.0
"""Wide, so that a copy at another speed still falls into few bins; aligning looks closer."""


class VectorStore(Protocol):
    """Where the references' vectors are: a `Library`, or another store."""

    def nearest(self, queries: NDArray[np.float32], k: int) -> Neighbours: ...


def find_candidates(
    query: Descriptors, store: VectorStore, config: SearchConfig, unrelated_similarity: float
) -> list[FrameMatches]:
    """References with frames that look like the query's, best first; equal votes by media id.

    A match counts by how far its similarity exceeds what unrelated pictures have, times the quality of the
    query's frame. Votes are counted per reference and offset, one a query frame, so that neither a long
    reference nor a static scene wins by the number of its frames.
    """
    neighbours = store.nearest(query.vectors, config.neighbours)
    excess = np.maximum(0, neighbours.similarities - unrelated_similarity) / (1 - unrelated_similarity)
    weights = excess * query.quality[:, None]
    rows, columns = np.nonzero((weights > 0) & (neighbours.media_ids >= 0))
    ids = neighbours.media_ids[rows, columns]
    order = np.lexsort((columns, rows, ids))
    found = []
    for group in np.split(order, np.flatnonzero(np.diff(ids[order])) + 1):
        if len(group):
            r, c = rows[group], columns[group]
            times_s = neighbours.times_s[r, c]
            votes = count_votes(r, times_s - query.times_s[r], weights[r, c])
            found.append(FrameMatches(int(ids[group[0]]), r, times_s, neighbours.similarities[r, c], votes))
    return sorted(found, key=lambda matches: (-round(matches.votes, 4), matches.media_id))[: config.candidates]


def count_votes(query_rows: NDArray[np.int64], offsets_s: NDArray[np.float64], weights: NDArray[np.float32]) -> float:
    """Weight of the best offset bin, in which each query frame counts once with its best match.

    Bins overlap by half, so that no offset is split.
    """
    best = 0.0
    for shift_s in (0.0, OFFSET_BIN_S / 2):
        bins = np.floor((offsets_s + shift_s) / OFFSET_BIN_S).astype(np.int64)
        bins -= bins.min()
        cells = query_rows * (int(bins.max()) + 1) + bins
        order = np.lexsort((-weights, cells))
        first = order[np.unique(cells[order], return_index=True)[1]]
        best = max(best, float(np.bincount(bins[first], weights[first]).max()))
    return best
