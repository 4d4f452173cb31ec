"""Pieces of clips and drawn films -> the cut lists of references."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np

from benchmarks.corpus.pool import drawn, part
from benchmarks.edits import FRAMES_PER_S, Piece, Size
from vcd.demo.films import Recipe

TAKE_S = (3.0, 12.0)
"""Shots of a programme."""
RUN = 9
"""Shots of clips between two drawn stretches."""
INTRO_S, OUTRO_S = 9, 7
SHOTS_S = {"cuts": (3.0, 12.0), "long takes": (25.0, 60.0)}
"""Shots of drawn stretches, by style."""
SHORTEST_DRAWN_S = 4


@dataclass(frozen=True, slots=True)
class Programme:
    """A reference as a list of cuts."""

    path: Path
    style: str
    takes: tuple[Piece, ...]
    intro: int = 0
    """Frames of the intro that it shares with others."""
    outro: int = 0
    starts: tuple[int, ...] = field(init=False)
    """The frame at which each take begins."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", tuple(accumulate((take.frames for take in self.takes[:-1]), initial=0)))

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def frames(self) -> int:
        return self.starts[-1] + self.takes[-1].frames

    @property
    def body(self) -> int:
        """Frames between the intro and the outro."""
        return self.frames - self.intro - self.outro

    def piece(self, first: int, frames: int) -> Piece:
        """So many of its frames, as what a query copies."""
        if first < 0 or frames < 1 or first + frames > self.frames:
            raise ValueError(f"{self.name} has {self.frames} frames, not {first} to {first + frames}")
        return Piece(self.path, Fraction(first, FRAMES_PER_S), frames, copied=True)


@dataclass(frozen=True, slots=True)
class Studio:
    """Where drawn films lie; it remembers how to draw those that were asked for."""

    folder: Path
    seed: int
    size: Size
    recipes: dict[Path, Recipe] = field(default_factory=dict)

    def film(self, name: str, frames: int, style: str = "cuts") -> Piece:
        seed = self.seed * 100_003 + len(self.recipes)
        piece, recipe = drawn(self.folder / f"{name}.mp4", frames, seed, SHOTS_S[style], self.size)
        self.recipes[piece.path] = recipe
        return piece


def cut_into_takes(piece: Piece, style: str, random: np.random.Generator) -> list[Piece]:
    """A clip as shots; as one long take in that style."""
    if style == "long takes":
        return [piece]
    takes, first = [], 0
    while first < piece.frames:
        frames = round(float(random.uniform(*TAKE_S)) * FRAMES_PER_S)
        if piece.frames - first - frames < TAKE_S[0] * FRAMES_PER_S:
            frames = piece.frames - first
        takes.append(part(piece, first, frames))
        first += frames
    return takes


def fill(
    name: str, clips: Sequence[Piece], frames: int, style: str, studio: Studio, random: np.random.Generator
) -> tuple[Piece, ...]:
    """So many frames: the takes of the clips in random order, in runs, and drawn stretches between the runs.

    What is too long is cut off at the end.
    """
    cut = [take for clip in clips for take in cut_into_takes(clip, style, random)]
    takes = [cut[int(number)] for number in random.permutation(len(cut))]
    runs = [takes[first : first + RUN] for first in range(0, len(takes), RUN)] or [[]]
    lacking = max(0, frames - sum(take.frames for take in takes))
    filled: list[Piece] = []
    for number, run in enumerate(runs):
        filled += run
        share = lacking * (number + 1) // len(runs) - lacking * number // len(runs)
        if share >= SHORTEST_DRAWN_S * FRAMES_PER_S:
            filled.append(studio.film(f"{name}-{number}", share, style))
    return _first_frames(filled, frames)


def _first_frames(takes: Sequence[Piece], frames: int) -> tuple[Piece, ...]:
    kept = []
    for take in takes:
        if frames > 0:
            kept.append(part(take, 0, min(take.frames, frames)))
            frames -= take.frames
    return tuple(kept)


def deal(pieces: Sequence[Piece], weights: Sequence[int]) -> list[list[Piece]]:
    """Give the pieces to so many hands, each time to the one that lacks most by its weight."""
    hands: list[list[Piece]] = [[] for _ in weights]
    for piece in sorted(pieces, key=lambda one: (-one.frames, one.path, one.start_s)):
        has = [sum(own.frames for own in hand) / weight for hand, weight in zip(hands, weights, strict=True)]
        hands[has.index(min(has))].append(piece)
    return hands
