"""Decoding the wanted frames of a video, and no more than they need."""

from collections.abc import Iterator
from itertools import chain, dropwhile
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vcd.config import MediaConfig, SampleConfig
from vcd.errors import InputError
from vcd.media.picture import shrink, to_picture
from vcd.media.probe import Timeline, decode_packet, open_video, read_timeline
from vcd.media.sampling import choose_between, choose_packets
from vcd.types import Frame, Picture, Span

SCENE_CHANGE = 0.35
"""Share of pixels whose colour must differ between two neighbouring frames for a change of scene."""


class Video:
    """A video file."""

    def __init__(self, path: Path, config: MediaConfig, threads: int = 1) -> None:
        self._path, self._config, self._threads = path, config, threads
        self._timeline, self.info = read_timeline(path, config.accept_truncated)
        if self.info.width_px * self.info.height_px > config.max_pixels:
            raise InputError(
                path,
                f"has {self.info.width_px} x {self.info.height_px} pixels, above the limit of {config.max_pixels}",
            )

    def frames(self, sample: SampleConfig) -> Iterator[Frame]:
        """The frames at the moments that `sample` chooses, by strictly rising time."""
        wanted = choose_packets(self._timeline, sample)
        last_s = -1.0
        with open_video(self._path, self._threads) as (container, stream):
            frames = _decode(container.demux(stream), self._timeline, wanted)
            if sample.mode == "scene":
                frames = _changes(frames)
            for frame in frames:
                time_s = self._time_s(frame, stream)
                if time_s > last_s:
                    last_s = time_s
                    yield Frame(time_s, self._picture(frame, stream))
        if last_s < 0:
            raise InputError(self._path, "holds no video frame that can be decoded")

    def frames_between(self, span: Span, step_s: float) -> Iterator[Frame]:
        """Frames shown in the span, at least a step apart, decoded from the key frame before it."""
        wanted = choose_between(self._timeline, span, step_s)
        if not len(wanted):
            return
        pending = np.unique(self._timeline.pts[wanted])
        at = 0
        with open_video(self._path, self._threads) as (container, stream):
            for packet in self._packets_from_key(container, stream, int(wanted[0])):
                for frame in decode_packet(packet):
                    if frame.pts is None or frame.pts < pending[at]:
                        continue
                    at = int(np.searchsorted(pending, frame.pts, side="right"))
                    if self._time_s(frame, stream) < span.end_s:
                        yield Frame(self._time_s(frame, stream), self._picture(frame, stream))
                    if at == len(pending):
                        return

    def _packets_from_key(
        self, container: InputContainer, stream: VideoStream, row: int
    ) -> "Iterator[av.Packet[VideoStream]]":
        """Packets from the key frame that packet `row` of the timeline depends on.

        Seeks, and reads from the start where the container cannot seek to the right place.
        """
        key_pts = int(key_pts_of_packets(self._timeline)[row])
        container.seek(key_pts, stream=stream, backward=True)
        first = next(container.demux(stream))
        if first.pts is None or first.pts > key_pts:
            with open_video(self._path, self._threads) as (again, same_stream):
                yield from _from_pts(again.demux(same_stream), key_pts)
        else:
            yield from _from_pts(chain([first], container.demux(stream)), key_pts)

    def _time_s(self, frame: av.VideoFrame, stream: VideoStream) -> float:
        assert stream.time_base is not None
        if frame.pts is None:
            return -1.0
        return max(0.0, float(frame.pts * stream.time_base - self._timeline.zero))

    def _picture(self, frame: av.VideoFrame, stream: VideoStream) -> Picture:
        return to_picture(frame, self._config.short_side_px, stream.sample_aspect_ratio)


def _decode(
    packets: "Iterator[av.Packet[VideoStream]]", timeline: Timeline, wanted: NDArray[np.int64]
) -> Iterator[av.VideoFrame]:
    """The wanted frames; where one does not come out of the decoder, the next that does stands in for it."""
    pending = np.unique(timeline.pts[wanted])
    at = 0
    for frame in _decode_needed(packets, _needed(timeline, wanted)):
        if frame.pts is None or at >= len(pending) or frame.pts < pending[at]:
            continue
        at = int(np.searchsorted(pending, frame.pts, side="right"))
        yield frame


def _from_pts(packets: "Iterator[av.Packet[VideoStream]]", key_pts: int) -> "Iterator[av.Packet[VideoStream]]":
    return dropwhile(lambda packet: packet.pts != key_pts, packets)


def _decode_needed(packets: "Iterator[av.Packet[VideoStream]]", needed: NDArray[np.bool_]) -> Iterator[av.VideoFrame]:
    """Frames of the needed packets; the others are not even handed to the decoder.

    After packets were left out the decoder is emptied and reset, as after a seek: H.264 counts pictures modulo
    a small number, so a key frame that is no IDR would otherwise come out in the wrong place, or not at all.
    """
    row, skipped = -1, False
    for packet in packets:
        if packet.size and (packet.pts is not None or packet.dts is not None):
            row += 1
            if row >= len(needed) or not needed[row]:
                skipped = True
                continue
            if skipped and packet.is_keyframe:
                context = packet.stream.codec_context
                yield from _drain(context)
                context.flush_buffers()
                skipped = False
        yield from decode_packet(packet)


def _drain(context: VideoCodecContext) -> list[av.VideoFrame]:
    """The frames that the decoder still holds back."""
    try:
        return context.decode(None)
    except av.FFmpegError:
        return []


def _needed(timeline: Timeline, wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
    """bool (P,), packets that must be decoded: from each group's key frame to its last wanted packet.

    Leading pictures (shown before their key frame, dependent on the group before) are never needed.
    """
    groups = timeline.groups
    last_wanted = np.full(int(groups[-1]) + 1, -1, dtype=np.int64)
    np.maximum.at(last_wanted, groups[wanted], wanted)
    rows = np.arange(len(groups))
    leading = ~timeline.is_shown & ~timeline.is_key & (timeline.pts < key_pts_of_packets(timeline))
    return np.asarray((rows <= last_wanted[groups]) & ~leading)


def key_pts_of_packets(timeline: Timeline) -> NDArray[np.int64]:
    """int64 (P,), presentation time of the key frame of each packet's group."""
    key_pts = np.concatenate(([np.iinfo(np.int64).min], timeline.pts[timeline.is_key]))
    return np.asarray(key_pts[timeline.groups])


def _changes(frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """The first frame, and each frame that differs from the one before it like another scene."""
    previous = None
    for frame in frames:
        histogram = colour_histogram(to_picture(frame, 48, None))
        if previous is None or 0.5 * float(np.abs(histogram - previous).sum()) > SCENE_CHANGE:
            yield frame
        previous = histogram


def colour_histogram(picture: Picture) -> NDArray[np.float32]:
    """Share of pixels in each of 8 x 8 x 8 colours; float32 (512,), sums to 1."""
    small = shrink(picture, 48)
    counts = cv2.calcHist([small], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3)
    return np.asarray(counts, dtype=np.float32).ravel() / np.float32(small.shape[0] * small.shape[1])
