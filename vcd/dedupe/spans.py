"""Sets of moments, as lists of spans that rise and do not touch."""

from collections.abc import Iterable

from vcd.types import Span


def union(spans: Iterable[Span], gap_s: float = 0.0) -> list[Span]:
    """All moments of the spans; spans no further apart than `gap_s` become one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start_s, span.end_s)):
        if joined and span.start_s <= joined[-1].end_s + gap_s:
            before = joined.pop()
            span = Span(before.start_s, max(before.end_s, span.end_s))
        joined.append(span)
    return joined


def length_s(spans: Iterable[Span]) -> float:
    """Seconds that the spans cover together."""
    return sum(span.length_s for span in union(spans))


def overlap_s(some: Iterable[Span], others: Iterable[Span]) -> float:
    """Seconds that both sets cover."""
    others = union(others)
    return sum(one.overlap_s(other) for one in union(some) for other in others)
