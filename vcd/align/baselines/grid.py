"""Similarity of every second of a query to every second of a reference."""

import numpy as np
from numpy.typing import NDArray

from vcd.types import Descriptors, Span

STEP_S = 1.0
"""VCSL, where these methods were compared, samples one frame a second on both sides."""


def similarity_grid(query: Descriptors, reference: Descriptors) -> NDArray[np.float32]:
    """float32 (Q, R): cell (i, j) compares second i of the query with second j of the reference.

    A second is represented by the sampled frame nearest to its middle: real timestamps are put on a grid.
    """
    rows = [_nearest_rows(side) for side in (query, reference)]
    similarities: NDArray[np.float32] = query.vectors @ reference.vectors.T
    return similarities[np.ix_(rows[0], rows[1])]


def cells_span(first: int, last: int) -> Span:
    """The stretch that cells `first` to `last`, both included, stand for."""
    return Span(first * STEP_S, (last + 1) * STEP_S)


def _nearest_rows(side: Descriptors) -> NDArray[np.int64]:
    middles_s = (np.arange(max(1, int(np.ceil(side.info.duration_s / STEP_S)))) + 0.5) * STEP_S
    borders_s = (side.times_s[1:] + side.times_s[:-1]) / 2
    return np.searchsorted(borders_s, middles_s)
