"""The default aligner: votes for speed and offset, a robust line, the best run along it; then the next one."""

import numpy as np
from numpy.typing import NDArray

from vcd.align.extent import GAIN_LIMITS, MIN_GAIN, Run, along, find_run
from vcd.align.line import NEAR_S, Hits, Line, best_line, fit_line, speed_grid
from vcd.align.score import score_run, weigh
from vcd.align.still import align_still
from vcd.config import AlignConfig
from vcd.types import Descriptors, FrameMatches, Segment, Span

MAX_HITS_PER_FRAME = 20
SHARPNESS = 0.05
"""A match this much less alike than the best of its query frame counts 1/e."""
WHOLE = 0.8
"""Share of a short file that is as good as all of it."""
USUAL = np.ones(1)
MIN_PLAIN_GAIN = 1.0
"""Less evidence for a line at the usual speed does not question one at another."""
EXACTER = 0.05
"""Margin by which frames must look more alike along the line at the usual speed."""
MAX_FAILURES = 3
"""Lines in vain after which a pair is given up."""
SAME_LINE_S = 1.0
"""Lines that lie no further apart where one piece ends and the next begins are one line."""


class VoteAligner:
    """Hough voting over (speed, offset) on real timestamps; see `vcd.align.line` and `vcd.align.extent`."""

    def __init__(self, config: AlignConfig, unrelated_similarity: float) -> None:
        self._config = config
        self._floor = unrelated_similarity
        self._speeds = speed_grid(config.min_speed, config.max_speed, config.backwards)

    def align(self, query: Descriptors, reference: Descriptors, matches: FrameMatches) -> list[Segment]:
        if not len(query) or not len(reference):
            return []
        if "image" in (query.info.kind, reference.info.kind):
            return align_still(query, reference, self._floor)
        hits = self._hits(query, matches)
        taken: list[tuple[Line, Run]] = []
        free = np.ones(len(query), dtype=bool)
        failures = 0
        while _worth_of(hits) >= MIN_GAIN and len(taken) < self._config.max_segments and failures < MAX_FAILURES:
            line, run = self._strongest(query, reference, hits, free)
            if run is None or run.gain < MIN_GAIN:
                # Many weak votes can hide a short strong copy.
                failures += 1
                hits = hits.take(np.abs(hits.r_s - line.at(hits.q_s)) > NEAR_S[0])
                continue
            taken.append((line, run))
            # What is explained votes no more, and no other run of this reference may cover it.
            hits = hits.take((hits.rows < run.first) | (hits.rows >= run.stop))
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
        kept = kept[np.lexsort((matches.reference_times_s[kept], matches.query_rows[kept]))]
        rows = matches.query_rows[kept]
        worth = np.asarray(weights[kept], dtype=np.float64)
        return Hits(rows, query.times_s[rows], matches.reference_times_s[kept], worth)

    def _strongest(
        self, query: Descriptors, reference: Descriptors, hits: Hits, free: NDArray[np.bool_]
    ) -> tuple[Line, Run | None]:
        """The line with most votes and its run, unless one at the usual speed fits the same frames better.

        A line at another speed can run through several pieces that were spliced, each at its usual speed.
        """
        line, run = self._follow(query, reference, hits, free, self._speeds)
        if run is None or line.speed == 1:
            return line, run
        plain, plain_run = self._follow(query, reference, hits, free, USUAL)
        if plain_run is None or plain_run.gain < MIN_PLAIN_GAIN:
            return line, run
        there = along(query, reference, line)[plain_run.first : plain_run.stop]
        better = float(np.nan_to_num(plain_run.similarities - there).mean()) >= EXACTER * (1 - self._floor)
        return (plain, plain_run) if better else (line, run)

    def _follow(
        self,
        query: Descriptors,
        reference: Descriptors,
        hits: Hits,
        free: NDArray[np.bool_],
        speeds: NDArray[np.float64],
    ) -> tuple[Line, Run | None]:
        start = best_line(hits, speeds)
        assert start is not None
        line = fit_line(hits, start, speeds)
        return line, find_run(query, along(query, reference, line), free, self._floor, self._config.merge_gap_s)

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
        """Whether both are pieces of one copy: a short gap, and lines that meet in it at about one speed."""
        (line, run), (other, next_run) = before, after
        from_s, to_s = float(query.times_s[run.stop - 1]), float(query.times_s[next_run.first])
        ends_s = np.array([from_s, to_s])
        apart_s = float(np.abs(line.at(ends_s) - other.at(ends_s)).max())
        return to_s - from_s <= self._config.merge_gap_s and apart_s <= SAME_LINE_S and line.speed * other.speed > 0

    def _segment(self, query: Descriptors, reference: Descriptors, line: Line, run: Run) -> Segment | None:
        """Ends halfway between the last frame inside and the first outside, and inside both files."""
        start_s, end_s = _ends(query, run)
        first_s, last_s = line.inside(reference.info.duration_s)
        start_s, end_s = max(start_s, first_s), min(end_s, last_s)
        if end_s <= start_s:
            return None
        r_ends = sorted(line.at(np.array([start_s, end_s])).tolist())
        evidence = weigh(query, reference, line, run, self._floor)
        return Segment(
            query=query.name,
            reference=reference.name,
            query_span=Span(start_s, end_s),
            reference_span=Span(max(0.0, r_ends[0]), max(0.0, r_ends[1])),
            score=score_run(evidence),
            speed=line.speed,
            view=query.view,
            evidence=evidence,
        )


def _worth_of(hits: Hits) -> float:
    """Most gain that any line through the hits can have: that of each row's best."""
    if not len(hits):
        return 0.0
    begins = np.flatnonzero(np.diff(hits.rows, prepend=-1))
    return float(np.minimum(GAIN_LIMITS[1], np.maximum.reduceat(hits.weights, begins)).sum())


def _ends(query: Descriptors, run: Run) -> tuple[float, float]:
    times_s = query.times_s
    start_s = 0.0 if run.first == 0 else float(times_s[run.first - 1] + times_s[run.first]) / 2
    if run.stop == len(query):
        return start_s, query.info.duration_s
    return start_s, float(times_s[run.stop - 1] + times_s[run.stop]) / 2
