"""Clips, a size and a seed -> the whole plan of a corpus, before anything is rendered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.corpus.clips import Clip, NoMaterial
from benchmarks.corpus.pool import Pool, share_out, whole
from benchmarks.corpus.programmes import INTRO_S, OUTRO_S, Programme, Studio, deal, fill
from benchmarks.corpus.queries import PLACES, Copier, Lengths, OtherMaterial, Query, copied_pieces, surround
from benchmarks.edits import ARRANGEMENTS, EDITS, FRAMES_PER_S, SIZE, STRENGTHS, Piece, Size
from vcd.demo.films import Recipe

MOST_S = 60.0
"""The longest query that is played backwards: the whole of it lies in memory for that. Chains may do so."""
ENOUGH_S = 20
"""Of clips for programmes and for other material, or there is no corpus to make."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is made."""

    programmes_min: tuple[float, ...]
    distractors_min: tuple[float, ...]
    film_min: float
    """The most of a whole film."""
    lengths: Lengths
    rounds: int
    """Queries of each edit at each strength; 0: one of each edit, at one strength in turn."""
    intros: int
    no_copy: int
    spared: int
    """Clips whose last third is kept for queries without a copy."""
    size: Size = SIZE
    """Of the references, and of the queries before they are edited."""


EXTENTS: Mapping[str, Extent] = {
    "quick": Extent((5, 5.5, 6), (3, 4), 6, Lengths((5, 35), (20, 45)), 0, 1, 12, 4),
    "full": Extent((5, 6, 8, 12, 20, 40), (10, 20), 40, Lengths((5, 90), (20, 240)), 2, 6, 60, 8),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """All that will be made."""

    references: tuple[Programme, ...]
    distractors: tuple[Programme, ...]
    queries: tuple[Query, ...]
    recipes: Mapping[Path, Recipe]
    """How to draw the films that the programmes show."""
    other: OtherMaterial
    pool: Pool
    size: Size


def make_plan(
    clips: Sequence[Clip], films: Sequence[Clip], folder: Path, extent: Extent, seed: int, work: Path
) -> Plan:
    """The same arguments give the same plan; raises `NoMaterial`."""
    random = np.random.default_rng([seed, 1])
    pool = share_out(clips, extent.spared, random)
    for name, pieces in (("programmes", pool.programme), ("other material", pool.foreign)):
        if sum(piece.frames for piece in pieces) < ENOUGH_S * FRAMES_PER_S:
            raise NoMaterial(f"the clips are too few: less than {ENOUGH_S} s for {name}")
    studio = Studio(work, seed, extent.size)
    references = _references(pool, films, folder / "references", extent, studio, random)
    distractors = _distractors(pool, folder / "distractors", extent, studio, random)
    other = OtherMaterial(pool.foreign)
    copier = Copier(references, studio.recipes)
    sources = {clip.path: clip.source for clip in clips}
    queries = [
        *_edited(copier, other, extent, random, seed),
        *_intros([one for one in references if one.intro], other, extent, random, seed),
        *_without_copy(pool, sources, other, extent, random, seed),
    ]
    numbered = tuple(_numbered(number, query) for number, query in enumerate(queries, start=1))
    return Plan(references, distractors, numbered, studio.recipes, other, pool, extent.size)


def _references(
    pool: Pool, films: Sequence[Clip], folder: Path, extent: Extent, studio: Studio, random: np.random.Generator
) -> tuple[Programme, ...]:
    """Two of three programmes have the same intro and outro; the third has long takes."""
    minutes = extent.programmes_min
    hands = deal(pool.programme, [round(10 * min(one, 10)) for one in minutes])
    intro = studio.film("intro", INTRO_S * FRAMES_PER_S)
    outro = studio.film("outro", OUTRO_S * FRAMES_PER_S)
    made = []
    for number, (length_min, clips) in enumerate(zip(minutes, hands, strict=True), start=1):
        name, frames = f"programme-{number:02d}", round(length_min * 60 * FRAMES_PER_S)
        if number % 3 == 0:
            takes = fill(name, clips, frames, "long takes", studio, random)
            made.append(Programme(folder / f"{name}.mp4", "long takes", takes))
        else:
            body = fill(name, clips, frames - intro.frames - outro.frames, "cuts", studio, random)
            made.append(Programme(folder / f"{name}.mp4", "cuts", (intro, *body, outro), intro.frames, outro.frames))
    for film in films:
        frames = min(film.frames, round(extent.film_min * 60 * FRAMES_PER_S))
        made.append(Programme(folder / f"film-{film.path.stem}.mp4", "film", (whole(film, 0, frames),)))
    return tuple(made)


def _distractors(
    pool: Pool, folder: Path, extent: Extent, studio: Studio, random: np.random.Generator
) -> tuple[Programme, ...]:
    made = []
    hands = deal(pool.distractor, [round(10 * one) for one in extent.distractors_min])
    for number, (length_min, clips) in enumerate(zip(extent.distractors_min, hands, strict=True), start=1):
        name, frames = f"distractor-{number:02d}", round(length_min * 60 * FRAMES_PER_S)
        takes = fill(name, clips, frames, "cuts", studio, random)
        made.append(Programme(folder / f"{name}.mp4", "cuts", takes))
    return tuple(made)


def _wanted(extent: Extent, seed: int) -> list[tuple[str, str]]:
    """Edit and strength of each query with a copy."""
    names = [*EDITS, *ARRANGEMENTS]
    if extent.rounds:
        return [(name, strength) for _ in range(extent.rounds) for name in names for strength in STRENGTHS]
    once = [(name, STRENGTHS[(number + seed) % 3]) for number, name in enumerate(names)]
    return once + [("speed", strength) for strength in STRENGTHS if ("speed", strength) not in once]


def _edited(
    copier: Copier, other: OtherMaterial, extent: Extent, random: np.random.Generator, seed: int
) -> list[Query]:
    queries = []
    for number, (edit, strength) in enumerate(_wanted(extent, seed)):
        copied = copied_pieces(edit, strength, copier, extent.lengths, other, random)
        most_s = MOST_S if edit == "reverse" or edit.startswith("chain") else extent.lengths.query_s[1]
        copied = _shortened(copied, most_s) if len(copied) == 1 else copied
        frames = extent.lengths.query_frames(sum(piece.frames for piece in copied), most_s, random)
        pieces = surround(copied, frames, PLACES[(number // 3 + seed) % 3], other, random)
        queries.append(Query("", edit, edit if edit in EDITS else None, strength, pieces, seed))
    return queries


def _shortened(pieces: tuple[Piece, ...], most_s: float) -> tuple[Piece, ...]:
    """No copied stretch longer than a query may be, with two seconds to spare."""
    most = round((most_s - 2) * FRAMES_PER_S)
    return tuple(Piece(one.path, one.start_s, min(one.frames, most), one.copied) for one in pieces)


def _intros(
    programmes: Sequence[Programme], other: OtherMaterial, extent: Extent, random: np.random.Generator, seed: int
) -> list[Query]:
    """Copies of a shared intro and what follows it: the intro is a copy from every programme that has it."""
    queries = []
    for number in range(extent.intros):
        programme = programmes[number % len(programmes)]
        copied = (programme.piece(0, programme.intro + round(float(random.uniform(6, 20)) * FRAMES_PER_S)),)
        frames = extent.lengths.query_frames(copied[0].frames, extent.lengths.query_s[1], random)
        pieces = surround(copied, frames, PLACES[number % 3], other, random)
        queries.append(Query("", "shared-intro", "crf", STRENGTHS[number % 3], pieces, seed))
    return queries


def _without_copy(
    pool: Pool,
    sources: Mapping[Path, str],
    other: OtherMaterial,
    extent: Extent,
    random: np.random.Generator,
    seed: int,
) -> list[Query]:
    """Queries without a copy; a third shows, if there are such, a clip that a programme shows at another time."""
    shown = {sources[piece.path] for piece in pool.programme}
    kin = [piece for piece in pool.foreign if sources[piece.path] in shown]
    queries = []
    for number in range(extent.no_copy):
        kind, near = (("same-clip", pool.later), ("same-source", kin), ("other", ()))[number % 3]
        frames = extent.lengths.query_frames(0, extent.lengths.query_s[1], random)
        main = (near[(number // 3) % len(near)],) if near else ()
        main = tuple(Piece(one.path, one.start_s, min(one.frames, frames)) for one in main)
        pieces = surround(main, frames, PLACES[number % 3], other, random)
        edit = list(EDITS)[int(random.integers(len(EDITS)))] if number % 2 else "crf"
        strength = STRENGTHS[int(random.integers(3))]
        edit = "crf" if edit == "reverse" or edit.startswith("chain") else edit
        queries.append(Query("", "no-copy", edit, strength, pieces, seed, kind if main else "other"))
    return queries


def _numbered(number: int, query: Query) -> Query:
    strength = "" if query.edit == "no-copy" else f"-{query.strength}"
    name = f"q{number:03d}-{query.edit}{strength}.mp4"
    return Query(
        name, query.edit, query.film_edit, query.strength, query.pieces, query.seed * 10_007 + number, query.kind
    )
