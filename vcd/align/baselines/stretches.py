"""Stretches that a baseline finds -> `Segment`s: what all baselines have in common."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from vcd.align.extent import Run, along, gains_of
from vcd.align.line import Line
from vcd.align.overlap import SAME
from vcd.align.score import score_run, weigh
from vcd.align.still import align_still
from vcd.config import AlignConfig
from vcd.types import Descriptors, FrameMatches, Segment, Span


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where the query follows the reference, as a baseline sees it."""

    query: Span
    reference: Span
    speed: float | None = None
    """None: what the two lengths say; negative: backwards."""

    @property
    def line(self) -> Line:
        speed = self.speed or self.reference.length_s / self.query.length_s
        return Line.through(self.query, self.reference, speed)


Find = Callable[[Descriptors, Descriptors, FrameMatches, float, AlignConfig], Iterable[Stretch]]
"""Query, reference, matches, similarity of unrelated pictures, settings -> stretches, the strongest first."""


class BaselineAligner:
    """An `Aligner` around a function that finds stretches.

    Its segments get the score that the default aligner would give them, so that aligners differ in what they find
    and not in how sure they are of it.
    """

    def __init__(self, find: Find, config: AlignConfig, unrelated_similarity: float) -> None:
        self._find = find
        self._config = config
        self._floor = unrelated_similarity

    def align(self, query: Descriptors, reference: Descriptors, matches: FrameMatches) -> list[Segment]:
        if not len(query) or not len(reference):
            return []
        if "image" in (query.info.kind, reference.info.kind):
            return align_still(query, reference, self._floor)
        durations_s = query.info.duration_s, reference.info.duration_s
        shortest_s = min(self._config.min_length_s, *durations_s)
        kept: list[Stretch] = []
        for stretch in self._find(query, reference, matches, self._floor, self._config):
            clipped = _clip(stretch, *durations_s)
            if clipped is None or clipped.query.length_s < shortest_s or any(_same(clipped, other) for other in kept):
                continue
            kept.append(clipped)
            if len(kept) == self._config.max_segments:
                break
        return sorted((_segment(query, reference, stretch, self._floor) for stretch in kept), key=Segment.sort_key)


def _same(a: Stretch, b: Stretch) -> bool:
    """Whether both claim the same copy: the one that was found first stays."""
    sides = ((a.query, b.query), (a.reference, b.reference))
    return all(one.overlap_s(other) >= SAME * min(one.length_s, other.length_s) for one, other in sides)


def _clip(stretch: Stretch, query_s: float, reference_s: float) -> Stretch | None:
    """The part of it that lies inside both files."""
    q_start_s, q_end_s = max(0.0, stretch.query.start_s), min(query_s, stretch.query.end_s)
    r_start_s, r_end_s = max(0.0, stretch.reference.start_s), min(reference_s, stretch.reference.end_s)
    if q_end_s <= q_start_s or r_end_s <= r_start_s:
        return None
    return Stretch(Span(q_start_s, q_end_s), Span(r_start_s, r_end_s), stretch.speed)


def _segment(query: Descriptors, reference: Descriptors, stretch: Stretch, floor: float) -> Segment:
    line = stretch.line
    first, stop = np.searchsorted(query.times_s, [stretch.query.start_s, stretch.query.end_s]).tolist()
    similarities = along(query, reference, line)[first:stop]
    gain = float(gains_of(similarities, query.quality[first:stop], floor).sum())
    run = Run(first, stop, gain, similarities)
    evidence = weigh(query, reference, line, run, floor) if stop > first else None
    return Segment(
        query=query.name,
        reference=reference.name,
        query_span=stretch.query,
        reference_span=stretch.reference,
        score=score_run(evidence) if evidence else 0.0,
        speed=line.speed,
        view=query.view,
        evidence=evidence,
    )
