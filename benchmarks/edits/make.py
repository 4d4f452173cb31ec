"""Pieces and the name of an edit -> a film, and where its pieces are in it."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.edits.ffmpeg_run import join, still, write_film
from benchmarks.edits.film import FRAMES_PER_S, Context, Piece, Size, TimeMap
from benchmarks.edits.table import EDITS

SIZE = Size(640, 360)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a piece is seen in the edited film."""

    piece: Piece
    start_s: Fraction
    end_s: Fraction


@dataclass(frozen=True, slots=True)
class Edited:
    """A film that was made."""

    path: Path
    placed: tuple[Placed, ...]
    """In the order of the pieces."""
    times: TimeMap
    """From the moments of the unedited film to those of this one."""


def place(pieces: tuple[Piece, ...], times: TimeMap) -> tuple[Placed, ...]:
    """Where pieces that follow each other are after an edit."""
    placed, at_s = [], Fraction(0)
    for piece in pieces:
        placed.append(Placed(piece, *times.span(at_s, at_s + piece.length_s)))
        at_s += piece.length_s
    return tuple(placed)


def make_film(
    path: Path,
    pieces: tuple[Piece, ...],
    edit: str | None,
    strength: str,
    seed: int,
    foreign: Callable[[int], tuple[Piece, ...]],
    size: Size = SIZE,
    *,
    keep: bool = False,
) -> Edited:
    """Join the pieces, edit the whole of it (``None``: only encode it), and write it.

    `foreign` gives so many frames of the other material that picture-in-picture and its like show. The same
    arguments make the same pictures. With `keep`, a file that is there is not made again.
    """
    film = join(pieces, size)
    with TemporaryDirectory() as folder:
        numbers = count()

        def draw(image: Image.Image) -> Any:
            drawn = Path(folder, f"{next(numbers)}.png")
            image.save(drawn)
            return still(drawn)

        def other(wanted: Size, length_s: Fraction) -> Any:
            return join(foreign(ceil(length_s * FRAMES_PER_S)), wanted).video

        if edit is not None:
            film = EDITS[edit].apply(film, Context(strength, np.random.default_rng(seed), draw, other))
        if not (keep and path.exists()):
            write_film(film, path)
    return Edited(path, place(pieces, film.times), film.times)
