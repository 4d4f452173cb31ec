"""Programmes and other material -> what each query is put together from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus.clips import NoMaterial
from benchmarks.corpus.pool import part
from benchmarks.corpus.programmes import Programme
from benchmarks.edits import ARRANGEMENTS, FRAMES_PER_S, Arrangement, Piece, arrange, cut_up

FOREIGN_S = (3.0, 15.0)
"""Shots of other material."""
PART_S = (4.0, 9.0)
"""A copied stretch where a query has several."""
REAL_SHARE = 0.6
"""Of a copied stretch, from clips; the rest may be drawn."""
PLACES = ("head", "middle", "end")


@dataclass(frozen=True, slots=True)
class Query:
    """What a query is made of."""

    name: str
    edit: str
    """As the truth names it."""
    film_edit: str | None
    """What is done to the whole film."""
    strength: str
    pieces: tuple[Piece, ...]
    seed: int
    kind: str = "copy"
    """Or what a query without a copy shows: "other", "same-source" or "same-clip" as a reference."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long copies and queries are, in seconds: from, to."""

    copy_s: tuple[float, float]
    query_s: tuple[float, float]

    def copy_frames(self, random: np.random.Generator) -> int:
        """Short ones as often as long ones: evenly on a logarithmic scale."""
        low, high = np.log(self.copy_s)
        return round(float(np.exp(random.uniform(low, high))) * FRAMES_PER_S)

    def query_frames(self, copied: int, most_s: float, random: np.random.Generator) -> int:
        """At least as long as what is copied and two seconds more."""
        low, high = np.log((self.query_s[0], min(self.query_s[1], most_s)))
        return max(copied + 2 * FRAMES_PER_S, round(float(np.exp(random.uniform(low, high))) * FRAMES_PER_S))


class OtherMaterial:
    """Clips that no reference shows."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = tuple(pieces)

    def take(self, frames: int, random: np.random.Generator) -> tuple[Piece, ...]:
        """So many frames: shots from one clip after another, in random order."""
        shots: list[Piece] = []
        order: list[int] = []
        while frames > 0:
            order = order or [int(number) for number in random.permutation(len(self.pieces))]
            piece = self.pieces[order.pop()]
            wanted = min(piece.frames, frames, round(float(random.uniform(*FOREIGN_S)) * FRAMES_PER_S))
            if 0 < frames - wanted < FRAMES_PER_S:
                wanted = frames if frames <= piece.frames else max(1, frames - FRAMES_PER_S)
            shots.append(part(piece, int(random.integers(piece.frames - wanted + 1)), wanted))
            frames -= wanted
        return tuple(shots)


class Copier:
    """Picks stretches of programmes, not of intros and outros, most of each from clips."""

    def __init__(self, programmes: Sequence[Programme], drawn: Mapping[Path, object]) -> None:
        self.programmes = tuple(programmes)
        self._real = [np.concatenate([[0], np.cumsum(_is_real(one, drawn))]) for one in programmes]

    def pick(
        self, frames: int, random: np.random.Generator, of: int | None = None, apart: Sequence[Piece] = ()
    ) -> Piece:
        """A stretch of one programme, chosen at random unless given, that shares no frame with those in `apart`.

        It is shorter than asked for where the programme is; raises `NoMaterial` where those in `apart` leave no room.
        """
        number = self.choose(1, random)[0] if of is None else of
        programme, real = self.programmes[number], self._real[number]
        frames = min(frames, programme.body)
        starts = _free_starts(programme, frames, apart)
        if not len(starts):
            raise NoMaterial(f"{programme.name} is too short for what is to be copied from it")
        share = (real[starts + frames] - real[starts]) / frames
        good = starts[share >= min(REAL_SHARE, share.max())]
        return programme.piece(int(good[random.integers(len(good))]), frames)

    def choose(self, count: int, random: np.random.Generator) -> list[int]:
        """So many programmes, none twice while there are enough, those with more real material rather."""
        weights = 1 + np.sqrt([real[-1] for real in self._real])
        chosen: list[int] = []
        while len(chosen) < count:
            more = min(count - len(chosen), len(weights))
            chosen += [int(one) for one in random.choice(len(weights), more, replace=False, p=weights / weights.sum())]
        return chosen


def _free_starts(programme: Programme, frames: int, apart: Sequence[Piece]) -> NDArray[np.int64]:
    """Where a stretch of so many frames may begin."""
    starts = np.arange(programme.intro, programme.frames - programme.outro - frames + 1)
    for other in (piece for piece in apart if piece.path == programme.path):
        first = round(other.start_s * FRAMES_PER_S)
        starts = starts[(starts + frames <= first) | (starts >= first + other.frames)]
    return starts


def _is_real(programme: Programme, drawn: Mapping[Path, object]) -> NDArray[np.bool_]:
    return np.concatenate([np.full(take.frames, take.path not in drawn) for take in programme.takes])


def surround(
    copied: Sequence[Piece], frames: int, place: str, other: OtherMaterial, random: np.random.Generator
) -> tuple[Piece, ...]:
    """The copied pieces at the head, in the middle or at the end of a query of so many frames."""
    spare = max(0, frames - sum(piece.frames for piece in copied))
    before = {"head": 0, "end": spare, "middle": round(spare * float(random.uniform(0.3, 0.7)))}[place]
    head = other.take(before, random) if before else ()
    tail = other.take(spare - before, random) if spare - before else ()
    return (*head, *copied, *tail)


def copied_pieces(
    edit: str, strength: str, copier: Copier, lengths: Lengths, other: OtherMaterial, random: np.random.Generator
) -> tuple[Piece, ...]:
    """What a query copies: one stretch, or several as an arrangement wants them."""
    if edit not in ARRANGEMENTS:
        return (copier.pick(lengths.copy_frames(random), random),)
    arrangement = ARRANGEMENTS[edit]
    copies = _several(arrangement, arrangement.count(strength), copier, random)
    return arrange(arrangement, copies, lambda frames: other.take(frames, random), random)


def _several(arrangement: Arrangement, count: int, copier: Copier, random: np.random.Generator) -> tuple[Piece, ...]:
    # Half of the shortest programme stays free: the largest of the gaps between the parts has room for one more.
    most = min(programme.body for programme in copier.programmes) // (2 * count)
    frames = [min(most, round(float(random.uniform(*PART_S)) * FRAMES_PER_S)) for _ in range(count)]
    if arrangement.source == "one stretch":
        return cut_up(copier.pick(sum(frames), random), count)
    one = arrangement.source == "one reference"
    programmes = copier.choose(1, random) * count if one else copier.choose(count, random)
    copies: list[Piece] = []
    for number, length in zip(programmes, frames, strict=True):
        copies.append(copier.pick(length, random, number, copies))
    return tuple(sorted(copies, key=lambda piece: piece.start_s)) if one else tuple(copies)
