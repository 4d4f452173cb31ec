"""Which moments of a video to look at: a choice on the timeline, before anything is decoded.

Being a function of timestamps, key flags and packet sizes alone, the choice is the same whatever the number
of threads. The mode ``scene`` needs the pictures: `video` takes every frame and keeps those after a change.
"""

import numpy as np
from numpy.typing import NDArray

from vcd.config import SampleConfig
from vcd.media.timeline import Timeline
from vcd.types import Span

MIN_STEP_S = 0.2
"""Key frames closer than this are thinned: intra-only files have nothing but key frames."""

KEY_STEP_S = 0.5
"""Hybrid takes key frames this far apart, however large its gap: they cost little."""

LEAST_STEP = 0.25
"""Nor closer than this share of the gap where it fills one."""

NEAR_S = 0.15
"""The largest packet within so long is one that others refer to: taking it costs no more than a neighbour."""

STANDS_OUT = 1.5
"""A packet so many times as large as the second largest around it may hold another scene."""

LEAST_FRAMES = 10
"""Hybrid samples a short file more closely, so that it has about this many frames."""


def choose_packets(timeline: Timeline, config: SampleConfig) -> NDArray[np.int64]:
    """int64 (n,), packets whose frames are wanted, by rising time; at least one."""
    order = _by_time(timeline)
    times_s = timeline.times_s[order]
    keys = timeline.is_key[order]
    if config.mode == "uniform":
        rows = _first_at_or_after(times_s, config.gap_s, timeline.end_s)
    elif config.mode == "iframe":
        rows = _thin(np.flatnonzero(keys), times_s, MIN_STEP_S)
    elif config.mode == "hybrid":
        gap_s = min(config.gap_s, max(MIN_STEP_S, timeline.end_s / LEAST_FRAMES))
        # The first frame shown need not be a key frame: an edit list may cut its key frame away.
        anchors = _thin(np.union1d([0], np.flatnonzero(keys)), times_s, min(KEY_STEP_S, gap_s / 2))
        rows = _fill(anchors, times_s, timeline.sizes_bytes[order], gap_s, timeline.end_s)
    else:
        rows = np.arange(len(order))
    return order[rows] if len(rows) else order[:1]


def choose_spread(timeline: Timeline, count: int) -> NDArray[np.int64]:
    """int64 (n,), at most so many packets all over the file; key frames, which cost least, where there are enough."""
    order = _by_time(timeline)
    keys = order[timeline.is_key[order]]
    rows = keys if len(keys) >= count else order
    return rows[np.unique(np.linspace(0, len(rows) - 1, count).round().astype(np.int64))]


def choose_between(timeline: Timeline, span: Span, step_s: float) -> NDArray[np.int64]:
    """int64 (n,), packets whose frames are shown in the span, at least a step apart; perhaps none."""
    order = _by_time(timeline)
    times_s = timeline.times_s[order]
    first, stop = np.searchsorted(times_s, [span.start_s - 1e-6, span.end_s - 1e-6])
    return order[_thin(np.arange(first, stop), times_s, step_s)]


def _by_time(timeline: Timeline) -> NDArray[np.int64]:
    """Packets that can be shown, by rising time, one for each time."""
    shown = np.flatnonzero(timeline.is_shown)
    _, first = np.unique(timeline.times_s[shown], return_index=True)
    return shown[first]


def _first_at_or_after(times_s: NDArray[np.float64], step_s: float, end_s: float) -> NDArray[np.int64]:
    """For each multiple of the step, the first frame shown at or after it."""
    ticks = np.arange(0.0, max(end_s, step_s), step_s)
    rows = np.unique(np.searchsorted(times_s, ticks - 1e-6))
    return rows[rows < len(times_s)]


def _thin(rows: NDArray[np.int64], times_s: NDArray[np.float64], step_s: float) -> NDArray[np.int64]:
    """Leave out what follows its kept predecessor in less than the step."""
    kept: list[int] = []
    for row in rows:
        if not kept or times_s[row] - times_s[kept[-1]] >= step_s - 1e-6:
            kept.append(int(row))
    return np.array(kept, dtype=np.int64)


def _fill(
    anchors: NDArray[np.int64],
    times_s: NDArray[np.float64],
    sizes: NDArray[np.int64],
    gap_s: float,
    end_s: float,
) -> NDArray[np.int64]:
    """`anchors` and, where two are further apart than the gap, frames between them.

    The next frame is sought from half a gap to a whole gap after the last one; the largest packet there wins,
    because a change of scene inside a group of pictures costs many bytes. The last frame before an anchor is the first
    that reaches it by a gap, unless a packet stands out: what follows it need not be decoded.
    """
    chosen: list[int] = []
    for row, limit_s in zip(anchors, [*times_s[anchors[1:]], end_s], strict=True):
        at = int(row)
        chosen.append(at)
        while limit_s - times_s[at] > gap_s + 1e-6:
            early_s, late_s = times_s[at] + gap_s / 2, times_s[at] + gap_s
            first, stop = _rows_within(times_s, early_s, late_s)
            if limit_s - late_s <= gap_s + 1e-6 and not _stands_out(sizes[first:stop]):
                enough_s = max(limit_s - gap_s, times_s[at] + LEAST_STEP * gap_s)
                first, stop = _rows_within(times_s, enough_s, min(late_s, enough_s + NEAR_S))
            # Else the last frame that the gap still allows, or where the film itself has none the next one.
            at = first + int(np.argmax(sizes[first:stop])) if stop > first else max(at + 1, stop - 1)
            if at >= len(times_s) or times_s[at] >= limit_s:
                break
            chosen.append(at)
    return np.array(chosen, dtype=np.int64)


def _rows_within(times_s: NDArray[np.float64], early_s: float, late_s: float) -> tuple[int, int]:
    first = int(np.searchsorted(times_s, early_s - 1e-6))
    return first, int(np.searchsorted(times_s, late_s + 1e-6, side="right"))


def _stands_out(sizes: NDArray[np.int64]) -> bool:
    """Whether one packet is so much larger than the next largest that the scene may have changed."""
    if len(sizes) < 3:
        return False
    second, largest = np.partition(sizes, -2)[-2:]
    return bool(largest > STANDS_OUT * second)
