"""Lengths of unions and overlaps of spans: the ground that the time-based metrics stand on."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from vcd.evaluate.records import Pair, SegmentLike, by_pair
from vcd.types import Span

MOMENT_S = 1.0
"""What a span of no length (a still image, one moment of a video) counts as, centred on its time.

Without this a row of a still image could be neither right nor wrong: it would have no length to find and
none to waste. One second is the step at which VSC2022 and VCSL sample and annotate.
"""


def widened(span: Span) -> Span:
    """The span itself, or `MOMENT_S` around it when it has no length."""
    if span.length_s > 0:
        return span
    return Span(span.start_s - MOMENT_S / 2, span.end_s + MOMENT_S / 2)


@dataclass(frozen=True, slots=True)
class Area:
    """Where a row lies in the plane of query time and reference time; both sides have a length."""

    query: Span
    reference: Span

    @classmethod
    def of(cls, row: SegmentLike) -> "Area":
        return cls(widened(row.query_span), widened(row.reference_span))

    def meets(self, other: "Area") -> bool:
        """Whether the two rectangles share more than an edge."""
        return (
            self.query.start_s < other.query.end_s
            and other.query.start_s < self.query.end_s
            and self.reference.start_s < other.reference.end_s
            and other.reference.start_s < self.reference.end_s
        )


def areas_by_pair(rows: Iterable[SegmentLike]) -> dict[Pair, list[Area]]:
    """Where the rows of each (query, reference) pair lie; pairs and rows keep their order."""
    return {pair: [Area.of(row) for row in group] for pair, group in by_pair(rows).items()}


class AreaIndex:
    """Areas of one pair, kept so that those which meet another area are found without looking at all."""

    __slots__ = ("_areas", "_reach_s", "_starts_s")

    def __init__(self, areas: Iterable[Area]) -> None:
        self._areas = sorted(areas, key=lambda area: area.query.start_s)
        self._starts_s = [area.query.start_s for area in self._areas]
        self._reach_s = list(accumulate((area.query.end_s for area in self._areas), max))

    def meeting(self, area: Area) -> list[Area]:
        """Every area that meets the given one, by query start."""
        first = bisect_right(self._reach_s, area.query.start_s)
        stop = bisect_left(self._starts_s, area.query.end_s)
        return [other for other in self._areas[first:stop] if other.meets(area)]


class Coverage:
    """A union of spans on one time axis, held as sorted stretches that do not touch."""

    __slots__ = ("_ends_s", "_starts_s")

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._starts_s: list[float] = []
        self._ends_s: list[float] = []
        for span in spans:
            self.add(span)

    @property
    def length_s(self) -> float:
        return sum(end_s - start_s for start_s, end_s in zip(self._starts_s, self._ends_s, strict=True))

    def add(self, span: Span) -> list[Span]:
        """Cover the span as well; returns the parts of it that were not covered before, in time order."""
        first, stop = bisect_left(self._ends_s, span.start_s), bisect_right(self._starts_s, span.end_s)
        if first == stop:
            self._starts_s.insert(first, span.start_s)
            self._ends_s.insert(first, span.end_s)
            return [span]
        gaps, reached_s = [], span.start_s
        for start_s, end_s in zip(self._starts_s[first:stop], self._ends_s[first:stop], strict=True):
            if start_s > reached_s:
                gaps.append(Span(reached_s, start_s))
            reached_s = max(reached_s, end_s)
        if reached_s < span.end_s:
            gaps.append(Span(reached_s, span.end_s))
        start_s, end_s = min(span.start_s, self._starts_s[first]), max(reached_s, span.end_s)
        self._starts_s[first:stop], self._ends_s[first:stop] = [start_s], [end_s]
        return gaps

    def overlap_s(self, span: Span) -> float:
        """Seconds of the span that are covered."""
        first, stop = bisect_right(self._ends_s, span.start_s), bisect_left(self._starts_s, span.end_s)
        return sum(min(self._ends_s[i], span.end_s) - max(self._starts_s[i], span.start_s) for i in range(first, stop))
