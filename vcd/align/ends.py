"""Where exactly a copy begins and ends: both files looked at closely around each end.

First the line is corrected to what the close frames say, then each end is the change point of the similarity along
the line. This is done twice: with few frames of a wide stretch around each end, then with all those that matter around
what was found. Only the surroundings of the ends are decoded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vcd.align.line import COMMON_SPEEDS, Line
from vcd.types import Descriptors, Look, Segment, Span


@dataclass(frozen=True, slots=True)
class Grain:
    """How closely both files are looked at around the ends."""

    query_step_s: float
    reference_step_s: float
    """Steps between frames, at least."""
    outer_s: float
    inner_s: float
    """How far a look reaches out of the segment and into it."""
    slack_s: float
    """Most that the line is moved by at either end."""


COARSE = Grain(query_step_s=0.26, reference_step_s=0.18, outer_s=4.0, inner_s=3.0, slack_s=2.0)
FINE = Grain(query_step_s=0.1, reference_step_s=0.03, outer_s=0.7, inner_s=0.7, slack_s=0.3)
"""Coarse: neither step is a multiple of the other, so that each query frame is at another distance from the reference's
nearest, and together they tell the line more closely than one step. Fine: in fast action one frame off is another
picture, so every query frame must find its own among the reference's."""
STEP_S = 0.05
FINE_STEP_S = 0.01
SAME_LINE_S = 0.15
"""Lines whose ends differ by less than this are told apart by how usual their speeds are."""
LEAST_FRAMES = 8
"""A look at a short query takes smaller steps, so that it sees about this many frames."""
MAX_LOOKS = 6
"""Looks at one end, each further on while the end lies at the border of what was seen."""
MIN_RISE = 0.1
"""The inside must look this much more alike than unrelated pictures, or the end is left where it was."""
CUT_WORTH = 0.3
"""What a cut between two frames adds to the evidence that the copy begins or ends there."""
NEAREST_S = 0.5
"""A frame further than this from the moment sought does not stand for it."""


@dataclass(frozen=True, eq=False)
class Window:
    """Frames of the query around one end, and of the reference where the line puts them."""

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
    grain: Grain

    def __call__(self, start_s: float, end_s: float, line: Line) -> Window:
        query = _inside(start_s, end_s, self.durations_s[0])
        r_start_s, r_end_s = sorted(line.at(np.array([query.start_s, query.end_s])).tolist())
        slack_s = self.grain.slack_s
        reference = _inside(r_start_s - slack_s, r_end_s + slack_s, self.durations_s[1])
        return Window(
            self.look_query(query, min(self.grain.query_step_s, query.length_s / LEAST_FRAMES)),
            self.look_reference(reference, self.grain.reference_step_s),
        )


def refine_ends(
    segment: Segment, look_query: Look, look_reference: Look, durations_s: tuple[float, float], floor: float
) -> Segment:
    """The segment with exact ends, marked as refined; unchanged when the frames around them say too little.

    Where only the second, closer look says too little, the ends are those of the first.
    `durations_s` are those of query and reference, `floor` is the similarity of unrelated pictures.
    """
    if segment.query_span.length_s == 0 or segment.reference_span.length_s == 0:
        return segment
    span = segment.query_span
    line = Line.through(span, segment.reference_span, segment.speed)
    found = None
    for grain in (COARSE, FINE):
        closer = _look_closer(Looker(look_query, look_reference, durations_s, grain), span, line, floor)
        if closer is None:
            break
        found = span, line = closer
    if found is None:
        return segment
    first_s, last_s = line.inside(durations_s[1])
    start_s, end_s = max(span.start_s, 0.0, first_s), min(span.end_s, durations_s[0], last_s)
    if end_s - start_s < 0.5 * min(segment.query_span.length_s, 2.0):
        return segment
    r_start_s, r_end_s = sorted(np.maximum(0.0, line.at(np.array([start_s, end_s]))).tolist())
    return replace(
        segment,
        query_span=Span(start_s, end_s),
        reference_span=Span(r_start_s, r_end_s),
        speed=line.speed,
        refined=True,
    )


def _look_closer(look: Looker, span: Span, line: Line, floor: float) -> tuple[Span, Line] | None:
    """Better ends and a better line; None when what is seen says too little."""
    grain = look.grain
    inner_s = min(grain.inner_s, span.length_s / 2)
    windows = [
        look(span.start_s - grain.outer_s, span.start_s + inner_s, line),
        look(span.end_s - inner_s, span.end_s + grain.outer_s, line),
    ]
    before, line = line, correct_line(windows, line, span, floor, grain)
    ends_s = np.array([span.start_s, span.end_s])
    if np.abs(line.at(ends_s) - before.at(ends_s)).max() > 0.75 * grain.slack_s:
        windows = []  # they do not reach around the new line
    start_s = _find_end(look, span.start_s, inner_s, -1, line, floor, windows[:1])
    end_s = _find_end(look, span.end_s, inner_s, +1, line, floor, windows[1:])
    if start_s is None or end_s is None or start_s >= end_s:
        return None
    return Span(start_s, end_s), line


def correct_line(windows: Sequence[Window], line: Line, span: Span, floor: float, grain: Grain) -> Line:
    """The line near `line` along which the frames agree most.

    Tried are its own speed, each common one that moves the ends by no more than the slack, and the one through the
    best offsets of both ends; where the frames do not care, the more usual speed and the smaller change win.
    """
    middle_s = (span.start_s + span.end_s) / 2
    pivot_s = line.speed * middle_s + line.offset_s
    reach = grain.slack_s / max(span.length_s / 2, 1e-6)
    sign = 1.0 if line.speed > 0 else -1.0
    speeds = [
        sign * speed for speed in COMMON_SPEEDS if abs(speed - abs(line.speed)) <= min(reach, 0.6 * abs(line.speed))
    ]
    tried = dict.fromkeys([*speeds, line.speed])
    if span.length_s >= 4 * grain.inner_s:
        moves_s = [_best_move([window], line, floor, grain.slack_s)[1] for window in windows]
        through_both = line.speed + (moves_s[-1] - moves_s[0]) / span.length_s
        alike = any(abs(speed - through_both) * span.length_s / 2 <= SAME_LINE_S for speed in speeds)
        if abs(through_both - line.speed) <= reach and not alike:
            tried[through_both] = None
    best: tuple[float, Line] | None = None
    for speed in tried:
        turned = Line(speed, pivot_s - speed * middle_s)
        agreement, move_s = _best_move(windows, turned, floor, grain.slack_s)
        worth = agreement * (1.0 if abs(speed) == 1 else 0.99 if abs(speed) in COMMON_SPEEDS else 0.98)
        if best is None or worth > best[0]:
            best = worth, Line(speed, turned.offset_s + move_s)
    assert best is not None
    return best[1]


def _best_move(windows: Sequence[Window], line: Line, floor: float, slack_s: float) -> tuple[float, float]:
    """Agreement and seconds by which the line moves to reach it.

    Of a narrow peak the middle; of a broad one, where a static scene leaves it open, the move nearest to 0.
    """

    def agreement(moves_s: NDArray[np.float64]) -> NDArray[np.float64]:
        lines = [Line(line.speed, line.offset_s + move_s) for move_s in moves_s]
        return np.array([sum(float(np.maximum(0, w.along(x) - floor).sum()) for w in windows) for x in lines])

    coarse_s = np.arange(-slack_s, slack_s + 1e-9, STEP_S)
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
        out_s, in_s = at_s + direction * look.grain.outer_s, at_s - direction * inner_s
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
