"""Opening a video safely, and its timeline: when each of its frames is shown, before any choice of frames."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vcd.errors import InputError
from vcd.types import MediaInfo

# Demuxers that read one file and nothing else: no playlists, no scripts, no numbered pictures, no devices.
DEMUXERS = (
    "3gp,aac,apng,asf,av1,avi,avs,dv,flac,flv,gif,gxf,h264,hevc,image2,ivf,m4v,matroska,mjpeg,mov,mp3,mp4,mpeg,mpegts,"
    "mpegvideo,mxf,nut,obu,ogg,rm,vc1,wav,webm,yuv4mpegpipe"
)
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The packets of a video stream in decoding order (P of them)."""

    pts: NDArray[np.int64]
    """int64 (P,), presentation time in units of the stream's time base."""
    times_s: NDArray[np.float64]
    """float64 (P,), the same in seconds since `zero`."""
    is_key: NDArray[np.bool_]
    """bool (P,): decodes without any other packet."""
    is_shown: NDArray[np.bool_]
    """bool (P,): not cut away by an edit list, and not dependent on frames before its key frame."""
    sizes_bytes: NDArray[np.int64]
    zero: Fraction
    """Presentation time that counts as 0 s: where players start the file."""
    end_s: float
    """When the last frame stops being shown."""

    @property
    def groups(self) -> NDArray[np.int64]:
        """int64 (P,), number of the group of pictures a packet belongs to; a key frame starts a group."""
        return np.cumsum(self.is_key)


@contextmanager
def open_video(path: Path, threads: int = 1) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The opened file and the stream that a player would show; raises `InputError`.

    Only local files are opened and only by demuxers that read one file, so that a crafted playlist cannot
    make vcd read something else. The path is made absolute so that FFmpeg sees no protocol in it.
    """
    try:
        if path.stat().st_size == 0:
            raise InputError(path, "is empty")
        with av.open(os.path.abspath(path), options=OPEN_OPTIONS, metadata_errors="replace") as container:
            stream = _main_stream(container, path)
            stream.thread_type = "AUTO"
            stream.thread_count = threads
            yield container, stream
    except av.FFmpegError as error:
        raise InputError(path, _explain(error)) from error
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from error


def _main_stream(container: InputContainer, path: Path) -> VideoStream:
    """The default video stream, else the one with most pixels; never an attached cover picture."""
    not_video = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [s for s in container.streams.video if not s.disposition & not_video]
    if not streams:
        raise InputError(path, "has sound but no video" if container.streams.audio else "has no video")
    best = max(
        streams,
        key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height, -s.index),
    )
    if best.codec_tag in {"encv", "drmi"}:
        raise InputError(path, "is encrypted (DRM)")
    if best.codec_context is None:
        raise InputError(path, "holds video in a codec that is not supported")
    return best


def _explain(error: av.FFmpegError) -> str:
    if isinstance(error, av.error.InvalidDataError | EOFError | ValueError):
        return "is not a media file, or is damaged"
    if isinstance(error, av.error.DecoderNotFoundError):
        return "holds video in a codec that is not supported"
    return f"cannot be read: {error.strerror}"


def read_timeline(path: Path, accept_truncated: bool) -> tuple[Timeline, MediaInfo]:
    """Read every packet of the video stream and decode the first frame; raises `InputError`."""
    with open_video(path) as (container, stream):
        rows: list[tuple[int, bool, bool, int]] = []
        last_duration, first = 0, None
        try:
            for packet in container.demux(stream):
                pts = packet.pts if packet.pts is not None else packet.dts
                if packet.size and pts is not None:
                    rows.append((pts, packet.is_keyframe, packet.is_discard, packet.size))
                    last_duration = packet.duration or last_duration
                if first is None:
                    first = next(iter(decode_packet(packet)), None)
        except av.FFmpegError:
            if not rows:
                raise
        if not rows or first is None:
            raise InputError(path, "holds no video frame that can be decoded")
        assert stream.time_base is not None
        timeline = _timeline(rows, last_duration, stream.time_base, container.start_time)
        if not accept_truncated:
            _refuse_truncated(path, container, stream, timeline)
        return timeline, _describe(container, stream, first, timeline)


def decode_packet(packet: "av.Packet[VideoStream]") -> list[av.VideoFrame]:
    """The frames that come out of the decoder; a packet that it cannot read gives none."""
    try:
        return packet.decode()
    except av.FFmpegError:
        return []


def _describe(container: InputContainer, stream: VideoStream, first: av.VideoFrame, timeline: Timeline) -> MediaInfo:
    width, height = round(first.width * float(stream.sample_aspect_ratio or 1)), first.height
    if first.rotation % 180:
        width, height = height, width
    form = f"{container.format.name.split(',')[0]}/{stream.codec_context.codec.canonical_name}"
    return MediaInfo("video", timeline.end_s, width, height, form)


def _timeline(
    rows: list[tuple[int, bool, bool, int]], last_duration: int, base: Fraction, start_us: int | None
) -> Timeline:
    pts, is_key, is_discarded, sizes = (np.array(column) for column in zip(*rows, strict=True))
    if not is_key.any():
        is_key[0] = True
    group = np.cumsum(is_key)
    first_pts_of_group = np.concatenate(([np.iinfo(np.int64).max], pts[is_key]))
    shown = ~is_discarded & (pts >= first_pts_of_group[group])
    if not shown.any():
        shown[:] = True
    zero = pts[shown].min() * base
    if start_us is not None:
        zero = min(zero, Fraction(start_us, av.time_base))
    times_s = pts * float(base) - float(zero)
    in_order = np.sort(times_s[shown])
    steps = np.diff(in_order)
    last_s = last_duration * float(base) or (float(np.median(steps)) if len(steps) else 0.0)
    return Timeline(
        pts.astype(np.int64), times_s, is_key.astype(bool), shown, sizes.astype(np.int64),
        zero, float(in_order[-1] + last_s),
    )  # fmt: skip


def _refuse_truncated(path: Path, container: InputContainer, stream: VideoStream, timeline: Timeline) -> None:
    """Raise when the header promises clearly more than the file holds."""
    count = len(timeline.pts)
    if stream.frames and count < 0.9 * stream.frames - 2:
        raise InputError(path, f"is truncated: holds {count} of {stream.frames} frames")
    promised_s = (container.duration or 0) / av.time_base
    if timeline.end_s >= 0.9 * promised_s - 1 or container.format.name in {"mpegts", "mpeg"}:
        return
    # Video may rightly end long before the sound: only then are the other streams worth reading.
    end_s = timeline.end_s
    container.seek(0)
    for packet in container.demux():
        if packet.pts is not None and packet.time_base is not None:
            end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base - timeline.zero))
    if end_s < 0.9 * promised_s - 1:
        raise InputError(path, f"is truncated: holds {end_s:.1f} of {promised_s:.1f} s")
