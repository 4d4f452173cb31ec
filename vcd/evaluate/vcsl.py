"""The segment precision and recall of VCSL, and its video-level error rates.

Source: He et al., "A Large-scale Comprehensive Dataset and Copy-overlap Aware Evaluation Protocol for
Segment-level Video Copy Detection" (CVPR 2022, arXiv 2203.02654); `precision_recall` and `evaluate_micro` in
alipay/VCSL, vcsl/metric.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, isnan

from vcd.evaluate.coverage import Area, AreaIndex, Coverage, areas_by_pair
from vcd.evaluate.records import SegmentLike, share
from vcd.types import Span


@dataclass(frozen=True, slots=True)
class VcslScore:
    """Averages over (query, reference) pairs, and the share of pairs that are missed or made up."""

    precision: float
    """Mean over pairs with a prediction, 0 for those without a copy; NaN without predictions."""
    recall: float
    """Mean over pairs with a copy, 0 for those without a prediction; NaN without copies."""
    false_rejection_rate: float
    """Share of the pairs with a copy that have no prediction at all; NaN without copies."""
    false_alarm_rate: float
    """Share of the queries without a copy that have any prediction; NaN without such queries."""

    @property
    def f(self) -> float:
        """Harmonic mean of precision and recall; 0 when either is 0, NaN without predictions and copies."""
        if self.precision == 0 or self.recall == 0:
            return 0.0
        if isnan(self.precision) or isnan(self.recall):
            return float("nan")
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def vcsl_score(
    predictions: Sequence[SegmentLike], copies: Sequence[SegmentLike], queries_without_copy: Sequence[str]
) -> VcslScore:
    """Precision and recall of each pair, averaged; FRR and FAR.

    A pair's precision is P_query * P_reference, the plain product: twice too long on both axes is 0.25. On
    one axis it is, summed over the rows, the length of the union of a row's overlaps with the copies it
    meets, divided by the sum of the rows' lengths; recall is the same with rows and copies exchanged. A span
    without length counts as `MOMENT_S` (VCSL has none).

    Two departures from the published code. It adds 1e-6 to each length and leaves a pair out of an average
    when its value is exactly 1; here a pair is left out when it has no prediction (or no copy). And it is
    given a list of negative pairs, rho being positive / negative pairs, so that its
    FRR = (1 + rho) / rho * missed / pairs and FAR = (1 + rho) * alarms / pairs are the shares of positive
    and of negative pairs; here a query without a copy is one negative pair, itself against the library.
    """
    found, wanted = areas_by_pair(predictions), areas_by_pair(copies)
    alarmed = {row.query for row in predictions} & set(queries_without_copy)
    return VcslScore(
        precision=_mean([_share_confirmed(areas, wanted.get(pair, ())) for pair, areas in found.items()]),
        recall=_mean([_share_confirmed(areas, found.get(pair, ())) for pair, areas in wanted.items()]),
        false_rejection_rate=share(sum(pair not in found for pair in wanted), len(wanted)),
        false_alarm_rate=share(len(alarmed), len(queries_without_copy)),
    )


def _mean(values: Sequence[float]) -> float:
    return share(fsum(values), len(values))


def _share_confirmed(areas: Sequence[Area], others: Sequence[Area]) -> float:
    """Share of the summed lengths of ``areas`` that ``others`` confirm, query times reference."""
    if not others:
        return 0.0
    index = AreaIndex(others)
    query_s, reference_s = [], []
    for area in areas:
        met = index.meeting(area)
        query_s.append(Coverage(_common(area.query, other.query) for other in met).length_s)
        reference_s.append(Coverage(_common(area.reference, other.reference) for other in met).length_s)
    whole_query_s = fsum(area.query.length_s for area in areas)
    whole_reference_s = fsum(area.reference.length_s for area in areas)
    return min(fsum(query_s) / whole_query_s, 1.0) * min(fsum(reference_s) / whole_reference_s, 1.0)


def _common(one: Span, other: Span) -> Span:
    """The stretch that two overlapping spans share."""
    return Span(max(one.start_s, other.start_s), min(one.end_s, other.end_s))
