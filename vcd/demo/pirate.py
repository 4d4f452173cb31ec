"""Films -> a clip that copies stretches of two of them, disguised, and the truth about it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, islice
from pathlib import Path

import av
import cv2
import numpy as np

from vcd.demo.canvas import Size, dot, polygon, round_points, text_width, write
from vcd.demo.cards import WORDS
from vcd.demo.encode import Encoding, write_video
from vcd.demo.films import Recipe, pictures
from vcd.errors import InputError, UnknownName
from vcd.types import Picture, Progress, Span, quiet

Edit = Callable[[Picture, float], Picture]
"""A picture of a film and the seconds since its stretch began -> the picture in the clip."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A piece of the clip that comes from no film."""

    length_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stolen:
    """A piece of the clip that comes from a film."""

    film: int
    """Place in the list of films, from 0."""
    start_s: float
    """Where in the film it begins."""
    length_s: float
    """How long it is in the clip."""
    speed: float = 1.0
    """Seconds of the film played per second of the clip."""
    edit: str
    """Name of an entry of `EDITS`."""

    def __post_init__(self) -> None:
        if self.edit not in EDITS:
            raise UnknownName("edit", self.edit, EDITS)
        if self.speed <= 0 or self.start_s < 0:
            raise ValueError(f"a stolen piece needs speed > 0 and start >= 0, got {self.speed} and {self.start_s}")


@dataclass(frozen=True, slots=True)
class TrueSegment:
    """A stretch of the clip that is known, from its making, to be copied."""

    reference: Path
    query_span: Span
    reference_span: Span
    speed: float
    """Reference seconds played per query second."""
    edit: str
    """What was done to the picture, in words."""


def cover(size: Size) -> Edit:
    """Keep 88 % of the width and of the height, put a logo into a corner and subtitles at the bottom."""
    rng = np.random.default_rng(5)
    lines = [" ".join(rng.choice(WORDS, 4, replace=False)).capitalize() for _ in range(20)]
    height = 0.055 * size.height_px
    star = round_points(10, 0.055 * size.height_px, 0.5, -np.pi / 2)
    corner = np.array([0.9 * size.width_px, 0.14 * size.height_px])

    def edit(picture: Picture, time_s: float) -> Picture:
        rows, columns = picture.shape[:2]
        cut = picture[round(0.03 * rows) : round(0.91 * rows), round(0.08 * columns) : round(0.96 * columns)]
        shown: Picture = cv2.resize(cut, (size.width_px, size.height_px), interpolation=cv2.INTER_AREA)
        dot(shown, corner[0], corner[1], 0.085 * size.height_px, (200, 30, 40))
        polygon(shown, star + corner, (255, 235, 90))
        text = lines[int(time_s / 2.2) % len(lines)]
        left = (size.width_px - text_width(text, height)) / 2 + 6 * (time_s % 2.2)
        for shift in (-1, 1):
            write(shown, text, left + shift, 0.93 * size.height_px + shift, height, (0, 0, 0))
        write(shown, text, left, 0.93 * size.height_px, height, (255, 255, 255))
        return shown

    return edit


def spoil(size: Size) -> Edit:
    """Shrink to half the size and back, blur, and darken the middle greys."""
    darker = np.round(255 * (np.arange(256) / 255) ** 1.25).astype(np.uint8)

    def edit(picture: Picture, time_s: float) -> Picture:  # noqa: ARG001
        small = cv2.resize(picture, (size.width_px // 2, size.height_px // 2), interpolation=cv2.INTER_AREA)
        back = cv2.resize(small, (size.width_px, size.height_px), interpolation=cv2.INTER_LINEAR)
        spoiled: Picture = cv2.LUT(cv2.GaussianBlur(back, (0, 0), size.height_px / 200), darker)
        return spoiled

    return edit


EDITS: Mapping[str, Callable[[Size], Edit]] = {
    "cropped by 12 %, logo, subtitles": cover,
    "half the size, blurred, darker": spoil,
}

Piece = Foreign | Stolen


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRecipe:
    """All that decides what a pirate clip shows, but for the films."""

    pieces: tuple[Piece, ...]
    foreign: Recipe
    """Where the foreign pieces come from, one after the other."""
    encoding: Encoding

    def __post_init__(self) -> None:
        needed_s = sum(piece.length_s for piece in self.pieces if isinstance(piece, Foreign))
        if self.foreign.length_s < needed_s:
            raise ValueError(f"the foreign pieces need {needed_s} s, there are {self.foreign.length_s}")

    def frames(self, piece: Piece) -> int:
        """A piece is a whole number of frames long, so the truth about the clip is exact to a frame."""
        return round(piece.length_s * self.encoding.frames_per_s)


CLIP = ClipRecipe(
    pieces=(
        Foreign(12.0),
        Stolen(film=0, start_s=24.6, length_s=25.0, edit="cropped by 12 %, logo, subtitles"),
        Foreign(8.0),
        Stolen(film=2, start_s=31.3, length_s=20.0, speed=1.2, edit="half the size, blurred, darker"),
        Foreign(8.0),
    ),
    foreign=Recipe(
        name="foreign", seed=77, shortest_s=2.0, longest_s=6.0, length_s=28.0,
        scenes=("farmland", "title", "plasma", "landscape", "tunnel", "toys", "relief", "waves"),
    ),
    encoding=Encoding(size=Size(426, 240), frames_per_s=24, crf=30),
)  # fmt: skip


def shown_at(path: Path, times_s: Iterable[float]) -> Iterator[Picture]:
    """The picture that a file shows at each of the rising times, counted from its first moment."""
    times = list(times_s)
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            zero, tick = stream.start_time or 0, stream.time_base or Fraction(1)
            container.seek(int(times[0] / tick) + zero, stream=stream)
            shown: av.VideoFrame | None = None
            upcoming = (frame for frame in container.decode(stream) if frame.pts is not None)
            waiting = next(upcoming, None)
            for time_s in times:
                # A millionth: 1.12 s may be a hair below the frame of 1.12 s in floating point.
                now = time_s + 1e-6
                while waiting is not None and (_pts(waiting) - zero) * tick <= now:
                    shown, waiting = waiting, next(upcoming, None)
                ended = waiting is None and shown and (_pts(shown) + shown.duration - zero) * tick <= now
                if shown is None or ended:
                    raise InputError(path, f"it shows nothing at {time_s:.3f} s")
                yield np.asarray(shown.to_ndarray(format="rgb24"), np.uint8)
    except av.error.FFmpegError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from error


def _pts(frame: av.VideoFrame) -> int:
    assert frame.pts is not None
    return frame.pts


def make_clip(
    path: Path, films: Sequence[Path], progress: Progress = quiet, recipe: ClipRecipe = CLIP
) -> tuple[TrueSegment, ...]:
    """Write the pirate clip from the encoded films; the copied stretches in order of the clip's time."""
    total = sum(recipe.frames(piece) for piece in recipe.pieces)
    write_video(path, progress(_clip_pictures(films, recipe), "pirate clip", total), recipe.encoding)
    return _truth(films, recipe)


def _clip_pictures(films: Sequence[Path], recipe: ClipRecipe) -> Iterator[Picture]:
    size, frames_per_s = recipe.encoding.size, recipe.encoding.frames_per_s
    own = pictures(recipe.foreign, (number / frames_per_s for number in count()))
    for piece in recipe.pieces:
        times_s = [number / frames_per_s for number in range(recipe.frames(piece))]
        if isinstance(piece, Foreign):
            for picture in islice(own, len(times_s)):
                yield cv2.resize(picture, (size.width_px, size.height_px), interpolation=cv2.INTER_AREA)
            continue
        edit = EDITS[piece.edit](size)
        film_times_s = [piece.start_s + piece.speed * time_s for time_s in times_s]
        for picture, time_s in zip(shown_at(films[piece.film], film_times_s), times_s, strict=True):
            yield edit(picture, time_s)


def _truth(films: Sequence[Path], recipe: ClipRecipe) -> tuple[TrueSegment, ...]:
    truth: list[TrueSegment] = []
    frames_per_s = recipe.encoding.frames_per_s
    first = 0
    for piece in recipe.pieces:
        stop = first + recipe.frames(piece)
        if isinstance(piece, Stolen):
            film_s = piece.speed * (stop - first) / frames_per_s
            query_span = Span(first / frames_per_s, stop / frames_per_s)
            reference_span = Span(piece.start_s, piece.start_s + film_s)
            truth.append(TrueSegment(films[piece.film], query_span, reference_span, piece.speed, piece.edit))
        first = stop
    return tuple(truth)
