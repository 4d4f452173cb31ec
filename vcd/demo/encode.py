"""Pictures -> an H.264 file, which appears whole or not at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2

from vcd.demo.canvas import Size
from vcd.errors import SetupError
from vcd.types import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How pictures become a file."""

    size: Size
    frames_per_s: int
    crf: int = 23
    """How much x264 may lose: 18 looks like the original, 35 is ugly."""
    preset: str = "superfast"

    @property
    def step(self) -> Fraction:
        """Seconds from a frame to the next."""
        return Fraction(1, self.frames_per_s)


def write_video(path: Path, pictures: Iterable[Picture], encoding: Encoding) -> None:
    """Encode pictures, each shown for one step; existing files are replaced, a failed run leaves nothing."""
    partial = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _encode(partial, pictures, encoding)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except (av.error.FFmpegError, OSError) as error:
        raise SetupError(f"cannot write {path}: {error.strerror or error}") from error


def _encode(path: Path, pictures: Iterable[Picture], encoding: Encoding) -> None:
    size = encoding.size
    with av.open(str(path), "w", format="mp4") as container:
        options = {"preset": encoding.preset, "crf": str(encoding.crf)}
        stream = container.add_stream("libx264", rate=encoding.frames_per_s, options=options)
        stream.width, stream.height, stream.pix_fmt = size.width_px, size.height_px, "yuv420p"
        stream.time_base = encoding.step
        # One thread, so that the bytes do not depend on the machine's number of cores.
        stream.codec_context.thread_count = 1
        for number, picture in enumerate(pictures):
            if picture.shape != (size.height_px, size.width_px, 3):
                raise ValueError(f"a picture is {size.height_px} x {size.width_px} x 3, got {picture.shape}")
            frame = av.VideoFrame.from_ndarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), format="yuv420p")
            frame.pts, frame.time_base = number, encoding.step
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
