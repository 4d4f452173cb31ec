"""Opening a video safely, and reading what it holds: its timeline and its first frame."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from pathlib import Path

import av
from av.codec import Codec
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import PictureType
from av.video.stream import VideoStream

from vcd.config import MediaConfig
from vcd.errors import InputError, SetupError
from vcd.media.decode import decode_packet, drain, pictures
from vcd.media.picture import square_width
from vcd.media.timeline import BROADCASTS, Clock, PacketRow, Timeline, make_timeline, tells_order
from vcd.types import MediaInfo

# Demuxers that read one file and nothing else: no playlists, no scripts, no numbered pictures, no devices.
DEMUXERS = (
    "3gp,aac,apng,asf,av1,avi,dv,flac,flv,gif,gxf,h264,hevc,ivf,m4v,matroska,mjpeg,mov,mp3,mp4,mpeg,mpegts,"
    "mpegvideo,mxf,nut,obu,ogg,rm,vc1,wav,webm,yuv4mpegpipe"
)
PACKETS_TRIED = 100
"""So many are decoded to see whether there are B-frames."""
STANDS_ALONE = {PictureType.NONE, PictureType.I, PictureType.SI}
"""What a key frame is; some simple codecs do not say."""


@contextmanager
def open_video(
    path: Path, config: MediaConfig, threads: int = 1, smooth: bool = True
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The opened file and the stream that a player would show; raises `InputError` and `MemoryError`.

    Not `smooth`: the decoder leaves out the filter that hides the edges of blocks.

    Only local files are opened and only by demuxers that read one file, so that a crafted playlist cannot
    make vcd read something else. The path is made absolute so that FFmpeg sees no protocol in it.
    """
    # Given to FFmpeg so that it refuses a huge picture before it asks for the memory.
    limit = {"max_pixels": str(config.max_pixels)}
    safely = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS} | limit
    try:
        if path.stat().st_size == 0:
            raise InputError(path, "is empty")
        hardware = find_hardware(config.hardware)
        with av.open(os.path.abspath(path), options=safely, metadata_errors="replace", hwaccel=hardware) as container:
            if len(container.streams) > config.max_streams:
                raise InputError(path, f"has {len(container.streams)} streams, above the limit of {config.max_streams}")
            stream = _main_stream(container, path)
            stream.codec_context.options = limit if smooth else limit | {"skip_loop_filter": "all"}
            stream.thread_type = "AUTO"
            stream.thread_count = threads
            yield container, stream
    except MemoryError:
        raise
    except av.FFmpegError as error:
        raise InputError(path, _explain(error)) from error
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from error


@lru_cache(maxsize=1)
def find_hardware(name: str) -> HWAccel | None:
    """None for ``none``; raises `SetupError` where there is no such hardware."""
    if name == "none":
        return None
    try:
        accelerator = HWAccel(name, allow_software_fallback=True)
        accelerator.create(Codec("h264", "r"))
    except (av.FFmpegError, RuntimeError, ValueError, NotImplementedError) as error:
        raise SetupError(
            f"media.hardware: {name} cannot decode on this machine ({error}); set it to none, or to one of what PyAV "
            f"was built with: {', '.join(hwdevices_available())}"
        ) from error
    return accelerator


def _main_stream(container: InputContainer, path: Path) -> VideoStream:
    """The default video stream, else the one with most pixels; never an attached cover picture."""
    not_video = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [s for s in container.streams.video if not s.disposition & not_video]
    if not streams:
        raise InputError(path, "has sound but no video" if container.streams.audio else "has no video")
    known = [stream for stream in streams if hasattr(stream, "width")]  # else FFmpeg has no decoder for it
    if not known:
        raise InputError(path, "holds video in a codec that is not supported")
    if any(stream.codec_tag in {"encv", "drmi"} for stream in known):
        raise InputError(path, "is encrypted (DRM)")
    return max(known, key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height, -s.index))


def _explain(error: av.FFmpegError) -> str:
    if isinstance(error, av.error.InvalidDataError | EOFError | ValueError):
        return "is not a media file, or is damaged"
    if isinstance(error, av.error.DecoderNotFoundError):
        return "holds video in a codec that is not supported"
    return f"cannot be read: {error.strerror}"


def read_timeline(path: Path, config: MediaConfig) -> tuple[Timeline, MediaInfo]:
    """Read every packet of the video stream and decode its first frame; raises `InputError`."""
    with open_video(path, config) as (container, stream):
        size = (stream.width, stream.height)
        if size[0] * size[1] > config.max_pixels:
            raise InputError(path, f"has {size[0]} x {size[1]} pixels, above the limit of {config.max_pixels}")
        rows, first, breaks_off = _read_packets(path, container, stream, config.max_frames)
        if first is None:
            limit = f", or only pictures of more than {config.max_pixels} pixels" if not size[0] else ""
            raise InputError(path, f"holds no video frame that can be decoded{limit}")
        assert stream.time_base is not None
        is_unsure = stream.codec_context.reorder_depth > 0 and not tells_order(rows, container.format.name)
        clock = Clock(
            base=stream.time_base,
            start_us=container.start_time,
            frames_per_s=stream.average_rate or stream.guessed_rate or Fraction(25),
            format=container.format.name,
            delay=_reorder_depth(path, config) if is_unsure else 0,
        )
        timeline = make_timeline(rows, clock)
        if not config.accept_truncated:
            _refuse_truncated(path, container, stream, timeline, breaks_off)
        return timeline, _describe(container, stream, first, timeline)


def _read_packets(
    path: Path, container: InputContainer, stream: VideoStream, most: int
) -> tuple[list[PacketRow], av.VideoFrame | None, bool]:
    """A row for each packet, the first frame that can be decoded, and whether the file breaks off.

    The second key frame is decoded by itself: where it is none, whatever the container says (intra refresh,
    an index that calls all frames key frames), the file is taken as one long group of pictures.
    """
    rows: list[PacketRow] = []
    first, trusted, breaks_off = None, None, False
    try:
        for packet in container.demux(stream):
            if packet.has_sidedata("encryption_info"):
                raise InputError(path, "is encrypted (DRM)")
            if first is None:
                first = next(iter(drain(stream.codec_context) if not packet.size else decode_packet(packet)), None)
            elif trusted is None and packet.size and packet.is_keyframe:
                trusted = _decodes_alone(packet)
            if packet.size:
                if len(rows) == most:
                    raise InputError(path, f"has more than {most} frames, the limit")
                breaks_off = packet.is_corrupt and container.format.name not in BROADCASTS
                rows.append(
                    PacketRow(
                        packet.pts, packet.dts, packet.is_keyframe, packet.is_discard, packet.size, packet.duration or 0
                    )
                )
    except (av.error.InvalidDataError, av.error.EOFError):
        if not rows:
            raise
        first, breaks_off = first or next(iter(drain(stream.codec_context)), None), True
    if trusted is False:
        start = next(at for at, row in enumerate(rows) if row.is_key)
        rows = [row._replace(is_key=at == start) for at, row in enumerate(rows)]
    return rows, first, breaks_off


def _reorder_depth(path: Path, config: MediaConfig) -> int:
    """How many pictures the decoder holds back to put them in order; 0 when they come in order by themselves."""
    numbers = []
    with open_video(path, config) as (container, stream):
        for row, packet in enumerate(islice(pictures(container.demux(stream)), PACKETS_TRIED)):
            packet.pts = row
            numbers += [frame.pts for frame in decode_packet(packet) if frame.pts is not None]
        return stream.codec_context.reorder_depth if numbers != sorted(numbers) else 0


def _decodes_alone(packet: "av.Packet[VideoStream]") -> bool:
    context = packet.stream.codec_context
    context.flush_buffers()
    frames = [*decode_packet(packet), *drain(context)]
    return bool(frames) and (bool(frames[0].key_frame) or frames[0].pict_type in STANDS_ALONE)


def _describe(container: InputContainer, stream: VideoStream, first: av.VideoFrame, timeline: Timeline) -> MediaInfo:
    width, height = round(square_width(first.width, stream.sample_aspect_ratio)), first.height
    if first.rotation % 180:
        width, height = height, width
    form = f"{container.format.name.split(',')[0]}/{stream.codec_context.codec.canonical_name}"
    return MediaInfo("video", timeline.end_s, width, height, form)


def _refuse_truncated(
    path: Path, container: InputContainer, stream: VideoStream, timeline: Timeline, breaks_off: bool
) -> None:
    """Raise when the header promises clearly more than the file holds, or reading it ended in an error."""
    count = len(timeline)
    promised_s = (container.duration or 0) / av.time_base
    if container.format.name == "avi" and stream.average_rate:
        # Its number of frames counts those that are not stored because nothing changed: it says how long, not how many.
        promised_s = max(promised_s, float(stream.frames / stream.average_rate))
    elif stream.frames and (breaks_off or count < 0.9 * stream.frames - 2):
        raise InputError(path, f"is truncated: holds {count} of {stream.frames} frames")
    if breaks_off:
        raise InputError(path, f"is truncated or damaged: can be read up to {timeline.end_s:.1f} s")
    # Some containers count a late start as part of their duration.
    end_s = timeline.end_s + max(0.0, (container.start_time or 0) / av.time_base)
    if end_s >= 0.9 * promised_s - 1 or container.format.name in BROADCASTS:
        return
    # Video may rightly end long before the sound: only then are the other streams worth reading.
    container.seek(0)
    for packet in container.demux():
        if packet.pts is not None and packet.time_base is not None:
            end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    if end_s < 0.9 * promised_s - 1:
        raise InputError(path, f"is truncated: holds {end_s:.1f} of {promised_s:.1f} s")
