"""The records that stages hand to each other.

Letters in shapes: N frames of one media file, D dimensions of a descriptor, M matches, H x W pixels.
Times are seconds from the first moment of the file, taken from the stream's own timestamps; spans
are half-open. Records check themselves when made and are never changed: use `dataclasses.replace`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from vcd.view import MIRRORED as MIRRORED
from vcd.view import WHOLE as WHOLE
from vcd.view import Picture as Picture
from vcd.view import Rectangle as Rectangle
from vcd.view import Region as Region
from vcd.view import View as View

T = TypeVar("T")

Kind = Literal["video", "image"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time; a still image or a single moment has the same start and end."""

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.start_s) and np.isfinite(self.end_s) and self.start_s <= self.end_s):
            raise ValueError(f"a span needs finite start <= end, got {self.start_s} to {self.end_s}")

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    def overlap_s(self, other: "Span") -> float:
        """Seconds that both spans cover."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a media file is, as found by reading it."""

    kind: Kind
    duration_s: float
    """From where players start the file to the end of its last frame; 0 for an image."""
    width_px: int
    """As shown: after rotation and with square pixels."""
    height_px: int
    format: str
    """Container and codec, for people: ``mov/h264``."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture and its time."""

    time_s: float
    picture: Picture

    def __post_init__(self) -> None:
        if self.picture.ndim != 3 or self.picture.shape[2] != 3 or self.picture.dtype != np.uint8:
            raise ValueError(f"a picture is uint8 (H, W, 3), got {self.picture.dtype} {self.picture.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class Descriptors:
    """One media file as a list of vectors, one per sampled frame."""

    name: str
    """The file's path as it is shown to the user."""
    info: MediaInfo
    times_s: NDArray[np.float64]
    """float64 (N,), strictly increasing."""
    vectors: NDArray[np.float32]
    """float32 (N, D), each row of length 1 (or 0 for a picture without content): a dot product is a cosine."""
    quality: NDArray[np.float32]
    """float32 (N,), from 0 (flat or black: says nothing) to 1."""
    view: View = WHOLE
    """What of the pictures the vectors describe."""
    bias: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    """float32 (N,), taken off the similarities of each row when this is a query: how much more alike than usual it
    looks to pictures that it has nothing to do with, and how little it shows. Zeros unless `vcd.describe`
    or `vcd.search` knows better."""

    def __post_init__(self) -> None:
        if not len(self.bias):
            object.__setattr__(self, "bias", np.zeros(len(self.times_s), dtype=np.float32))
        if len(self.bias) != len(self.times_s):
            raise ValueError(f"times {self.times_s.shape} and bias {self.bias.shape} of {self.name} do not agree")
        if self.vectors.ndim != 2 or not len(self.times_s) == len(self.vectors) == len(self.quality):
            raise ValueError(
                f"times {self.times_s.shape}, vectors {self.vectors.shape} and quality {self.quality.shape} "
                f"of {self.name} do not agree"
            )
        if not np.isfinite(self.vectors).all():
            raise ValueError(f"a descriptor of {self.name} is not finite")
        if len(self.times_s) > 1 and not (np.diff(self.times_s) > 0).all():
            raise ValueError(f"times of {self.name} are not strictly increasing")

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def mirrored(self) -> bool:
        return self.view.mirrored

    def span(self, first: int, stop: int) -> Span:
        """Stretch of time that rows [first, stop) stand for.

        A row stands for the time from its own frame to the next sampled frame; the first row reaches back
        to 0 and the last row to the end of the file.
        """
        start_s = 0.0 if first == 0 else float(self.times_s[first])
        end_s = float(self.times_s[stop]) if stop < len(self) else self.info.duration_s
        return Span(start_s, max(start_s, end_s))


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The k nearest reference frames of each of Q query frames, nearest first.

    Where fewer than k exist the row is filled with ``media_ids`` -1 and ``similarities`` -1.
    """

    media_ids: NDArray[np.int64]
    """int64 (Q, k)."""
    times_s: NDArray[np.float64]
    """float64 (Q, k)."""
    similarities: NDArray[np.float32]
    """float32 (Q, k), cosine."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameMatches:
    """Frames of one query that look like frames of one reference."""

    media_id: int
    """The reference."""
    query_rows: NDArray[np.int64]
    """int64 (M,), rows of the query's `Descriptors`, rising."""
    reference_times_s: NDArray[np.float64]
    """float64 (M,)."""
    similarities: NDArray[np.float32]
    """float32 (M,), cosine less the bias of the query's row."""
    votes: float
    """Evidence that some stretch of the query comes from this reference; ranks candidates."""

    def __post_init__(self) -> None:
        if not len(self.query_rows) == len(self.reference_times_s) == len(self.similarities):
            raise ValueError("query_rows, reference_times_s and similarities differ in length")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a segment being a copy, in measures that mean the same for every model.

    A margin is how far a similarity stands out of unrelated pictures: 0 not at all, 1 identical.
    """

    log_gain: float = 0.0
    """Logarithm of the sum of gains along the segment."""
    log_news: float = 0.0
    """Logarithm of the sum of margins with each frame weighed by how much it differs from the segment's earlier ones:
    one static shot is one piece of evidence, however long."""
    log_shots: float = 0.0
    """Logarithm of the number of distinct shots that support it."""
    coverage: float = 1.0
    """Share of the frames that support it."""
    margin: float = 0.0
    """Median margin of the supporting frames."""
    low_margin: float = 0.0
    """Margin that nine of ten supporting frames exceed."""
    sharpness: float = 0.0
    """Mean margin along the line less that along the line moved in time: a copy is alike at its own moment only."""
    covariation: float = 0.0
    """Correlation, -1 to 1, of how the frames of both sides differ from the segment's mean frame: the same set-up
    filmed twice looks alike but changes in another way. 0 where the reference has too few frames to tell."""
    rarity: float = 1.0
    """Mean weight of its frames: near 0 where they are found in many references or say nothing."""
    speed: float = 0.0
    """Absolute logarithm of the absolute speed: unusual speeds fit by chance more often."""
    backwards: float = 0.0
    """1 for a segment that is played backwards."""
    still: bool = False
    """Whether one side is a single picture, so that margin and rarity are all there is."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """What local features of a few frame pairs say about a segment; see `vcd.verify`."""

    pairs: int
    """Frame pairs that had enough features on both sides to be compared."""
    log_inliers: float
    """Logarithm of 1 + the median number of features that follow one similarity transform."""
    agreement: float
    """Share of the pairs whose transform is that of the segment."""
    motion: float
    """Correlation of what moves in the query with what moves in the reference there, -1 to 1; 0 where nothing does."""
    moving: float
    """Share of the agreeing pairs where something moves."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A copied stretch: one span on each side."""

    query: str
    reference: str
    query_span: Span
    reference_span: Span
    score: float
    """Probability that the stretch is a copy, in [0, 1]."""
    speed: float = 1.0
    """Reference seconds played per query second; negative: played backwards."""
    view: View = WHOLE
    """How the query has to be looked at to see the reference."""
    verified: bool | None = None
    """None: not checked."""
    refined: bool = False
    """Whether the ends were found by decoding both files around them."""
    evidence: Evidence | None = None
    """None: the score was not made from evidence."""
    geometry: Geometry | None = None
    """None: not looked at, or there was too little to see."""
    found_by: str = "descriptors"
    """Or ``content``, for the same bytes, or the kind of a perceptual hash."""
    reference_timed: bool = True
    """False: of the reference a list of hashes says no times, and its span says nothing."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"a score lies in [0, 1], got {self.score}")
        if self.speed == 0 or not np.isfinite(self.speed):
            raise ValueError(f"a speed is finite and not 0, got {self.speed}")

    @property
    def mirrored(self) -> bool:
        return self.view.mirrored

    def sort_key(self) -> tuple[str, float, str, float, float]:
        """Order of rows in every output: query, falling score, reference, start."""
        return (
            self.query, -self.score, self.reference, self.query_span.start_s, self.reference_span.start_s,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to a query: all segments, all problems, and where they come from."""

    segments: tuple[Segment, ...]
    problems: tuple[Problem, ...]
    usable: int
    """Queries that could be read."""
    made_with: dict[str, Any] = field(default_factory=dict)
    """Version, model, settings: enough to make the same answer again."""


class Progress(Protocol):
    """Wraps an iterable so that somebody can watch it being consumed."""

    def __call__(self, items: Iterable[T], what: str, total: int | None = None) -> Iterable[T]: ...


def quiet(items: Iterable[T], what: str, total: int | None = None) -> Iterable[T]:  # noqa: ARG001
    """The default `Progress`: shows nothing."""
    return items


Look = Callable[[Span, float], Descriptors]
"""Decodes and describes one stretch of a file: frames at least so many seconds apart."""
