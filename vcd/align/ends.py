"""Where exactly a copy begins and ends: both files looked at densely around each end.

First the line is corrected to what the dense frames say, then each end is the change point of the similarity along
the line. Only the surroundings of the ends are decoded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vcd.align.line import COMMON_SPEEDS, Line
from vcd.types import Descriptors, Look, Segment, Span

OUTER_S, INNER_S = 4.0, 3.0
"""How far a look reaches out of the segment and into it."""
SLACK_S = 2.0
"""Most that the line is moved by at either end."""
STEP_S = 0.05
FINE_STEP_S = 0.01
SAME_LINE_S = 0.15
"""Lines whose ends differ by less than this are told apart by how usual their speeds are."""
MAX_LOOKS = 6
"""Looks at one end, each further on while the end lies at the border of what was seen."""
MIN_RISE = 0.1
"""The inside must look this much more alike than unrelated pictures, or the end is left where it was."""
CUT_WORTH = 0.3
"""What a cut between two frames adds to the evidence that the copy begins or ends there."""
NEAREST_S = 0.5
"""A dense frame further than this from the moment sought does not stand for it."""


@dataclass(frozen=True, eq=False)
class Window:
    """Dense frames of the query around one end, and of the reference where the line puts them."""

    query: Descriptors
    reference: Descriptors

    @cached_property
    def _similarities(self) -> NDArray[np.float32]:
        return self.query.vectors @ self.reference.vectors.T

    def along(self, line: Line) -> NDArray[np.float64]:
        """float64 (N,), similarity of each query frame to the nearest reference frame; -1 where there is none."""
        if not len(self.reference):
            return np.full(len(self.query), -1.0)
        at_s, times_s = line.at(self.query.times_s), self.reference.times_s
        after = np.minimum(np.searchsorted(times_s, at_s), len(times_s) - 1)
        before = np.maximum(after - 1, 0)
        rows = np.where(np.abs(times_s[after] - at_s) < np.abs(times_s[before] - at_s), after, before)
        found = self._similarities[np.arange(len(at_s)), rows]
        return np.where(np.abs(times_s[rows] - at_s) <= NEAREST_S, found, -1.0)


@dataclass(frozen=True, slots=True)
class Looker:
    """Decodes both sides around a stretch of the query."""

    look_query: Look
    look_reference: Look
    durations_s: tuple[float, float]

    def __call__(self, start_s: float, end_s: float, line: Line) -> Window:
        query = _inside(start_s, end_s, self.durations_s[0])
        r_start_s, r_end_s = sorted(line.at(np.array([query.start_s, query.end_s])).tolist())
        reference = _inside(r_start_s - SLACK_S, r_end_s + SLACK_S, self.durations_s[1])
        return Window(self.look_query(query), self.look_reference(reference))


def refine_ends(
    segment: Segment, look_query: Look, look_reference: Look, durations_s: tuple[float, float], floor: float
) -> Segment:
    """The segment with exact ends, marked as refined; unchanged when the dense frames say too little.

    `durations_s` are those of query and reference, `floor` is the similarity of unrelated pictures.
    """
    if segment.query_span.length_s == 0 or segment.reference_span.length_s == 0:
        return segment
    span = segment.query_span
    line = Line.through(span, segment.reference_span, segment.speed)
    look = Looker(look_query, look_reference, durations_s)
    inner_s = min(INNER_S, span.length_s / 2)
    windows = [
        look(span.start_s - OUTER_S, span.start_s + inner_s, line),
        look(span.end_s - inner_s, span.end_s + OUTER_S, line),
    ]
    before, line = line, correct_line(windows, line, span, floor)
    ends_s = np.array([span.start_s, span.end_s])
    if np.abs(line.at(ends_s) - before.at(ends_s)).max() > SLACK_S - NEAREST_S:
        windows = []  # they do not reach around the new line
    start_s = _find_end(look, span.start_s, inner_s, -1, line, floor, windows[:1])
    end_s = _find_end(look, span.end_s, inner_s, +1, line, floor, windows[1:])
    if start_s is None or end_s is None:
        return segment
    first_s, last_s = line.inside(durations_s[1])
    start_s, end_s = max(start_s, 0.0, first_s), min(end_s, durations_s[0], last_s)
    if end_s - start_s < 0.5 * min(span.length_s, 2.0):
        return segment
    r_start_s, r_end_s = sorted(np.maximum(0.0, line.at(np.array([start_s, end_s]))).tolist())
    return replace(
        segment,
        query_span=Span(start_s, end_s),
        reference_span=Span(r_start_s, r_end_s),
        speed=line.speed,
        refined=True,
    )


def correct_line(windows: Sequence[Window], line: Line, span: Span, floor: float) -> Line:
    """The line near `line` along which the dense frames agree most.

    Tried are its own speed, each common one that moves the ends by no more than SLACK_S, and the one through the
    best offsets of both ends; where the frames do not care, the more usual speed and the smaller change win.
    """
    middle_s = (span.start_s + span.end_s) / 2
    pivot_s = line.speed * middle_s + line.offset_s
    reach = SLACK_S / max(span.length_s / 2, 1e-6)
    sign = 1.0 if line.speed > 0 else -1.0
    speeds = [
        sign * speed for speed in COMMON_SPEEDS if abs(speed - abs(line.speed)) <= min(reach, 0.6 * abs(line.speed))
    ]
    tried = dict.fromkeys([*speeds, line.speed])
    if span.length_s >= 4 * INNER_S:
        moves_s = [_best_move([window], line.speed, pivot_s, middle_s, floor)[1] for window in windows]
        through_both = line.speed + (moves_s[-1] - moves_s[0]) / span.length_s
        alike = any(abs(speed - through_both) * span.length_s / 2 <= SAME_LINE_S for speed in speeds)
        if abs(through_both - line.speed) <= reach and not alike:
            tried[through_both] = None
    best: tuple[float, Line] | None = None
    for speed in tried:
        agreement, move_s = _best_move(windows, speed, pivot_s, middle_s, floor)
        worth = agreement * (1.0 if abs(speed) == 1 else 0.99 if abs(speed) in COMMON_SPEEDS else 0.98)
        if best is None or worth > best[0]:
            best = worth, Line(speed, pivot_s + move_s - speed * middle_s)
    assert best is not None
    return best[1]


def _best_move(
    windows: Sequence[Window], speed: float, pivot_s: float, middle_s: float, floor: float
) -> tuple[float, float]:
    """Agreement and seconds by which the line of that speed moves to reach it.

    Of a narrow peak the middle; of a broad one, where a static scene leaves it open, the move nearest to 0.
    """

    def agreement(moves_s: NDArray[np.float64]) -> NDArray[np.float64]:
        lines = [Line(speed, pivot_s + move_s - speed * middle_s) for move_s in moves_s]
        return np.array([sum(float(np.maximum(0, w.along(x) - floor).sum()) for w in windows) for x in lines])

    coarse_s = np.arange(-SLACK_S, SLACK_S + 1e-9, STEP_S)
    found = agreement(coarse_s)
    near_s = _middle_of_peak(coarse_s, found)
    fine_s = near_s + np.arange(-STEP_S, STEP_S + 1e-9, FINE_STEP_S)
    finer = agreement(fine_s)
    return max(float(found.max()), float(finer.max())), _middle_of_peak(fine_s, finer, near_s)


def _middle_of_peak(moves_s: NDArray[np.float64], agreement: NDArray[np.float64], near_s: float = 0.0) -> float:
    good_s = moves_s[agreement >= agreement.max() - 0.02 * float(np.ptp(agreement))]
    if np.ptp(good_s) <= NEAREST_S:
        return float(good_s[0] + good_s[-1]) / 2
    return float(good_s[np.argmin(np.abs(good_s - near_s))])


def _find_end(
    look: Looker, at_s: float, inner_s: float, direction: int, line: Line, floor: float, seen: Sequence[Window]
) -> float | None:
    """The change point nearest the end; looks further on while it lies at the border of what was seen.

    `seen` is the first look, where it was already taken.
    """
    duration_s = look.durations_s[0]
    for number in range(MAX_LOOKS):
        out_s, in_s = at_s + direction * OUTER_S, at_s - direction * inner_s
        window = seen[number] if number < len(seen) else look(min(out_s, in_s), max(out_s, in_s), line)
        times_s, similarities, vectors = window.query.times_s, window.along(line), window.query.vectors
        if direction > 0:
            times_s, similarities, vectors = times_s[::-1], similarities[::-1], vectors[::-1]
        first = _change_point(similarities, vectors, floor)
        if first is None:
            return None
        if first > 0:
            return float(times_s[first - 1] + times_s[first]) / 2
        edge_s = 0.0 if direction < 0 else duration_s
        if abs(edge_s - times_s[0]) <= 1.0 and (out_s <= 0 or out_s >= duration_s):
            return edge_s
        at_s = float(times_s[0])
    return at_s


def _change_point(similarities: NDArray[np.float64], vectors: NDArray[np.float32], floor: float) -> int | None:
    """Row from which the similarities, outer first, belong to the copy.

    The suffix with the greatest sum over a threshold between unrelated and inside, nearer to unrelated: a frame of fast
    action is less like its neighbour than one of a quiet scene. A copy is spliced in with a cut, so a cut of the query
    beside that row is worth as much as a frame that agrees.
    """
    if len(similarities) < 3:
        return None
    inside = float(np.quantile(similarities, 0.9))
    if inside < floor + MIN_RISE:
        return None
    gains = np.clip(similarities - (floor + (inside - floor) / 3), -0.3, 0.3)
    worth = np.cumsum(gains[::-1])[::-1]
    alike = np.einsum("nd,nd->n", vectors[1:], vectors[:-1])
    worth[1:] += CUT_WORTH * np.clip((1 - alike) / (1 - floor), 0, 1) ** 2
    return int(np.argmax(worth))


def _inside(start_s: float, end_s: float, duration_s: float) -> Span:
    start_s = min(max(0.0, start_s), duration_s)
    return Span(start_s, min(max(start_s, end_s), duration_s))
