"""What an edit takes and gives: a film on its way through FFmpeg's graph, and what happened to its times."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

STRENGTHS = ("mild", "medium", "hard")
FRAMES_PER_S = 25
"""Every film is brought to this constant rate before it is edited, and every reference of a corpus has it."""
SAMPLED: Mapping[str, str | int] = {"start_time": 0, "round": "up"}
"""Options of FFmpeg's filter "fps": a frame shows what the film showed at its own moment, nothing from later."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height of a picture, both even, as 4:2:0 video needs them."""

    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        if self.width_px < 16 or self.height_px < 16 or self.width_px % 2 or self.height_px % 2:
            raise ValueError(f"a picture has even sides of 16 px or more, got {self.width_px} x {self.height_px}")

    def scaled(self, across: float, down: float | None = None) -> "Size":
        """The nearest even size to so many times this one."""
        return Size(even(self.width_px * across), even(self.height_px * (across if down is None else down)))


def even(length_px: float) -> int:
    return max(16, 2 * round(length_px / 2))


@dataclass(frozen=True, slots=True)
class TimeMap:
    """Where a moment t before an edit is after it: at ``scale * t + shift_s``. A negative scale plays backwards."""

    scale: Fraction = Fraction(1)
    shift_s: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if self.scale == 0:
            raise ValueError("an edit may not bring all moments together")

    @property
    def speed(self) -> Fraction:
        """Seconds of the unedited film that pass in one second; negative: backwards."""
        return 1 / self.scale

    def span(self, start_s: Fraction, end_s: Fraction) -> tuple[Fraction, Fraction]:
        """Begin and end of a stretch after the edit."""
        first, second = (self.scale * moment + self.shift_s for moment in (start_s, end_s))
        return min(first, second), max(first, second)

    def then(self, later: "TimeMap") -> "TimeMap":
        """Both edits, one after the other."""
        return TimeMap(later.scale * self.scale, later.scale * self.shift_s + later.shift_s)


@dataclass(frozen=True, slots=True)
class Film:
    """Streams of FFmpeg's graph, and all that later edits and the truth need to know of them."""

    video: Any
    """An ffmpeg-python stream; its frames start at 0 s."""
    audio: Any | None
    size: Size
    length_s: Fraction
    times: TimeMap = TimeMap()
    encoding: Mapping[str, str | int] = field(default_factory=dict)
    """Options for the encoder that differ from the usual ones."""

    def filtered(self, name: str, *arguments: Any, **options: Any) -> "Film":
        """The film after one filter that leaves its size and its times."""
        return replace(self, video=self.video.filter(name, *arguments, **options))

    def sized(self, size: Size) -> "Film":
        """The film scaled to a size, with square pixels."""
        video = self.video.filter("scale", size.width_px, size.height_px).filter("setsar", 1)
        return replace(self, video=video, size=size)

    def cropped(self, size: Size, x_px: int, y_px: int) -> "Film":
        return replace(self, video=self.video.filter("crop", size.width_px, size.height_px, x_px, y_px), size=size)

    def padded(self, size: Size, x_px: int, y_px: int, colour: str = "black") -> "Film":
        video = self.video.filter("pad", size.width_px, size.height_px, x_px, y_px, colour)
        return replace(self, video=video, size=size)

    def with_overlay(self, top: Any, x: str | int, y: str | int, **options: Any) -> "Film":
        """Another stream, or a still picture, laid upon it; it ends when this film ends."""
        return replace(self, video=self.video.overlay(top, x=x, y=y, **options))

    def copies(self, count: int) -> list[Any]:
        """The video stream several times, for edits that show it more than once."""
        split = self.video.filter_multi_output("split", count)
        return [split.stream(number) for number in range(count)]

    def retimed(self, change: TimeMap, length_s: Fraction) -> "Film":
        return replace(self, times=self.times.then(change), length_s=length_s)

    def encoded(self, **options: str | int) -> "Film":
        return replace(self, encoding={**self.encoding, **options})


class Context:
    """What an edit may ask for: how strong it is to be, random numbers, foreign material, pictures to lay over."""

    def __init__(
        self,
        strength: str,
        random: np.random.Generator,
        draw: Callable[[Image.Image], Any],
        foreign: Callable[[Size, Fraction], Any],
    ) -> None:
        if strength not in STRENGTHS:
            raise ValueError(f"a strength is one of {STRENGTHS}, got {strength!r}")
        self.strength = strength
        self.random = random
        self.draw = draw
        """A picture -> a video stream that shows it for ever."""
        self.foreign = foreign
        """A size and a length in seconds -> a video stream of other material."""

    def level(self, mild: T, medium: T, hard: T) -> T:
        """The value for this strength."""
        return (mild, medium, hard)[STRENGTHS.index(self.strength)]

    def either(self, one: T, other: T) -> T:
        return one if self.random.random() < 0.5 else other

    def within(self, low: float, high: float) -> float:
        return float(self.random.uniform(low, high))

    def at(self, strength: str) -> "Context":
        """The same at another strength."""
        return Context(strength, self.random, self.draw, self.foreign)


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that pirates do."""

    apply: Callable[[Film, Context], Film]
    kind: str
    """Which of the edits in a chain it is: no two of one kind, in the order of `KINDS`."""


KINDS = ("frame", "colour", "overlay", "layout", "time", "rate", "quality")
"""What comes first in a chain: a picture is cropped before a logo is laid over it, and encoded last."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a file, one of those that an edited film is put together from."""

    path: Path
    start_s: Fraction
    frames: int
    """At `FRAMES_PER_S`; a file that ends before is held at its last frame."""
    copied: bool = False

    def __post_init__(self) -> None:
        if self.start_s < 0 or self.frames < 1:
            raise ValueError(f"a piece starts at 0 s or later and has a frame or more, got {self}")

    @property
    def length_s(self) -> Fraction:
        return Fraction(self.frames, FRAMES_PER_S)

    @property
    def end_s(self) -> Fraction:
        return self.start_s + self.length_s
