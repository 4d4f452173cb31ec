"""When each frame of a video is shown: found from the timestamps of its packets, before anything is decoded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BROADCASTS = {"mpegts", "mpeg"}
"""FFmpeg's names of formats without a header: a recording of them may start, break and end anywhere."""
MOSTLY = 0.6
"""With more than this share of presentation times missing they are of no use. Two fields of a frame that come
as two packets share one: half are missing then, and nothing is lost."""
BACK_S = 0.5
"""A clock that goes back by more than this was set anew: another recording begins."""
AHEAD_S = 10.0
"""The same for a clock that goes ahead, in broadcasts; as FFmpeg's own tool has it."""


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The packets of a video stream in decoding order (P of them)."""

    times_s: NDArray[np.float64]
    """float64 (P,), when the picture is shown, from where players start the file."""
    is_key: NDArray[np.bool_]
    """bool (P,): decodes without any other packet."""
    is_shown: NDArray[np.bool_]
    """bool (P,): a picture of its own, not cut away by an edit list, not dependent on what the file lacks."""
    sizes_bytes: NDArray[np.int64]
    end_s: float
    """When the last frame stops being shown."""
    marks: NDArray[np.int64]
    """int64 (P,), timestamp in the file, for seeking and for knowing the packet again."""
    delay: int = 0
    """More than 0: the file does not say in which order pictures are shown. The n-th picture shown has the n-th
    time, and its packet comes at most so many packets later."""

    def __len__(self) -> int:
        return len(self.times_s)

    def part(self, first: int, stop: int) -> "Timeline":
        """Packets [first, stop) in decoding order; the first should be a key frame."""
        rows = slice(first, stop)
        return replace(
            self, times_s=self.times_s[rows], is_key=self.is_key[rows], is_shown=self.is_shown[rows],
            sizes_bytes=self.sizes_bytes[rows], marks=self.marks[rows],
        )  # fmt: skip

    @property
    def groups(self) -> NDArray[np.int64]:
        """int64 (P,), number of the group of pictures a packet belongs to; a key frame starts a group."""
        return np.cumsum(self.is_key)

    @property
    def is_leading(self) -> NDArray[np.bool_]:
        """bool (P,): shown before its group's key frame, so it needs the group before as well."""
        return _is_leading(self.times_s, self.is_key)


class PacketRow(NamedTuple):
    """What a packet says about itself; times in units of the stream's time base."""

    pts: int | None
    dts: int | None
    is_key: bool
    is_discarded: bool
    """Cut away by an edit list."""
    size_bytes: int
    duration: int
    """0: unknown."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What the container and the decoder say about time."""

    base: Fraction
    """Seconds of a unit of time."""
    start_us: int | None
    """Where players start the file."""
    frames_per_s: Fraction
    """Nominal."""
    format: str
    delay: int
    """Pictures that the decoder holds back to put them in order, where the container does not tell it; else 0."""


def make_timeline(rows: Sequence[PacketRow], clock: Clock) -> Timeline:
    """At least one row, in decoding order."""
    is_key, is_discarded = (np.array([row[at] for row in rows], dtype=bool) for at in (2, 3))
    if not is_key.any():
        is_key[0] = True
    marks, is_own = _stamps(rows, clock)
    stamps = _without_jumps(marks, rows, clock)
    is_orphan = _is_leading(stamps, is_key) & (np.cumsum(is_key) == 1)
    is_shown = is_own & ~is_discarded & ~is_orphan & (np.cumsum(is_key) > 0)
    if not is_shown.any():
        is_shown[:] = True
    zero = Fraction(int(stamps[is_shown].min())) * clock.base
    if clock.start_us is not None:
        zero = min(zero, Fraction(clock.start_us, 1_000_000))
    times_s = stamps * float(clock.base) - float(zero)
    times_s[np.abs(times_s) < 1e-9] = 0.0  # what rounding leaves would be a time before the film
    last = int(np.argmax(np.where(is_shown, times_s, -np.inf)))
    steps_s = np.diff(np.unique(times_s[is_shown]))
    usual_s = float(np.median(steps_s)) if len(steps_s) else float(1 / clock.frames_per_s)
    return Timeline(
        times_s=times_s,
        is_key=is_key,
        is_shown=is_shown,
        sizes_bytes=np.array([row.size_bytes for row in rows], dtype=np.int64),
        end_s=float(times_s[last] + (rows[last].duration * float(clock.base) or usual_s)),
        marks=marks.astype(np.int64),
        delay=clock.delay,
    )


def tells_order(rows: Sequence[PacketRow], container_format: str) -> bool:
    """Whether presentation times may differ from the order of decoding.

    An AVI and a bare stream say nothing about presentation; FFmpeg then makes up times from the order of decoding.
    """
    pts = [row.pts for row in rows if row.pts is not None]
    if container_format == "avi" or len(pts) < (1 - MOSTLY) * len(rows):
        return False
    return any(row.is_discarded for row in rows) or any(after < before for before, after in pairwise(pts))


def _stamps(rows: Sequence[PacketRow], clock: Clock) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Presentation time of each packet, and whether it is its own."""
    pts = _column([row.pts for row in rows])
    dts = _column([row.dts for row in rows])
    if clock.format == "avi" or np.isnan(pts).mean() > MOSTLY:
        return _interpolate(dts, float(1 / (clock.frames_per_s * clock.base))), np.ones(len(rows), dtype=bool)
    known = np.where(np.isnan(pts), dts, pts)
    is_own = ~np.isnan(known)
    # A packet without a time is the second field of the frame before it.
    return known[np.maximum.accumulate(np.where(is_own, np.arange(len(rows)), np.argmax(is_own)))], is_own


def _column(values: Sequence[int | None]) -> NDArray[np.float64]:
    """NaN where there is no time; a time stamp has far fewer than the 53 bits that float64 holds exactly."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _interpolate(values: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Whole numbers, with what is missing put evenly between its neighbours."""
    rows = np.arange(len(values))
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return np.round(rows * step)
    outside = np.minimum(rows - known[0], 0) + np.maximum(rows - known[-1], 0)
    return np.asarray(np.round(np.interp(rows, known, values[known]) + outside * step))


def _without_jumps(stamps: NDArray[np.float64], rows: Sequence[PacketRow], clock: Clock) -> NDArray[np.float64]:
    """Where the clock was set anew (two recordings in one file) time goes on as it does on screen."""
    step = float(1 / (clock.frames_per_s * clock.base))
    steps = np.diff(_interpolate(_column([row.dts for row in rows]), step))
    jumps = steps * float(clock.base) < -BACK_S
    if clock.format in BROADCASTS:
        jumps |= steps * float(clock.base) > AHEAD_S
    if not jumps.any():
        return stamps
    usual = np.median(steps[~jumps]) if not jumps.all() else np.round(step)
    shifts = np.cumsum(np.where(jumps, usual - steps, 0.0))
    return stamps + np.concatenate(([0.0], shifts))


def _is_leading(times: NDArray[np.float64], is_key: NDArray[np.bool_]) -> NDArray[np.bool_]:
    key_times = np.concatenate(([-np.inf], times[is_key]))
    return np.asarray(times < key_times[np.cumsum(is_key)])
