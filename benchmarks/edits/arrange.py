"""Ways to put a query together from several copied stretches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np

from benchmarks.edits.film import FRAMES_PER_S, STRENGTHS, Piece

Foreign = Callable[[int], tuple[Piece, ...]]
"""A number of frames -> as many frames of other material."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How many copied stretches a query has, where they come from, and in which order they stand."""

    parts: tuple[int, int, int]
    """How many, by strength."""
    source: Literal["one stretch", "one reference", "several references"]
    foreign_between: bool
    shuffled: bool = False

    def count(self, strength: str) -> int:
        return self.parts[STRENGTHS.index(strength)]


ARRANGEMENTS: Mapping[str, Arrangement] = {
    "splice": Arrangement((2, 3, 5), "one stretch", foreign_between=True),
    "mash-up": Arrangement((2, 3, 4), "several references", foreign_between=False),
    "out-of-order": Arrangement((2, 3, 5), "one reference", foreign_between=False, shuffled=True),
}


def cut_up(piece: Piece, count: int) -> tuple[Piece, ...]:
    """A stretch as so many stretches of about the same length."""
    ends = [round(piece.frames * number / count) for number in range(count + 1)]
    return tuple(
        Piece(piece.path, piece.start_s + Fraction(first, FRAMES_PER_S), stop - first, piece.copied)
        for first, stop in pairwise(ends)
    )


def arrange(
    arrangement: Arrangement, copies: Sequence[Piece], foreign: Foreign, random: np.random.Generator
) -> tuple[Piece, ...]:
    """The copied stretches in their new order, with other material between them where the arrangement has some."""
    order = list(copies)
    while arrangement.shuffled and order == list(copies):
        order = [copies[int(number)] for number in random.permutation(len(copies))]
    pieces = [order[0]]
    for copy in order[1:]:
        if arrangement.foreign_between:
            pieces += foreign(int(random.integers(2 * FRAMES_PER_S, 5 * FRAMES_PER_S)))
        pieces.append(copy)
    return tuple(pieces)
