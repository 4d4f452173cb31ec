"""A graph of ffmpeg-python -> a file that appears whole or not at all, by the binary of imageio-ffmpeg."""

import subprocess
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import av
import ffmpeg
import imageio_ffmpeg

from benchmarks.edits.film import FRAMES_PER_S, SAMPLED, Film, Piece, Size

SOUND = {"ar": 44_100, "ac": 2}
USUAL: Mapping[str, str | int] = {
    "c:v": "libx264",
    "preset": "veryfast",
    "crf": 25,
    "g": 125,
    "pix_fmt": "yuv420p",
    # One thread, so that the same film comes out on any machine; the builder runs several at a time instead.
    "threads": 1,
    "fps_mode": "vfr",
    "c:a": "aac",
    "b:a": "64k",
}


PROBED = 5_000_000
"""FFmpeg's own default, in bytes."""
_inputs = count()


class EditFailed(RuntimeError):
    """FFmpeg would not do what it was asked for."""


def ffmpeg_binary() -> str:
    binary: str = imageio_ffmpeg.get_ffmpeg_exe()
    return binary


@lru_cache(maxsize=1024)
def has_sound(path: Path) -> bool:
    with av.open(str(path)) as container:
        return bool(container.streams.audio)


def join(pieces: tuple[Piece, ...], size: Size) -> Film:
    """The pieces one after the other, each cropped to fill the picture.

    Sound is there when any piece has some; the others are silent.
    """
    sound = any(has_sound(piece.path) for piece in pieces)
    streams = []
    for piece in pieces:
        # Equal inputs would be one node of the graph, which may be read only once: each probes a byte more.
        file = ffmpeg.input(str(piece.path), ss=_decimal(piece.start_s), threads=1, probesize=PROBED + next(_inputs))
        streams.append(_picture(file.video, piece.frames, size))
        if sound:
            streams.append(_sound(file.audio if has_sound(piece.path) else None, piece.length_s))
    length_s = sum((piece.length_s for piece in pieces), Fraction(0))
    if len(pieces) == 1:
        return Film(streams[0], streams[1] if sound else None, size, length_s)
    joined = ffmpeg.concat(*streams, v=1, a=int(sound)).node
    return Film(joined[0], joined[1] if sound else None, size, length_s)


def _picture(video: Any, frames: int, size: Size) -> Any:
    """Exactly so many frames at `FRAMES_PER_S`, from 0 s, in that size."""
    scaled = (
        video.filter("fps", FRAMES_PER_S, **SAMPLED)
        .filter("tpad", stop_mode="clone", stop_duration=1)
        .filter("trim", end_frame=frames)
        .filter("scale", size.width_px, size.height_px, force_original_aspect_ratio="increase", flags="bilinear")
    )
    return scaled.filter("crop", size.width_px, size.height_px).filter("setsar", 1).filter("format", "yuv420p")


def _sound(audio: Any | None, length_s: Fraction) -> Any:
    if audio is None:
        silence = f"anullsrc=r={SOUND['ar']}:cl=stereo"
        return ffmpeg.input(silence, f="lavfi", t=_decimal(length_s), probesize=PROBED + next(_inputs)).audio
    even = audio.filter("aresample", SOUND["ar"]).filter("aformat", channel_layouts="stereo")
    return even.filter("apad").filter("atrim", end=_decimal(length_s))


def still(path: Path) -> Any:
    """A picture as a stream; an overlay shows its one frame for as long as the film below lasts."""
    return ffmpeg.input(str(path)).video


def _decimal(seconds: Fraction) -> str:
    return f"{float(seconds):.6f}"


def write_film(film: Film, path: Path, **options: str | int) -> Path:
    """Encode a film; raises `EditFailed` with FFmpeg's own words."""
    partial = path.with_name(f".{path.stem}.part{path.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = {**USUAL, **options, **film.encoding}
    streams = [film.video] if film.audio is None else [film.video, film.audio]
    if film.audio is None:
        encoding = {name: value for name, value in encoding.items() if not name.endswith(":a")}
    graph = ffmpeg.output(*streams, str(partial), **{name: value for name, value in encoding.items() if value != ""})
    command = graph.global_args("-nostdin", "-v", "error", "-filter_complex_threads", "1").compile(
        cmd=ffmpeg_binary(), overwrite_output=True
    )
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise EditFailed(f"{path.name}: {done.stderr.strip()[-1500:]}\n{' '.join(command)}")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path
