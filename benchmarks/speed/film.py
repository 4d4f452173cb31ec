"""Films with the bit rate of real ones, drawn by code; long files made of short ones; the clip of a pirate."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from vcd.demo.canvas import Size
from vcd.demo.encode import Encoding, write_video
from vcd.demo.films import Recipe, pictures
from vcd.types import Picture

SCENES = (
    "balloons", "bookshelf", "city", "collage", "farmland", "flock", "landscape", "mosaic", "relief", "road",
    "still life", "toys", "waves", "winter",
)  # fmt: skip
"""Scenes of the demo that look most like filmed ones: textures, depth, a camera that moves."""
GRAIN = 2.5
"""Standard deviation of the grain, in grey levels; without it drawn films are a fifth the size of real ones."""
GRAIN_BLUR_PX = 0.8
SPARE_PX = 128
"""The grain is drawn this much larger than the picture and laid over it in another place for every frame."""


def recipe(seed: int, length_s: float, size: Size) -> Recipe:
    """A film of shots of 2 to 7 s at 25 frames a second, as x264 writes it by default but for the preset."""
    return Recipe(
        name=f"film-{seed}",
        seed=seed,
        scenes=SCENES,
        shortest_s=min(2.0, length_s),
        longest_s=min(7.0, length_s),
        length_s=length_s,
        encoding=Encoding(size=size, frames_per_s=25, crf=23, preset="veryfast"),
    )


def render_grained(path: Path, film: Recipe) -> Path:
    """Draw and encode a film with grain over it."""
    frames_per_s = film.encoding.frames_per_s
    times_s = (number / frames_per_s for number in range(round(film.length_s * frames_per_s)))
    grain = np.random.default_rng(film.seed)
    write_video(path, add_grain(pictures(film, times_s), film.encoding.size, grain), film.encoding)
    return path


def add_grain(shown: Iterable[Picture], size: Size, rng: np.random.Generator) -> Iterator[Picture]:
    """The same pictures with grain that is new in every frame."""
    shape = (size.height_px + SPARE_PX, size.width_px + SPARE_PX)
    noise = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), GRAIN_BLUR_PX)
    noise *= GRAIN / noise.std()
    lighter, darker = (cv2.merge([part] * 3) for part in (_positive(noise), _positive(-noise)))
    for picture in shown:
        top, left = rng.integers(0, SPARE_PX, 2)
        place = np.s_[top : top + size.height_px, left : left + size.width_px]
        yield cv2.subtract(cv2.add(picture, lighter[place]), darker[place])


def _positive(noise: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> Picture:
    return np.clip(np.round(noise), 0, 255).astype(np.uint8)


def repeat_film(path: Path, film: Path, times: int) -> None:
    """Write a film so many times in a row into one MP4: the same packets with later timestamps, nothing re-encoded."""
    partial = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(partial), "w", format="mp4") as output:
        stream = None
        for turn in range(times):
            with av.open(str(film)) as source:
                stream = stream or output.add_stream_from_template(source.streams.video[0])
                _copy_packets(source, output, stream, turn)
    partial.replace(path)


def _copy_packets(source: InputContainer, output: OutputContainer, target: VideoStream, turn: int) -> None:
    stream = source.streams.video[0]
    assert stream.duration is not None
    later = turn * stream.duration
    for packet in source.demux(stream):
        if packet.dts is not None and packet.pts is not None:
            packet.pts, packet.dts = packet.pts + later, packet.dts + later
            packet.stream = target
            output.mux(packet)


def cut_clip(path: Path, film: Path, start_s: float, length_s: float, height_px: int = 720) -> None:
    """Re-encode a stretch of a film as a pirate would: at most 720 lines, 25 frames a second, crf 28."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        scale = min(1.0, height_px / stream.height)
        size = Size(*(2 * round(side * scale / 2) for side in (stream.width, stream.height)))
        encoding = Encoding(size=size, frames_per_s=25, crf=28, preset="veryfast")
        write_video(path, _resampled(container, size, start_s, length_s, encoding.frames_per_s), encoding)


def _resampled(
    container: InputContainer, size: Size, start_s: float, length_s: float, frames_per_s: int
) -> Iterator[Picture]:
    """What is shown at each tick: the newest frame that is not later; the first one before there is any."""
    stream = container.streams.video[0]
    assert stream.time_base is not None
    first_s = float((stream.start_time or 0) * stream.time_base)
    container.seek(int((first_s + start_s) / stream.time_base), stream=stream)
    tick, ticks, shown = 0, round(length_s * frames_per_s), None
    for frame in container.decode(stream):
        while shown is not None and tick < ticks and frame.time > first_s + start_s + tick / frames_per_s + 1e-6:
            yield _picture(shown, size)
            tick += 1
        shown = frame
        if tick == ticks:
            return
    while shown is not None and tick < ticks:
        yield _picture(shown, size)
        tick += 1


def _picture(frame: av.VideoFrame, size: Size) -> Picture:
    return frame.reformat(size.width_px, size.height_px, "rgb24").to_ndarray().astype(np.uint8, copy=False)
