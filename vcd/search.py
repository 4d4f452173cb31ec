"""Stage 4: a query's `Descriptors` -> ranked `FrameMatches`, one for each reference worth aligning.

Score normalisation (SSCD, Pizzi et al., CVPR 2022; VSC2022): s' = q.r - beta (mean of the n greatest q.b - its usual
value), b over the model's background set. The term depends on the query's frame alone, so it is kept as that frame's
`Descriptors.bias` and taken off after the search; the usual trick of one more dimension, [q, -bias].[r, 1] under the
inner product, gives the same numbers and the same order, but would tie the stored vectors and the index to one
background. The usual value of the background itself is added back, so that thresholds stay those of the cosine.

Frames that are found in many references (intros, slates) get less weight, as rare words do in text search.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vcd.config import SearchConfig
from vcd.types import Descriptors, FrameMatches, Neighbours

OFFSET_BIN_S = 10.0
"""Wide, so that a copy at another speed still falls into few bins; aligning looks closer."""
NEAREST = 3
"""Pictures of the background that say how alike a frame looks to anything."""
AS_ALIKE = 0.5
"""A reference holds a frame when it has one of this share of the frame's best excess."""
KNOWN_COPIES = 4.0
"""A frame that so many references beside one hold has half its weight: a few copies of one film are no slate."""
ROWS_AT_ONCE = 256
"""Query frames compared with all of a reference at a time: bounds the memory."""
REPEATS_S = 20.0
"""Frames of a query so close to each other that look the same share one vote."""


class VectorStore(Protocol):
    """Where the references' vectors are: a `Library`, or another store."""

    def nearest(self, queries: NDArray[np.float32], k: int) -> Neighbours: ...


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Pictures that have nothing to do with any query or reference."""

    vectors: NDArray[np.float32]
    """float32 (B, D), unit rows."""
    usual: float
    """How alike one of them looks to the nearest others."""

    @classmethod
    def of(cls, vectors: NDArray[np.float32], usual: float | None = None) -> "Background":
        """`usual` is worked out where it is not known. Raises `ValueError` when there are too few vectors."""
        if len(vectors) <= NEAREST:
            raise ValueError(f"a background set needs more than {NEAREST} pictures, not {len(vectors)}")
        return cls(vectors, usual or float(_nearest_mean(vectors, vectors, skip=1).mean()))

    def bias(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (N,): how much more alike than usual each vector looks to unrelated pictures; may be negative."""
        return _nearest_mean(vectors, self.vectors) - np.float32(self.usual)


def _nearest_mean(vectors: NDArray[np.float32], background: NDArray[np.float32], skip: int = 0) -> NDArray[np.float32]:
    """float32 (N,), mean of the NEAREST greatest similarities, after the `skip` greatest."""
    means = [np.zeros(0, dtype=np.float32)]
    for start in range(0, len(vectors), 1024):
        similarities = vectors[start : start + 1024] @ background.T
        greatest = -np.partition(-similarities, NEAREST + skip - 1, axis=1)[:, : NEAREST + skip]
        means.append(-np.sort(-greatest, axis=1)[:, skip:].mean(axis=1, dtype=np.float32))
    return np.concatenate(means)


def normalise(query: Descriptors, background: Background | None, config: SearchConfig) -> Descriptors:
    """The query with what it looks like added to its bias; as it is when the model has no background set."""
    if background is None or config.normalise == 0:
        return query
    return replace(query, bias=query.bias + np.float32(config.normalise) * background.bias(query.vectors))


def find_candidates(
    query: Descriptors, store: VectorStore, config: SearchConfig, unrelated_similarity: float
) -> tuple[Descriptors, list[FrameMatches]]:
    """The query with less weight on common frames, and the references with frames that look like its own.

    References by falling votes, then by media id. A match counts by how far its similarity exceeds what unrelated
    pictures have, times the weight of the query's frame. Votes are counted per reference and offset, one a query
    frame, and less for a frame that repeats an earlier one, so that neither a long reference nor a static scene wins
    by the number of its frames.
    """
    neighbours = store.nearest(query.vectors, config.neighbours)
    there = neighbours.media_ids >= 0
    similarities = np.where(there, neighbours.similarities - query.bias[:, None], -1).astype(np.float32)
    excess = np.maximum(0, similarities - unrelated_similarity) / (1 - unrelated_similarity)
    query = replace(query, quality=(query.quality * rarity(neighbours.media_ids, excess)).astype(np.float32))
    weights = excess * (query.quality * novelty(query, unrelated_similarity))[:, None]
    rows, columns = np.nonzero((weights > 0) & there)
    ids = neighbours.media_ids[rows, columns]
    order = np.lexsort((columns, rows, ids))
    found = []
    for group in np.split(order, np.flatnonzero(np.diff(ids[order])) + 1):
        if len(group):
            r, c = rows[group], columns[group]
            times_s = neighbours.times_s[r, c]
            votes = count_votes(r, times_s - query.times_s[r], weights[r, c])
            found.append(FrameMatches(int(ids[group[0]]), r, times_s, similarities[r, c], votes))
    return query, sorted(found, key=lambda matches: (-round(matches.votes, 4), matches.media_id))[: config.candidates]


def match_all(query: Descriptors, reference: Descriptors, neighbours: int) -> FrameMatches:
    """Each query frame's best frames of one reference, by comparing with all of them; equal ones by time."""
    k = min(neighbours, len(reference))
    best, found = [np.zeros((0, k), dtype=np.int64)], [np.zeros((0, k), dtype=np.float32)]
    for start in range(0, len(query), ROWS_AT_ONCE):
        some = slice(start, start + ROWS_AT_ONCE)
        similarities = query.vectors[some] @ reference.vectors.T
        best.append(np.argsort(-similarities, axis=1, kind="stable")[:, :k])
        found.append(np.take_along_axis(similarities, best[-1], axis=1) - query.bias[some, None])
    rows = np.repeat(np.arange(len(query)), k)
    times_s = reference.times_s[np.concatenate(best).ravel()]
    return FrameMatches(0, rows, times_s, np.concatenate(found).ravel(), votes=0.0)


def rarity(media_ids: NDArray[np.int64], excess: NDArray[np.float32]) -> NDArray[np.float64]:
    """float64 (N,), weight in (0, 1] of each query frame by the number of references that hold it.

    1 for one reference, 1/2 for `KNOWN_COPIES` more.
    """
    held = (excess > 0) & (excess >= AS_ALIKE * excess.max(axis=1, initial=0, keepdims=True))
    ids = np.sort(np.where(held, media_ids, -1), axis=1)
    fresh = np.diff(ids, axis=1, prepend=-1) != 0
    references = np.count_nonzero(fresh & (ids >= 0), axis=1)
    return np.asarray(KNOWN_COPIES / (KNOWN_COPIES + np.maximum(0, references - 1)), dtype=np.float64)


def novelty(query: Descriptors, unrelated_similarity: float) -> NDArray[np.float64]:
    """float64 (N,), share of a vote in (0, 1] that each frame has: that of a static shot is shared by its frames."""
    shares = np.ones(len(query))
    first = np.searchsorted(query.times_s, query.times_s - REPEATS_S)
    first = np.minimum(first, np.maximum(0, np.arange(len(query)) - 1))
    for row in range(1, len(query)):
        seen = float((query.vectors[first[row] : row] @ query.vectors[row]).max())
        shares[row] = max(0.05, min(1.0, (1 - seen) / (1 - unrelated_similarity)))
    return shares


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
