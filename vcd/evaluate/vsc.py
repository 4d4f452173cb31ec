"""The segment micro-AP of the Video Similarity Challenge 2022, matching track.

Source: Pizzi et al., "The 2023 Video Similarity Dataset and Challenge" (arXiv 2306.09489); `match_metric` in
facebookresearch/vsc2022, vsc/metrics.py.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import sqrt
from typing import NamedTuple

from vcd.evaluate.coverage import Area, AreaIndex, Coverage, areas_by_pair
from vcd.evaluate.records import SegmentLike, best_first, by_pair
from vcd.types import Span


class _Gain(NamedTuple):
    """What one prediction adds to the sums over all pairs, in seconds."""

    score: float
    query_predicted_s: float
    query_right_s: float
    reference_predicted_s: float
    reference_right_s: float


class _Axis:
    """Query time or reference time of one pair: what is predicted, and what a copy there confirms."""

    __slots__ = ("_met", "_predicted")

    def __init__(self) -> None:
        self._predicted = Coverage()
        self._met = Coverage()

    def predict(self, span: Span, met: Iterable[Span]) -> tuple[float, float]:
        """Seconds newly predicted, and seconds newly right; ``met`` are the copies that the row overlaps."""
        gaps = self._predicted.add(span)
        right_s = sum(self._met.overlap_s(gap) for gap in gaps)
        for copy in met:
            right_s += sum(self._predicted.overlap_s(gap) for gap in self._met.add(copy))
        return sum(gap.length_s for gap in gaps), right_s


def segment_micro_ap(predictions: Sequence[SegmentLike], copies: Sequence[SegmentLike]) -> float:
    """Area under precision over recall in seconds, over all pairs of all queries, in [0, 1].

    Rows are applied by falling score, rows of equal score at once. For each pair and axis (query, reference):
    T = length of the union of its rows so far, G' = its copies that overlap one of its rows with an area > 0,
    I = length that union(rows) and union(G') share. Summed over pairs, P = sum I / sum T and
    R = sum I / length of all copies (a union per pair); both axes together are sqrt(P_q P_r) and
    sqrt(R_q R_r), and AP = sum of P(i) (R(i) - R(i-1)).

    So overlapping or split rows cost nothing, and a row of the right times but crossed pairing earns nothing.
    A span without length counts as `MOMENT_S`, which is this project's addition: VSC has no still images.
    No predictions: 0. No copies: NaN, there is no recall.
    """
    if not copies:
        return float("nan")
    wanted = areas_by_pair(copies)
    query_s = sum(Coverage(area.query for area in areas).length_s for areas in wanted.values())
    reference_s = sum(Coverage(area.reference for area in areas).length_s for areas in wanted.values())
    gains: list[_Gain] = []
    for pair, rows in by_pair(predictions).items():
        gains.extend(_gains(best_first(rows), wanted.get(pair, ())))
    return _average(gains, query_s, reference_s)


def _gains(rows: Sequence[SegmentLike], copies: Sequence[Area]) -> Iterator[_Gain]:
    """Apply the rows of one pair, best first. Pairs share no time, so their gains simply add up."""
    index = AreaIndex(copies)
    query, reference = _Axis(), _Axis()
    for row in rows:
        area = Area.of(row)
        met = index.meeting(area)
        yield _Gain(
            row.score,
            *query.predict(area.query, [copy.query for copy in met]),
            *reference.predict(area.reference, [copy.reference for copy in met]),
        )


def _average(gains: Iterable[_Gain], query_s: float, reference_s: float) -> float:
    """Sum the gains by falling score; ``query_s`` and ``reference_s`` are the lengths of all copies."""
    query_predicted_s = query_right_s = reference_predicted_s = reference_right_s = 0.0
    average = recall = 0.0
    for _, equals in groupby(sorted(gains, reverse=True), key=lambda gain: gain.score):
        for gain in equals:
            query_predicted_s += gain.query_predicted_s
            query_right_s += gain.query_right_s
            reference_predicted_s += gain.reference_predicted_s
            reference_right_s += gain.reference_right_s
        precision = sqrt(query_right_s / query_predicted_s * reference_right_s / reference_predicted_s)
        reached = sqrt(query_right_s / query_s * reference_right_s / reference_s)
        average += precision * (reached - recall)
        recall = reached
    return min(average, 1.0)
