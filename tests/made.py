"""Small real films for the tests, made on the spot.

Times and pictures are the same in every run; the bytes are not quite, for x264 does not write a film the same
way twice. `size` is what a viewer sees: a film made with `rotation` or `sar` is stored turned or squeezed so
that it looks right when played right.
`made_streams`, `made_images` and `made_broken` hold the other kinds of files.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.made_frames import BT709, FULL_RANGE, HDR10, HLG, Colour, FieldMarker, Look
from tests.made_scenes import (
    SIZE,
    Edit,
    Picture,
    SceneAt,
    Show,
    Size,
    change_every,
    film,
    picture,
    scenes,
    steady,
    uneven,
)
from tests.made_sound import add_sound, encode_sound

__all__ = [
    "BT709", "FULL_RANGE", "HDR10", "HLG", "INTRA_ONLY", "MASTERING", "ONE_I_FRAME", "OPEN_GOP", "SIZE",
    "Colour", "Edit", "Picture", "SceneAt", "Show", "Size", "change_every", "cut", "film", "make_video",
    "picture", "read_pictures", "reencode", "scenes", "steady", "uneven",
]  # fmt: skip

INTRA_ONLY = 1
"""Pass as `gop`: every frame is an I-frame."""
ONE_I_FRAME = 1_000_000
"""Pass as `gop`, with `scenecut=False`: no I-frame but the first."""
OPEN_GOP = {"x264-params": "open-gop=1:scenecut=0:b-adapt=0", "bf": "3", "g": "10"}
"""Pass as `options`: frames shown before a later I-frame need the group before it."""

USUAL_CODECS = {".avi": "mpeg4", ".webm": "libvpx-vp9", ".gif": "gif", ".mpg": "mpeg2video", ".wmv": "wmv2"}
"""What a container holds unless told otherwise; all others: libx264."""
PIX_FMTS = {"gif": "rgb8", "mjpeg": "yuvj420p", "prores_ks": "yuv422p10le", "png": "rgb24"}
"""All others: yuv420p."""
OPTIONS: Mapping[str, Mapping[str, str]] = {
    "libx264": {"preset": "veryfast", "crf": "23", "keyint_min": "1"},
    "libx265": {"preset": "ultrafast", "crf": "26", "x265-params": "log-level=none"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "32"},
    "libsvtav1": {"preset": "10", "crf": "35"},
    "mpeg2video": {"b": "2000000"},
    "mpeg4": {"b": "1500000"},
    "msmpeg4": {"b": "1500000"},
    "wmv2": {"b": "1500000"},
    "mjpeg": {"b": "4000000"},
}
MASTERING = {
    "x265-params": "log-level=none:hdr10=1:max-cll=1000,400:master-display="
    "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
}
"""Pass as `options` with libx265 and `HDR10`: the metadata that such a file carries."""
EVERY_2_S = change_every(2.0)


def make_video(
    path: Path,
    times_s: Sequence[float],
    scene_at: SceneAt = EVERY_2_S,
    *,
    from_s: float = 0.0,  # the moment of the film that the file shows at 0 s
    show: Show | None = None,  # shown instead of the film
    size: Size = SIZE,
    codec: str | None = None,  # None: the usual one for the suffix of `path`
    pix_fmt: str | None = None,
    gop: int | None = None,  # at most so many frames from one I-frame to the next
    scenecut: bool = True,  # whether x264 puts an I-frame at a cut
    options: Mapping[str, str] | None = None,  # of the encoder
    bit_rate: int | None = None,
    rotation: int = 0,  # degrees counter-clockwise that a player turns it by, as in `frame.rotation`
    sar: Fraction | None = None,  # shape of a stored pixel
    interlaced: bool = False,  # the two fields of a frame show two moments, upper field first
    colour: Colour | None = None,
    start_s: float = 0.0,  # added to all times, of the sound too
    audio: bool = False,  # a tone as long as the film
    muxing: Mapping[str, str] | None = None,  # options of the container
) -> Path:
    """Write a film whose frames are shown at exactly `times_s`, in the container that the suffix names.

    Exactly: to 1/90000 s in mp4, mov and ts, 1 ms in mkv, webm, wmv and flv, 10 ms in gif; MPEG-2 and avi as
    `_clock` says, avi with B-frames (x264 without ``bf=0``) not at all. ts, flv and mpg may start 0.6 s late.
    """
    codec = codec or USUAL_CODECS.get(path.suffix, "libx264")
    base, rate = _clock(path.suffix, codec, times_s)
    tuned = _tuned(codec, gop, scenecut, bit_rate, options)
    with av.open(path, "w", options=dict(muxing or {})) as container:
        stream = container.add_stream(codec, rate=rate, options=tuned)
        stream.pix_fmt = pix_fmt or (colour and colour.pix_fmt) or PIX_FMTS.get(codec, "yuv420p")
        stream.time_base = stream.codec_context.time_base = base
        look = Look(size, rotation, sar, interlaced, colour)
        look.set_up(stream)
        show = show or film(scene_at, from_s, size=size)
        _write(container, _frames(look, show, times_s, start_s, stream), stream, audio)
    if codec == "libsvtav1" and hasattr(os, "sched_setscheduler"):
        # Run by root the encoder makes its caller a real-time thread, which then starves everything else.
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return path


def _write(container: OutputContainer, frames: Iterator[VideoFrame], stream: VideoStream, audio: bool) -> None:
    """Encode all frames, and a tone from the begin of the first to the end of the last."""
    stream.codec_context.flags |= Flags.frame_duration
    sound = add_sound(container) if audio else None
    spans = []
    for frame in frames:
        spans.append((frame.pts, frame.pts + frame.duration))
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
    if sound:
        start_s, end_s = (float(at * stream.codec_context.time_base) for at in (spans[0][0], spans[-1][1]))
        container.mux(encode_sound(sound, end_s - start_s, start_s))


def _frames(
    look: Look, show: Show, times_s: Sequence[float], start_s: float, stream: VideoStream
) -> Iterator[VideoFrame]:
    base, pix_fmt = stream.codec_context.time_base, stream.pix_fmt
    assert pix_fmt is not None
    mark = FieldMarker(look, base) if look.interlaced else None
    for at_s, length_s in zip(times_s, _gaps_s(times_s), strict=True):
        frame = look.frame(show, at_s, length_s, "yuv444p" if mark else pix_fmt)
        frame.time_base, frame.pts = base, round((at_s + start_s) / base)
        frame.duration = round((at_s + length_s + start_s) / base) - frame.pts
        yield mark(frame) if mark else frame


def _gaps_s(times_s: Sequence[float]) -> list[float]:
    """How long each frame is shown; the last one as long as the one before."""
    gaps_s = [after - before for before, after in pairwise(times_s)]
    return [*gaps_s, gaps_s[-1] if gaps_s else 0.04]


def _clock(suffix: str, codec: str, times_s: Sequence[float]) -> tuple[Fraction, Fraction]:
    """Time base and nominal frame rate.

    MPEG-2 and avi count frames of a constant rate, so their times must be multiples of a whole rate: of 24,
    25, 30, 50 or 60 for MPEG-2; an avi whose times are no such multiples claims 1000 frames a second instead.
    """
    if codec == "mpeg2video" or suffix == ".avi":
        rates = (24, 25, 30, 50, 60) if codec == "mpeg2video" else (*range(1, 61), 1000)
        for rate in rates:
            if all(abs(at_s * rate - round(at_s * rate)) < 1e-6 for at_s in times_s):
                return Fraction(1, rate), Fraction(rate)
        raise ValueError(f"{codec} in {suffix} cannot hold these times")
    mean = len(times_s) / (times_s[-1] + _gaps_s(times_s)[-1] - times_s[0])
    nominal = max(Fraction(mean).limit_denominator(100), Fraction(1))
    if suffix == ".gif":
        return Fraction(1, 100), nominal
    is_fine = suffix in {".mp4", ".mov", ".m4v", ".ts"} and codec != "mpeg4"
    return Fraction(1, 90_000 if is_fine else 1000), nominal


def _tuned(
    codec: str, gop: int | None, scenecut: bool, bit_rate: int | None, options: Mapping[str, str] | None
) -> dict[str, str]:
    if codec == "libsvtav1":
        os.environ["SVT_LOG"] = "0"  # the only way to stop it from writing to stderr
    tuned = {"threads": "1"} | dict(OPTIONS.get(codec, {}))  # films this small gain nothing by more
    if gop is not None:
        tuned["g"] = str(gop)
    if not scenecut:
        tuned["sc_threshold"] = "0"
    if bit_rate is not None:
        tuned.pop("crf", None)
        tuned["b"] = str(bit_rate)
    return tuned | dict(options or {})


def read_pictures(path: Path) -> Iterator[tuple[float, Picture]]:
    """Time since the file's first moment and stored picture of each frame: plain PyAV, nothing put right."""
    with av.open(path) as container:
        first_s = (container.start_time or 0) / av.time_base
        for frame in container.decode(video=0):
            assert frame.pts is not None
            yield float(frame.pts * frame.time_base) - first_s, frame.to_ndarray(format="rgb24")


def reencode(
    source: Path,
    path: Path,
    start_s: float,
    end_s: float,
    *,
    size: Size | None = None,
    crf: int = 26,
    codec: str | None = None,
    edit: Edit | None = None,
    speed: float = 1.0,
    options: Mapping[str, str] | None = None,
) -> Path:
    """The pirate's simplest edit: the stretch [start_s, end_s) of `source` encoded again, from 0 s.

    Moment t of the copy shows what moment `start_s` + `speed` * t of `source` shows, so its first frame is
    the one on screen at `start_s`. Times are kept, to 1 ms. Where an encoder knows no crf it is left out.
    """
    pictures: dict[float, Picture] = {}
    for at_s, shown in read_pictures(source):
        if at_s < end_s - 1e-6:
            begins_s = round(max(at_s - start_s, 0.0) / speed, 3)
            pictures[begins_s] = edit(shown) if edit else shown
    height, width = pictures[0.0].shape[:2]
    knows_crf = "crf" in OPTIONS.get(codec or USUAL_CODECS.get(path.suffix, "libx264"), {})
    return make_video(
        path,
        list(pictures),
        show=pictures.__getitem__,
        size=size or (width, height),
        codec=codec,
        options=({"crf": str(crf)} if knows_crf else {}) | dict(options or {}),
    )


def cut(source: Path, path: Path, start_s: float, end_s: float, *, muxing: Mapping[str, str] | None = None) -> Path:
    """Frames [start_s, end_s) of `source` without encoding again, from the I-frame before.

    In mp4 and mov an edit list hides the frames before `start_s`, as `ffmpeg -ss -c copy` does; elsewhere
    they are shown, and the file starts with that I-frame.
    """
    with av.open(source) as whole, av.open(path, "w") as part:
        stream = whole.streams.video[0]
        copy = part.add_stream_from_template(stream)
        offset = round(start_s / stream.time_base) + (stream.start_time or 0)
        whole.seek(offset, stream=stream)
        for packet in whole.demux(stream):
            if packet.pts is not None and (packet.pts - offset) * stream.time_base < end_s - start_s:
                packet.pts, packet.dts = packet.pts - offset, packet.dts - offset
                packet.stream = copy
                part.mux(packet)
    return path
