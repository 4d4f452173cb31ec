"""A video file: its frames at chosen moments."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vcd.config import MediaConfig, SampleConfig
from vcd.errors import InputError
from vcd.media.decode import TimedFrame, VideoPacket, decode_wanted, needed_packets, pictures
from vcd.media.picture import shrink, to_picture
from vcd.media.probe import open_video, read_timeline
from vcd.media.quiet import quiet_rows, show_the_same
from vcd.media.sampling import choose_between, choose_packets, choose_spread
from vcd.types import Frame, Picture, Span

SCENE_CHANGE = 0.35
"""Share of pixels whose colour must differ between two neighbouring frames for a change of scene."""
UNSMOOTHED = {"h264", "hevc"}
"""Codecs whose loop filter may be left out ..."""
TIMES_SMALLER = 4
"""... of frames that are made so many times smaller: what it does to the edges of blocks is not seen then, and what
is left of it adds up little from frame to frame. It is a quarter of the decoding."""
EARLY_S, LATE_S = 1.0, 5.0
"""A seek aims so much before the packet, and the packet is not looked for later than so much after it."""


class Video:
    """A video file."""

    def __init__(self, path: Path, config: MediaConfig, threads: int = 1) -> None:
        self._path, self._config, self._threads = path, config, threads
        self._timeline, self.info = read_timeline(path, config)

    def frames(self, sample: SampleConfig) -> Iterator[Frame]:
        """The frames at the moments that `sample` chooses, by strictly rising time."""
        wanted = choose_packets(self._timeline, sample)
        is_quiet = quiet_rows(self._timeline, wanted) & (sample.mode == "hybrid")
        count = 0
        with open_video(self._path, self._config, self._threads, self._needs_smoothing) as (container, stream):
            decoded = decode_wanted(container.demux(stream), self._timeline, wanted[~is_quiet])
            timed = _changes(decoded) if sample.mode == "scene" else decoded
            frames = (Frame(time_s, self._picture(frame, stream)) for time_s, frame in timed)
            for frame in self._filled(frames, wanted[is_quiet]):
                count += 1
                yield frame
        if not count:
            raise InputError(self._path, "holds no video frame that can be decoded")

    def _filled(self, frames: Iterator[Frame], quiet: NDArray[np.int64]) -> Iterator[Frame]:
        """The frames, and those of the `quiet` packets between them.

        Where the frames before and after show the same they stand in for what is between; else that is decoded.
        """
        times_s, done, before = self._timeline.times_s[quiet], 0, None
        for frame in frames:
            stop = int(np.searchsorted(times_s, frame.time_s))
            if stop > done and before is not None and show_the_same(before.picture, frame.picture):
                middle_s = (before.time_s + frame.time_s) / 2
                for time_s in times_s[done:stop]:
                    yield Frame(float(time_s), (before if time_s < middle_s else frame).picture)
            elif stop > done:
                yield from self._decoded(quiet[done:stop])
            yield frame
            done, before = stop, frame
        if done < len(quiet):
            yield from self._decoded(quiet[done:])

    def _decoded(self, rows: NDArray[np.int64]) -> Iterator[Frame]:
        """Frames of a few packets near each other, from a decoder of their own."""
        starts = np.flatnonzero(self._timeline.is_key)
        offset = int(starts[max(0, int(np.searchsorted(starts, rows.min(), side="right")) - 2)])
        near = self._timeline.part(offset, int(rows.max()) + 1)
        first = int(np.argmax(needed_packets(near, rows - offset)))
        with open_video(self._path, self._config, self._threads, self._needs_smoothing) as (container, stream):
            packets = self._packets_from(offset + first, container, stream)
            for time_s, frame in decode_wanted(packets, near, rows - offset, first):
                yield Frame(time_s, self._picture(frame, stream))

    def glances(self, count: int) -> Iterator[Frame]:
        """At most so many frames from all over the file, at little cost."""
        with open_video(self._path, self._config, self._threads) as (container, stream):
            wanted = choose_spread(self._timeline, count)
            for time_s, frame in decode_wanted(container.demux(stream), self._timeline, wanted):
                yield Frame(time_s, self._picture(frame, stream))

    def frames_between(self, span: Span, step_s: float) -> Iterator[Frame]:
        """Frames shown in the span, at least a step apart, decoded from the key frame before it."""
        wanted = choose_between(self._timeline, span, step_s)
        if not len(wanted):
            return
        first = int(np.argmax(needed_packets(self._timeline, wanted)))
        with open_video(self._path, self._config, self._threads) as (container, stream):
            packets = self._packets_from(first, container, stream)
            for time_s, frame in decode_wanted(packets, self._timeline, wanted, first):
                if time_s < span.end_s:
                    yield Frame(time_s, self._picture(frame, stream))

    def _packets_from(self, first: int, container: InputContainer, stream: VideoStream) -> Iterator[VideoPacket]:
        """Packets from number `first` on: seeks, and reads from the start where seeking does not lead there."""
        if first > 0 and (packets := self._seek(first, container, stream)) is not None:
            yield from packets
            return
        with open_video(self._path, self._config, self._threads) as (again, same_stream):
            yield from islice(pictures(again.demux(same_stream)), first, None)

    def _seek(self, first: int, container: InputContainer, stream: VideoStream) -> Iterator[VideoPacket] | None:
        """Packets from number `first` on; None where it does not turn up."""
        mark, size = int(self._timeline.marks[first]), int(self._timeline.sizes_bytes[first])
        if np.count_nonzero(self._timeline.marks == mark) > 1:
            return None
        assert stream.time_base is not None
        try:
            container.seek(mark - round(EARLY_S / stream.time_base), stream=stream)
        except av.FFmpegError:
            return None
        packets = pictures(container.demux(stream))
        for packet in packets:
            if mark in (packet.pts, packet.dts) and packet.size == size:
                return chain([packet], packets)
            if packet.dts is not None and (packet.dts - mark) * stream.time_base > LATE_S:
                break
        return None

    @property
    def _needs_smoothing(self) -> bool:
        is_much_larger = min(self.info.width_px, self.info.height_px) >= TIMES_SMALLER * self._config.short_side_px
        return not is_much_larger or self.info.format.partition("/")[2] not in UNSMOOTHED

    def _picture(self, frame: av.VideoFrame, stream: VideoStream) -> Picture:
        return to_picture(frame, self._config.short_side_px, stream.sample_aspect_ratio)


def _changes(frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
    """The first frame, and each frame that differs from the one before it like another scene."""
    previous = None
    for time_s, frame in frames:
        histogram = colour_histogram(to_picture(frame, 48, None))
        if previous is None or 0.5 * float(np.abs(histogram - previous).sum()) > SCENE_CHANGE:
            yield time_s, frame
        previous = histogram


def colour_histogram(picture: Picture) -> NDArray[np.float32]:
    """Share of pixels in each of 8 x 8 x 8 colours; float32 (512,), sums to 1."""
    small = shrink(picture, 48)
    counts = cv2.calcHist([small], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3)
    return np.asarray(counts, dtype=np.float32).ravel() / np.float32(small.shape[0] * small.shape[1])
