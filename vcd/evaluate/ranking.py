"""Metrics that ask only whether the right references come first, whatever the times.

A (query, reference) pair is scored by its best segment. Pairs of equal score count in the worst order: wrong
ones first.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import fsum

from vcd.evaluate.records import Pair, SegmentLike, pair_of, share


def pair_scores(predictions: Iterable[SegmentLike]) -> dict[Pair, float]:
    """The highest score among the segments of each pair; it may be negative."""
    scores: dict[Pair, float] = {}
    for row in predictions:
        scores[pair_of(row)] = max(row.score, scores.get(pair_of(row), row.score))
    return scores


def micro_ap(predictions: Sequence[SegmentLike], copies: Sequence[SegmentLike]) -> float:
    """Average precision of all pairs of all queries in one ranking, in [0, 1].

    AP = sum over the right pairs of the precision at their rank, divided by the number of pairs that have a
    copy: a pair that was not found counts as 0. No predictions: 0. No copies: NaN.

    Source: Douze et al., "The 2021 Image Similarity Dataset and Challenge" (arXiv 2106.09672), which also
    breaks ties this way; the descriptor track of VSC2022 (facebookresearch/vsc2022, vsc/metrics.py).
    """
    wanted = {pair_of(row) for row in copies}
    return _average_precision(_ranked(pair_scores(predictions), wanted), len(wanted))


def recall_at_precision(predictions: Sequence[SegmentLike], copies: Sequence[SegmentLike], percent: int = 90) -> float:
    """The highest recall of any score threshold at which the precision is still ``percent`` or more.

    0 when no threshold gets there: only silence is that precise. NaN without copies. Source: as `micro_ap`.
    """
    wanted = {pair_of(row) for row in copies}
    right, best = 0, 0
    for rank, is_right in enumerate(_ranked(pair_scores(predictions), wanted), start=1):
        right += is_right
        if 100 * right >= percent * rank:
            best = right
    return share(best, len(wanted))


def mean_ap(predictions: Sequence[SegmentLike], copies: Sequence[SegmentLike]) -> float:
    """Average precision of each query's own ranking, averaged over the queries that have a copy, in [0, 1].

    A row that finds the query itself in the library is skipped, unless the truth calls that a copy. A query
    without predictions counts as 0. No query with a copy: NaN.

    Source: Kordopatis-Zilos et al., "FIVR: Fine-grained Incident Video Retrieval" (arXiv 1809.04094):
    AP = 1/n sum of i / rank(i) over the right pairs found, n = all right pairs of the query.
    """
    wanted: defaultdict[str, set[Pair]] = defaultdict(set)
    for row in copies:
        wanted[row.query].add(pair_of(row))
    found: defaultdict[str, dict[Pair, float]] = defaultdict(dict)
    for pair, score in pair_scores(predictions).items():
        query, reference = pair
        if query != reference or pair in wanted.get(query, ()):
            found[query][pair] = score
    averages = [_average_precision(_ranked(found.get(query, {}), pairs), len(pairs)) for query, pairs in wanted.items()]
    return share(fsum(averages), len(averages))


def _ranked(scores: Mapping[Pair, float], wanted: set[Pair]) -> list[bool]:
    """Which pairs are right, by falling score; wrong ones first among equals."""
    return [is_right for _, is_right in sorted((-score, pair in wanted) for pair, score in scores.items())]


def _average_precision(ranked: Sequence[bool], wanted: int) -> float:
    ranks = [rank for rank, is_right in enumerate(ranked, start=1) if is_right]
    return share(fsum(right / rank for right, rank in enumerate(ranks, start=1)), wanted)
