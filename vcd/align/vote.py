"""The default aligner: votes for speed and offset, a robust line, the best run along it; then the next one."""

import numpy as np
from numpy.typing import NDArray

from vcd.align.extent import Run, along, find_run
from vcd.align.line import Hits, Line, best_line, fit_line, speed_grid
from vcd.align.score import score_run, weigh
from vcd.align.still import align_still
from vcd.config import AlignConfig
from vcd.types import Descriptors, FrameMatches, Segment, Span

MAX_HITS_PER_FRAME = 20
SHARPNESS = 0.05
"""A match this much less alike than the best of its query frame counts 1/e."""
WHOLE = 0.8
"""Share of a short file that is as good as all of it."""
MIN_GAIN = 0.3
"""Runs with less evidence are not worth a second look."""


class VoteAligner:
    """Hough voting over (speed, offset) on real timestamps; see `vcd.align.line` and `vcd.align.extent`."""

    def __init__(self, config: AlignConfig, unrelated_similarity: float) -> None:
        self._config = config
        self._floor = unrelated_similarity
        self._speeds = speed_grid(config.min_speed, config.max_speed)

    def align(self, query: Descriptors, reference: Descriptors, matches: FrameMatches) -> list[Segment]:
        if not len(query) or not len(reference):
            return []
        if "image" in (query.info.kind, reference.info.kind):
            return align_still(query, reference, self._floor)
        hits = self._hits(query, matches)
        taken: list[tuple[Line, Run]] = []
        free = np.ones(len(query), dtype=bool)
        while len(hits) and len(taken) < self._config.max_segments:
            line, run = self._strongest(query, reference, hits, free)
            if run is None or run.gain < MIN_GAIN:
                break
            taken.append((line, run))
            # What is explained votes no more, and no other run of this reference may cover it.
            inside = (hits.rows >= run.first) & (hits.rows < run.stop)
            hits = hits.take(~inside)
            free[run.first : run.stop] = False
        segments = [self._segment(query, reference, line, run) for line, run in self._merge(query, taken)]
        # A file shorter than the limit can still be copied as a whole.
        shortest_s = min(self._config.min_length_s, WHOLE * query.info.duration_s, WHOLE * reference.info.duration_s)
        kept = [s for s in segments if s is not None and s.query_span.length_s >= shortest_s]
        return sorted(kept, key=Segment.sort_key)

    def _hits(self, query: Descriptors, matches: FrameMatches) -> Hits:
        """Matches above the floor, the best few of each query frame."""
        similarities = matches.similarities.astype(np.float64)
        best = np.zeros(len(query))
        np.maximum.at(best, matches.query_rows, similarities)
        # Of the frames of a static scene the nearest in time looks most alike, if only by little.
        sharp = np.exp(-(best[matches.query_rows] - similarities) / SHARPNESS)
        weights = np.maximum(0, similarities - self._floor) * query.quality[matches.query_rows] * sharp
        order = np.lexsort((-weights, matches.query_rows))
        rows = matches.query_rows[order]
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows, side="left")
        kept = order[(rank < MAX_HITS_PER_FRAME) & (weights[order] > 0)]
        rows = matches.query_rows[kept]
        worth = np.asarray(weights[kept], dtype=np.float64)
        return Hits(rows, query.times_s[rows], matches.reference_times_s[kept], worth)

    def _strongest(
        self, query: Descriptors, reference: Descriptors, hits: Hits, free: NDArray[np.bool_]
    ) -> tuple[Line, Run | None]:
        start = best_line(hits, self._speeds)
        assert start is not None
        line = fit_line(hits, start, self._speeds)
        return line, find_run(query, along(query, reference, line), free, self._floor)

    def _merge(self, query: Descriptors, taken: list[tuple[Line, Run]]) -> list[tuple[Line, Run]]:
        """Pieces that follow one line with a short gap between them become one; the stronger line stays."""
        merged: list[tuple[Line, Run]] = []
        for line, run in sorted(taken, key=lambda piece: piece[1].first):
            if merged and self._continues(query, merged[-1], (line, run)):
                before_line, before = merged.pop()
                gap = np.zeros(run.first - before.stop)
                joined = np.concatenate([before.similarities, gap, run.similarities])
                line = before_line if before.gain >= run.gain else line
                run = Run(before.first, run.stop, before.gain + run.gain, joined)
            merged.append((line, run))
        return merged

    def _continues(self, query: Descriptors, before: tuple[Line, Run], after: tuple[Line, Run]) -> bool:
        gap_s = query.times_s[after[1].first] - query.times_s[before[1].stop - 1]
        middle_s = np.array([query.times_s[after[1].first]])
        apart_s = abs(float(before[0].at(middle_s)[0] - after[0].at(middle_s)[0]))
        return bool(gap_s <= self._config.merge_gap_s and apart_s <= 1.0)

    def _segment(self, query: Descriptors, reference: Descriptors, line: Line, run: Run) -> Segment | None:
        """Ends halfway between the last frame inside and the first outside, and inside both files."""
        start_s, end_s = _ends(query, run)
        at_zero_s = -line.offset_s / line.speed
        at_end_s = (reference.info.duration_s - line.offset_s) / line.speed
        start_s = max(start_s, min(at_zero_s, at_end_s))
        end_s = min(end_s, max(at_zero_s, at_end_s))
        if end_s <= start_s:
            return None
        r_ends = sorted(line.at(np.array([start_s, end_s])).tolist())
        return Segment(
            query=query.name,
            reference=reference.name,
            query_span=Span(start_s, end_s),
            reference_span=Span(max(0.0, r_ends[0]), max(0.0, r_ends[1])),
            score=score_run(weigh(query, reference, line, run, self._floor)),
            speed=line.speed,
            view=query.view,
        )


def _ends(query: Descriptors, run: Run) -> tuple[float, float]:
    times_s = query.times_s
    start_s = 0.0 if run.first == 0 else float(times_s[run.first - 1] + times_s[run.first]) / 2
    if run.stop == len(query):
        return start_s, query.info.duration_s
    return start_s, float(times_s[run.stop - 1] + times_s[run.stop]) / 2
