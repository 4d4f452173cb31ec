"""One stretch, one row: of segments that claim the same stretches of the same two files, the best stays."""

from collections.abc import Iterable

from vcd.types import WHOLE, Segment

SAME = 0.5
"""Share of the shorter segment, on both sides, from which two segments are the same copy."""


def drop_overlapping(segments: Iterable[Segment]) -> list[Segment]:
    """Best first, whatever view of the query they come from; of equal scores the view of the whole picture."""
    kept: list[Segment] = []
    for segment in sorted(segments, key=lambda s: (-s.score, s.view != WHOLE, *s.sort_key())):
        if not any(_same_copy(segment, other) for other in kept):
            kept.append(segment)
    return sorted(kept, key=Segment.sort_key)


def _same_copy(a: Segment, b: Segment) -> bool:
    if (a.query, a.reference) != (b.query, b.reference):
        return False
    sides = ((a.query_span, b.query_span), (a.reference_span, b.reference_span))
    for one, other in sides:
        shorter_s = min(one.length_s, other.length_s)
        if shorter_s > 0 and one.overlap_s(other) < SAME * shorter_s:
            return False
    return True
