"""Which moments of a segment are looked at."""

from vcd.types import Segment, Span

APART_S = 0.4
"""Between the two pictures of a moment: long enough for things to move, short enough to stay in one shot mostly."""
MARGIN = 0.05
"""Share of the segment left out at either end, where it may not be exact."""


def choose_moments(segment: Segment, pairs: int) -> list[tuple[Span, Span]]:
    """Of each moment the stretch of the query from its first picture to its second, and that of the reference.

    By rising query time, at least one; a single picture's stretch has no length. A reference stretch that is played
    backwards is given forwards.
    """
    q, r = segment.query_span, segment.reference_span
    if q.length_s == 0 or r.length_s == 0:
        middle_s, r_middle_s = (q.start_s + q.end_s) / 2, (r.start_s + r.end_s) / 2
        return [(Span(middle_s, middle_s), Span(r_middle_s, r_middle_s))]
    room_s = q.length_s * (1 - 2 * MARGIN)
    apart_s = min(APART_S, room_s / 2)
    count = max(1, min(pairs, int(room_s / apart_s)))
    found = []
    for number in range(count):
        start_s = q.start_s + q.length_s * MARGIN + room_s * (number + 0.5) / count - apart_s / 2
        ends_s = [reference_time(segment, at_s) for at_s in (start_s, start_s + apart_s)]
        found.append((Span(start_s, start_s + apart_s), Span(min(ends_s), max(ends_s))))
    return found


def reference_time(segment: Segment, query_s: float) -> float:
    """The moment of the reference that the segment shows at a moment of the query, never before the file begins."""
    begin_s = segment.reference_span.start_s if segment.speed > 0 else segment.reference_span.end_s
    return max(0.0, begin_s + segment.speed * (query_s - segment.query_span.start_s))
