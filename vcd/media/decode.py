"""Packets -> the wanted frames and their times, decoding no more than they need."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vcd.media.timeline import Timeline

VideoPacket: TypeAlias = "av.Packet[VideoStream]"
CAN_SPARE = frozenset({"h264", "hevc", "mpeg2video", "mpeg4"})
"""Codecs whose decoders take a frame by frame word on whether to skip what nothing refers to."""
TimedFrame = tuple[float, av.VideoFrame]
"""Seconds, and what is shown from then on."""


def decode_wanted(
    packets: Iterable[VideoPacket], timeline: Timeline, wanted: NDArray[np.int64], first: int = 0
) -> Iterator[TimedFrame]:
    """The frames of the `wanted` packets, by strictly rising time; `packets` start with number `first`.

    Where one does not come out of the decoder, the next that does stands in for it.
    """
    pending_s = np.unique(timeline.times_s[wanted])
    at = 0
    spared = ~np.isin(timeline.times_s, pending_s) & (timeline.delay == 0)
    for row, frame in _decode_needed(packets, timeline, needed_packets(timeline, wanted), spared, first):
        time_s = float(timeline.times_s[row])
        if time_s >= pending_s[at]:
            at = int(np.searchsorted(pending_s, time_s, side="right"))
            yield time_s, frame
        if at == len(pending_s):
            return


def needed_packets(timeline: Timeline, wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
    """bool (P,), packets that must be decoded: from each group's key frame to its last wanted packet.

    A wanted leading picture needs the whole group before its own as well; else leading pictures are left out.
    Where nobody knows which pictures are leading, each group needs the one before.
    """
    groups, leading = timeline.groups, timeline.is_leading
    rows = np.arange(len(timeline))
    # Packets of equal time are the fields of one frame.
    frame_ends = np.append(np.flatnonzero(np.diff(timeline.times_s)), len(rows) - 1)
    last_wanted = np.full(int(groups[-1]) + 1, -1, dtype=np.int64)
    np.maximum.at(last_wanted, groups[wanted], frame_ends[np.searchsorted(frame_ends, wanted)] + timeline.delay)
    last_of_group = np.searchsorted(groups, np.arange(len(last_wanted)), side="right") - 1
    before = groups[wanted[leading[wanted] | (timeline.delay > 0)]] - 1
    last_wanted[before] = last_of_group[before]
    is_whole = last_wanted >= last_of_group
    return np.asarray((rows <= last_wanted[groups]) & ~(leading & ~is_whole[groups - 1]))


def _decode_needed(
    packets: Iterable[VideoPacket],
    timeline: Timeline,
    needed: NDArray[np.bool_],
    spared: NDArray[np.bool_],
    first: int,
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Row and frame of the needed packets; the others are not even handed to the decoder.

    Of the needed ones, those `spared` are there only for what refers to them: the decoder skips what nothing does.

    After packets were left out the decoder is emptied and reset, as after a seek: H.264 counts pictures modulo
    a small number, so a key frame that is no IDR would otherwise come out in the wrong place, or not at all.
    Leading pictures do not count: no later packet refers to them.
    """
    last, leading = int(np.flatnonzero(needed)[-1]), timeline.is_leading
    counter = _Counter(timeline)
    context, skipped = None, False
    for row, packet in enumerate(pictures(packets), first):
        if row > last:
            break
        if not needed[row]:
            skipped |= not leading[row]
            continue
        context = packet.stream.codec_context
        if skipped and timeline.is_key[row]:
            yield from counter.number(drain(context))
            context.flush_buffers()
            skipped = False
        if context.codec.canonical_name in CAN_SPARE:
            context.skip_frame = "NONREF" if spared[row] else "DEFAULT"
        # A number instead of the time: it comes back with the frame, whatever the times are like.
        packet.pts = row
        yield from counter.number(decode_packet(packet))
    if context:
        yield from counter.number(drain(context))


class _Counter:
    """Which row of the timeline a frame belongs to."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline, self._starts = timeline, np.flatnonzero(timeline.is_key)
        self._shown = np.zeros(len(self._starts) + 1, dtype=np.int64)
        self._tag = -1

    def number(self, frames: Iterable[av.VideoFrame]) -> Iterator[tuple[int, av.VideoFrame]]:
        """The packet's own row; or, where order is all there is, the next row of its group that it can be."""
        for frame in frames:
            self._tag = self._tag + 1 if frame.pts is None else frame.pts
            row = self._tag
            if self._timeline.delay:
                group = int(np.searchsorted(self._starts, row, side="right"))
                start = int(self._starts[group - 1]) if group else 0
                row = max(start + int(self._shown[group]), row - self._timeline.delay)
                self._shown[group] = row - start + 1
            yield min(row, len(self._timeline) - 1), frame


def pictures(packets: Iterable[VideoPacket]) -> Iterator[VideoPacket]:
    """Packets that hold something: one for each row of the timeline, up to where the file breaks off."""
    try:
        for packet in packets:
            if packet.size:
                yield packet
    except (av.error.InvalidDataError, av.error.EOFError):
        return


def decode_packet(packet: VideoPacket) -> list[av.VideoFrame]:
    """The frames that come out of the decoder; a packet that it cannot read gives none. Raises `MemoryError`."""
    try:
        return packet.decode()
    except MemoryError:
        raise
    except av.FFmpegError:
        return []


def drain(context: VideoCodecContext) -> list[av.VideoFrame]:
    """The frames that the decoder still holds back."""
    try:
        return context.decode(None)
    except MemoryError:
        raise
    except av.FFmpegError:
        return []
