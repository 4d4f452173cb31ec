"""Where exactly a copy begins and ends: both files looked at densely around each end.

First the offset of the line is corrected to what the dense frames say, then each end is the change point of the
similarity along the line. Only the surroundings of the ends are decoded.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vcd.types import Descriptors, Look, Segment, Span

OUTER_S, INNER_S = 4.0, 3.0
"""How far a look reaches out of the segment and into it."""
SLACK_S = 1.2
"""Most that the offset is corrected by."""
OFFSET_STEP_S = 0.05
MAX_LOOKS = 6
"""Looks at one end, each further on while the end lies at the border of what was seen."""
MIN_RISE = 0.1
"""The inside must look this much more alike than unrelated pictures, or the end is left where it was."""


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """Dense frames of the query around one end, and of the reference where the line puts them."""

    query: Descriptors
    reference: Descriptors

    def along(self, speed: float, offset_s: float) -> NDArray[np.float64]:
        """float64 (N,), similarity of each query frame to the nearest reference frame; -1 off the file."""
        if not len(self.reference) or not len(self.query):
            return np.full(len(self.query), -1.0)
        at_s = speed * self.query.times_s + offset_s
        after = np.clip(np.searchsorted(self.reference.times_s, at_s), 1, max(1, len(self.reference) - 1))
        before = after - 1
        after = np.minimum(after, len(self.reference) - 1)
        nearer = np.abs(self.reference.times_s[after] - at_s) < np.abs(self.reference.times_s[before] - at_s)
        rows = np.where(nearer, after, before)
        similarities = np.einsum("nd,nd->n", self.query.vectors, self.reference.vectors[rows])
        return np.where(np.abs(self.reference.times_s[rows] - at_s) <= 0.5, similarities, -1.0)


def refine_ends(
    segment: Segment, look_query: Look, look_reference: Look, durations_s: tuple[float, float], floor: float
) -> Segment:
    """The segment with exact ends, marked as refined; unchanged when the dense frames say too little.

    `durations_s` are those of query and reference, `floor` is the similarity of unrelated pictures.
    """
    if segment.query_span.length_s == 0 or segment.reference_span.length_s == 0 or segment.speed < 0:
        return segment
    offset_s = segment.reference_span.start_s - segment.speed * segment.query_span.start_s
    look = _Looker(look_query, look_reference, segment.speed, durations_s)
    span = segment.query_span
    inner_s = min(INNER_S, span.length_s / 2)
    ends = [look(Span(span.start_s - OUTER_S, span.start_s + inner_s), offset_s),
            look(Span(span.end_s - inner_s, span.end_s + OUTER_S), offset_s)]  # fmt: skip
    offset_s += _correction(ends, segment.speed, offset_s, floor)
    start_s = _find_end(look, span.start_s, inner_s, -1, offset_s, floor)
    end_s = _find_end(look, span.end_s, inner_s, +1, offset_s, floor)
    if start_s is None or end_s is None:
        return segment
    start_s = max(start_s, 0.0, -offset_s / segment.speed)
    end_s = min(end_s, durations_s[0], (durations_s[1] - offset_s) / segment.speed)
    if end_s - start_s < 0.5 * min(span.length_s, 2.0):
        return segment
    r_start_s, r_end_s = (max(0.0, segment.speed * at_s + offset_s) for at_s in (start_s, end_s))
    return replace(segment, query_span=Span(start_s, end_s), reference_span=Span(r_start_s, r_end_s), refined=True)


@dataclass(frozen=True, slots=True)
class _Looker:
    """Decodes both sides around a stretch of the query."""

    look_query: Look
    look_reference: Look
    speed: float
    durations_s: tuple[float, float]

    def __call__(self, span: Span, offset_s: float) -> _Window:
        query = _inside(span, self.durations_s[0])
        mapped = Span(self.speed * query.start_s + offset_s - SLACK_S, self.speed * query.end_s + offset_s + SLACK_S)
        return _Window(self.look_query(query), self.look_reference(_inside(mapped, self.durations_s[1])))


def _inside(span: Span, duration_s: float) -> Span:
    start_s = min(max(0.0, span.start_s), duration_s)
    return Span(start_s, min(max(start_s, span.end_s), duration_s))


def _correction(windows: list[_Window], speed: float, offset_s: float, floor: float) -> float:
    """Seconds to add to the offset so that the dense frames agree most; nearest to 0 where they do not care."""
    steps = np.arange(-SLACK_S, SLACK_S + 1e-9, OFFSET_STEP_S)
    agreement = np.array(
        [sum(float(np.maximum(0, w.along(speed, offset_s + step) - floor).sum()) for w in windows) for step in steps]
    )
    good = steps[agreement >= agreement.max() - 0.02 * float(np.ptp(agreement))]
    return float(good[np.argmin(np.abs(good))])


def _find_end(
    look: _Looker, at_s: float, inner_s: float, direction: int, offset_s: float, floor: float
) -> float | None:
    """The change point nearest the end; looks further on while it lies at the border of what was seen."""
    duration_s = look.durations_s[0]
    for _ in range(MAX_LOOKS):
        out_s, in_s = at_s + direction * OUTER_S, at_s - direction * inner_s
        window = look(Span(min(out_s, in_s), max(out_s, in_s)), offset_s)
        times_s, similarities = window.query.times_s, window.along(look.speed, offset_s)
        if direction > 0:
            times_s, similarities = times_s[::-1], similarities[::-1]
        first = _change_point(similarities, floor)
        if first is None:
            return None
        if first == 0:
            edge_s = 0.0 if direction < 0 else duration_s
            if abs(edge_s - times_s[0]) <= 1.0 and (out_s <= 0 or out_s >= duration_s):
                return edge_s
            at_s = float(times_s[0])
        else:
            return float(times_s[first - 1] + times_s[first]) / 2
    return at_s


def _change_point(similarities: NDArray[np.float64], floor: float) -> int | None:
    """Row from which the similarities, outer first, belong to the copy.

    The suffix with the greatest sum over a threshold halfway between inside and unrelated.
    """
    if len(similarities) < 3:
        return None
    inside = float(np.quantile(similarities, 0.9))
    if inside < floor + MIN_RISE:
        return None
    gains = np.clip(similarities - (inside + floor) / 2, -0.3, 0.3)
    return int(np.argmax(np.cumsum(gains[::-1])[::-1]))
