"""One door to all media: a path in, frames out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from vcd.config import MediaConfig, SampleConfig
from vcd.errors import InputError
from vcd.media.still import is_image, read_still
from vcd.media.video import Video
from vcd.types import Frame, MediaInfo, Span


class Media(Protocol):
    """A readable media file."""

    info: MediaInfo

    def frames(self, sample: SampleConfig) -> Iterator[Frame]:
        """Frames at the chosen moments, by strictly rising time; at least one."""
        ...

    def glances(self, count: int) -> Iterator[Frame]:
        """At most so many frames from all over the file, at little cost; what they have in common is its layout."""
        ...

    def frames_between(self, span: Span, step_s: float) -> Iterator[Frame]:
        """Frames shown in the span, at least a step apart; perhaps none."""
        ...


def open_media(path: Path, config: MediaConfig, threads: int = 1) -> Media:
    """Open a video or an image, judged by its content.

    Raises `InputError` with the reason when the file is missing, empty, truncated, encrypted, has no picture
    or is no media file at all.
    """
    try:
        if path.stat().st_size == 0:
            raise InputError(path, "is empty")
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from error
    if _is_svg(path):
        raise InputError(path, "is an SVG drawing, which has no pixels; export it as a PNG")
    if is_image(path):
        return read_still(path, config)
    return Video(path, config, threads)


def _is_svg(path: Path) -> bool:
    """FFmpeg and Pillow read none, and would not say why."""
    try:
        with path.open("rb") as file:
            start = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return False  # whoever opens it next says so
    return start.startswith(b"<") and b"<svg" in start
