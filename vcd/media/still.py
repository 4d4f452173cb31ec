"""Still images, and animations made of them (GIF, WebP, PNG, AVIF)."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import (  # the plugins register their formats when imported
    AvifImagePlugin,  # noqa: F401
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    ImageOps,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from vcd.config import MediaConfig, SampleConfig
from vcd.errors import InputError
from vcd.media.picture import shrink
from vcd.media.sampling import choose_packets, choose_spread
from vcd.media.timeline import Timeline
from vcd.media.video import SCENE_CHANGE, colour_histogram
from vcd.types import Frame, MediaInfo, Picture, Span

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
ANIMATED = ("PNG", "WEBP", "GIF", "AVIF")
BROKEN = (
    OSError, EOFError, SyntaxError, ValueError, LookupError, ArithmeticError, RuntimeError, TypeError, struct.error,
)  # fmt: skip
"""What Pillow raises for a damaged file: whatever its parsing happens to stumble on."""
SHORTEST_DELAY_S = 0.02
"""Browsers show frames with a shorter delay than this for 0.1 s."""


def is_image(path: Path) -> bool:
    """Whether the file starts like one of the image formats; raises `InputError` when it cannot be read."""
    try:
        with _open(path):
            return True
    except UnidentifiedImageError:
        return False


def read_still(path: Path, config: MediaConfig) -> "Still | Animation":
    """Open an image file; one with several frames in time is an `Animation`."""
    with _open(path) as image:
        width, height = image.size
        if width * height > config.max_pixels:
            raise InputError(path, f"has {width} x {height} pixels, above the limit of {config.max_pixels}")
        animated = image.format in ANIMATED and len(_frame_numbers(image)) > 1
    return Animation(path, config) if animated else Still(path, config)


class Still:
    """A picture: one frame at 0 s."""

    def __init__(self, path: Path, config: MediaConfig) -> None:
        with _open(path) as image:
            name = f"image/{(image.format or 'unknown').lower()}"
            width, height = _shown_size(image)
            image.draft("RGB", (2 * config.short_side_px, 2 * config.short_side_px))  # changes the size
            self._picture = shrink(to_rgb(ImageOps.exif_transpose(image)), config.short_side_px)
        self.info = MediaInfo("image", 0.0, width, height, name)

    def frames(self, sample: SampleConfig) -> Iterator[Frame]:  # noqa: ARG002
        yield Frame(0.0, self._picture)

    def glances(self, count: int) -> Iterator[Frame]:  # noqa: ARG002
        yield Frame(0.0, self._picture)

    def frames_between(self, span: Span, step_s: float) -> Iterator[Frame]:  # noqa: ARG002
        yield Frame(0.0, self._picture)


class Animation:
    """A short video kept as images, each with its own delay."""

    def __init__(self, path: Path, config: MediaConfig) -> None:
        self._path, self._config = path, config
        delays_s = []
        with _open(path) as image:
            name = f"animation/{(image.format or 'unknown').lower()}"
            width, height = image.size
            self._numbers = _frame_numbers(image)
            if len(self._numbers) > config.max_frames:
                raise InputError(path, f"has more than {config.max_frames} frames, the limit")
            for number in self._numbers:
                image.seek(number)
                image.load()
                delay_s = float(image.info.get("duration") or 0) / 1000
                delays_s.append(delay_s if delay_s >= SHORTEST_DELAY_S else 0.1)
        ends_s = np.cumsum(delays_s)
        self._times_s = np.concatenate(([0.0], ends_s[:-1]))
        self.info = MediaInfo("video", float(ends_s[-1]), width, height, name)

    def frames(self, sample: SampleConfig) -> Iterator[Frame]:
        """The frames at the moments that `sample` chooses, by strictly rising time."""
        wanted = set(choose_packets(self._timeline(), sample).tolist())
        previous = None
        for number, frame in enumerate(self._decode()):
            if number not in wanted:
                continue
            if sample.mode == "scene":
                histogram = colour_histogram(frame.picture)
                same = previous is not None and 0.5 * np.abs(histogram - previous).sum() <= SCENE_CHANGE
                previous = histogram
                if same:
                    continue
            yield frame

    def glances(self, count: int) -> Iterator[Frame]:
        """At most so many frames from all over the file."""
        wanted = set(choose_spread(self._timeline(), count).tolist())
        yield from (frame for number, frame in enumerate(self._decode()) if number in wanted)

    def frames_between(self, span: Span, step_s: float) -> Iterator[Frame]:
        """Frames shown in the span, at least a step apart."""
        next_s = span.start_s
        for frame in self._decode():
            if next_s - 1e-6 <= frame.time_s < span.end_s:
                next_s = frame.time_s + step_s
                yield frame

    def _timeline(self) -> Timeline:
        count = len(self._times_s)
        return Timeline(
            times_s=self._times_s,
            is_key=np.arange(count) == 0,
            is_shown=np.ones(count, dtype=bool),
            sizes_bytes=np.ones(count, dtype=np.int64),
            end_s=self.info.duration_s,
            marks=np.arange(count),
        )

    def _decode(self) -> Iterator[Frame]:
        with _open(self._path) as image:
            for number, time_s in zip(self._numbers, self._times_s, strict=True):
                image.seek(number)
                yield Frame(float(time_s), shrink(to_rgb(image), self._config.short_side_px))


def _frame_numbers(image: Image.Image) -> range:
    """Frames that move; an APNG may hold one more, for programs that know nothing but PNG."""
    return range(int(getattr(image, "default_image", False)), getattr(image, "n_frames", 1))


@contextmanager
def _open(path: Path) -> Iterator[Image.Image]:
    """Raises `UnidentifiedImageError` for what is no image, `InputError` for what is a bad one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                yield image
    except UnidentifiedImageError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(path, "has too many pixels to be opened safely") from error
    except BROKEN as error:
        raise InputError(path, f"is damaged, or cannot be read: {error}") from error


def _shown_size(image: Image.Image) -> tuple[int, int]:
    """Upright, as the EXIF orientation says; Pillow turns a TIFF by itself."""
    width, height = image.size
    turned = image.format != "TIFF" and image.getexif().get(0x0112, 1) >= 5
    return (height, width) if turned else (width, height)


def to_rgb(image: Image.Image) -> Picture:
    """Any colour mode -> uint8 RGB; what is transparent shows white."""
    if image.mode.startswith(("I", "F")):
        deep = np.asarray(image, dtype=np.float32)
        top = 65535.0 if image.mode.startswith("I") else max(float(deep.max(initial=0)), 1e-6)
        grey = np.clip(deep * (255.0 / top), 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return np.asarray(Image.alpha_composite(white, rgba).convert("RGB"))
    return np.asarray(image.convert("RGB"))
