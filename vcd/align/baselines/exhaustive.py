"""The slow twin of `vote`: every speed and every offset is tried on all similarities.

What the default aligner looks for is the line, and the run of query frames along it, with the greatest sum of gains
(`vcd.align.extent`); then the next one among the frames that are left. This does just that, without votes, without
matches and without a shortcut, in time (speeds x offsets x frames).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vcd.align.baselines.stretches import Stretch
from vcd.align.extent import GAIN_LIMITS, MIN_GAIN, MISS, along, find_run, gains_of
from vcd.align.line import COMMON_SPEEDS, Line, speed_grid
from vcd.config import AlignConfig
from vcd.types import Descriptors, FrameMatches, Span

STEP_S = 0.5
"""Between tried offsets."""
AS_GOOD = 0.97
"""Lines with this share of the greatest gain explain as much; of them that is taken along which frames agree most."""
FINE_SPEEDS = np.linspace(0.97, 1.03, 25)
FINE_OFFSETS_S = np.linspace(-1.0, 1.0, 41)
REACH_S = 2.5
"""Reference frames further apart than twice this say nothing about what is between."""


def find_exhaustively(
    query: Descriptors,
    reference: Descriptors,
    matches: FrameMatches,  # noqa: ARG001 (it looks at all similarities)
    floor: float,
    config: AlignConfig,
) -> Iterator[Stretch]:
    """The best line and run; then the best among the query frames that are left."""
    free = np.ones(len(query), dtype=bool)
    speeds = speed_grid(config.min_speed, config.max_speed, config.backwards)
    while True:
        line = _best_line(query, reference, free, floor, speeds)
        run = find_run(query, along(query, reference, line), free, floor)
        if run is None or run.gain < MIN_GAIN:
            return
        rows = np.arange(run.first, run.stop)
        free[rows] = False
        line = _place(query, reference, rows, line, (config.min_speed, config.max_speed))
        start_s = 0.0 if run.first == 0 else float(query.times_s[run.first - 1 : run.first + 1].mean())
        end_s = float(query.times_s[run.stop - 1 : run.stop + 1].mean()) if run.stop < len(query) else np.inf
        # Where the query outlasts the reference, the copy ends with the reference.
        first_s, last_s = line.inside(reference.info.duration_s)
        start_s, end_s = max(start_s, first_s), min(end_s, query.info.duration_s, last_s)
        if end_s > start_s:
            r_start_s, r_end_s = sorted(line.at(np.array([start_s, end_s])).tolist())
            yield Stretch(Span(start_s, end_s), Span(r_start_s, r_end_s), line.speed)


def _best_line(
    query: Descriptors, reference: Descriptors, free: NDArray[np.bool_], floor: float, speeds: NDArray[np.float64]
) -> Line:
    """Of the lines with (nearly) the greatest gain the one with the greatest sum of similarities, 1 before others."""
    found: list[tuple[float, float, Line]] = []
    moments_s = np.arange(0.0, reference.info.duration_s + STEP_S, STEP_S)
    seen = np.stack([along(query, reference, Line(1e-9, float(at_s))) for at_s in moments_s], axis=1)
    gains = gains_of(seen, query.quality[:, None], floor)
    gains[~free] = -np.inf
    rows = np.arange(len(query))
    for speed in speeds:
        ends_s = speed * query.times_s[[0, -1]]
        offsets_s = np.arange(-ends_s.max(), reference.info.duration_s - ends_s.min(), STEP_S)
        columns = np.rint((speed * query.times_s[:, None] + offsets_s[None, :]) / STEP_S).astype(np.int64)
        outside = (columns < 0) | (columns >= len(moments_s))
        columns = np.clip(columns, 0, len(moments_s) - 1)
        nothing = np.where(free, GAIN_LIMITS[0] - MISS, -np.inf)[:, None]
        best = greatest_runs(np.where(outside, nothing, gains[rows[:, None], columns]))
        for peak in np.flatnonzero(best >= AS_GOOD * best.max()):
            likeness = np.nan_to_num(np.where(outside[:, peak], 0.0, seen[rows, columns[:, peak]])[free])
            worth = float(np.maximum(0, likeness - floor).sum()) * (1.0 if speed == 1 else 0.97 if speed > 0 else 0.9)
            found.append((float(best[peak]), worth, Line(float(speed), float(offsets_s[peak]))))
    most = max(gain for gain, _, _ in found)
    return max((item for item in found if item[0] >= AS_GOOD * most), key=lambda item: item[1])[2]


def greatest_runs(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 (L,), the greatest sum of neighbouring rows in each column of gains (N, L), at least 0."""
    totals, best = np.zeros(gains.shape[1]), np.zeros(gains.shape[1])
    for row in gains:
        totals = np.maximum(0.0, totals + row)
        best = np.maximum(best, totals)
    return best


def _place(
    query: Descriptors, reference: Descriptors, rows: NDArray[np.int64], line: Line, limits: tuple[float, float]
) -> Line:
    """The line near `line` along which the rows agree most with what lies between the sampled reference frames."""
    middle_s = float(query.times_s[rows].mean())
    pivot_s = line.speed * middle_s + line.offset_s
    sign, tried = float(np.sign(line.speed)), [line.speed * ratio for ratio in FINE_SPEEDS]
    usual = [sign * speed for speed in COMMON_SPEEDS if min(tried) <= sign * speed <= max(tried)]
    speeds = [speed for speed in [*usual, *tried] if limits[0] <= abs(speed) <= limits[1]]
    similarities = query.vectors[rows] @ reference.vectors.T
    best: tuple[float, Line] | None = None
    for number, speed in enumerate(speeds):
        for move_s in FINE_OFFSETS_S:
            here = Line(speed, pivot_s + float(move_s) - speed * middle_s)
            worth = _between(similarities, reference.times_s, here.at(query.times_s[rows]))
            worth *= 1.0 if number < len(usual) else 0.99
            if best is None or worth > best[0]:
                best = worth, here
    assert best is not None
    return best[1]


def _between(similarities: NDArray[np.float32], times_s: NDArray[np.float64], at_s: NDArray[np.float64]) -> float:
    """Sum of the similarities at those moments, interpolated between the two sampled frames around each."""
    after = np.clip(np.searchsorted(times_s, at_s), 0, len(times_s) - 1)
    before = np.maximum(after - 1, 0)
    rows = np.arange(len(at_s))
    gap_s = times_s[after] - times_s[before]
    share = np.clip((at_s - times_s[before]) / np.where(gap_s > 0, gap_s, 1.0), 0, 1)
    inside = (at_s >= times_s[0] - REACH_S) & (at_s <= times_s[-1] + REACH_S) & (gap_s <= 2 * REACH_S)
    mixed = (1 - share) * similarities[rows, before] + share * similarities[rows, after]
    return float(np.where(inside, mixed, 0.0).sum())
