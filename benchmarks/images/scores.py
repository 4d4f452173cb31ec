"""Similarities of queries and references -> micro-AP, rank-1, recall at 90 % precision."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vcd.evaluate.ranking import micro_ap, recall_at_precision
from vcd.evaluate.records import Row
from vcd.types import Span

Matrix = NDArray[np.float32]
PAIRS_PER_QUERY = 25
"""Pairs that enter the ranking, on average: the cap of VSC2022; further right ones count as not found."""
MOMENT = Span(0.0, 0.0)
BACKGROUND_WEIGHT = 1.2
"""How much of a query's similarity to its nearest background picture is subtracted, for a method without a background
of its own; the value of the VSC2022 baseline
(Pizzi et al., "The 2023 Video Similarity Dataset and Challenge", arXiv 2306.09489)."""


@dataclass(frozen=True, slots=True)
class Score:
    """All in [0, 1]."""

    micro_ap: float
    rank_1: float
    recall_at_p90: float

    def rounded(self) -> dict[str, float]:
        """As the results keep it."""
        return {
            "micro_ap": round(self.micro_ap, 4),
            "rank_1": round(self.rank_1, 4),
            "recall_at_p90": round(self.recall_at_p90, 4),
        }


def score(similarities: Matrix, originals: NDArray[np.int64]) -> Score:
    """Score queries (Q) against references (R).

    float32 (Q, R); int64 (Q,), the column of each query's original, -1 for a query without a copy. Ties count in the
    worst order. Raises `ValueError` for a similarity that is not finite.
    """
    if not np.isfinite(similarities).all():
        raise ValueError("a similarity is not finite")
    copies = [Row(str(query), str(originals[query]), MOMENT, MOMENT) for query in np.flatnonzero(originals >= 0)]
    pairs = best_pairs(similarities, PAIRS_PER_QUERY * len(similarities))
    return Score(micro_ap(pairs, copies), rank_1(similarities, originals), recall_at_precision(pairs, copies, 90))


def best_pairs(similarities: Matrix, count: int) -> list[Row]:
    """The pairs of highest similarity, at most `count`: of equals at the end either all or none."""
    flat = similarities.ravel()
    if len(flat) > count:
        limit = np.partition(flat, len(flat) - count - 1)[len(flat) - count - 1]
        chosen = np.flatnonzero(flat > limit)
    else:
        chosen = np.arange(len(flat))
    queries, references = np.divmod(chosen, similarities.shape[1])
    return [
        Row(str(query), str(reference), MOMENT, MOMENT, float(value))
        for query, reference, value in zip(queries, references, flat[chosen], strict=True)
    ]


def rank_1(similarities: Matrix, originals: NDArray[np.int64]) -> float:
    """Share of the queries with a copy whose original is more similar than every other reference."""
    queries = np.flatnonzero(originals >= 0)
    others = similarities[queries]
    places = np.arange(len(queries)), originals[queries]
    right = others[places]
    others[places] = -np.inf
    return float((right > others.max(axis=1)).mean())


def nearest_bias(similarities: Matrix) -> NDArray[np.float32]:
    """float32 (N,): what a query resembles anything at all, for a query like many pictures needs more to be a copy.

    `similarities` are those to background pictures, (N, B). Source: as `BACKGROUND_WEIGHT`, with one neighbour.
    """
    return np.asarray(BACKGROUND_WEIGHT * similarities.max(axis=1), dtype=np.float32)
