"""The corpus of edited pictures: made once, kept on disk, found again by a digest of all that shapes it.

references    pictures; the first `copied` of them have edited copies among the queries
distractors   more references: frames of videos
queries       for each edit: a copy of each of the first references, then pictures that are no reference
background    training pictures, to normalise scores with
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.images import drawing, edits, frames, stored, twins
from benchmarks.images.edits import EDITS, edited
from benchmarks.images.frames import distractor_videos, frames_of
from benchmarks.images.stored import Item, encode, read_items, write_items
from benchmarks.images.twins import distinct
from benchmarks.machine import ROOT

DATA = ROOT.parent / "shared" / "data"
"""Where the media lie beside a checkout, as `default_data` finds them."""


def default_data() -> Path:
    """The nearest ``shared/data`` above the repository: a worktree may lie deeper than the checkout."""
    for folder in ROOT.parents:
        if (folder / "shared" / "data").is_dir():
            return folder / "shared" / "data"
    return DATA


def default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "vcd-bench")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a corpus is made of."""

    pictures: Path
    """Parquet with `id`, `source`, `image`, or a folder of pictures."""
    videos: Path | None = None
    """Folder of videos for the distractors; None: none."""
    background: Path | None = None
    """Like `pictures`; never the same ones. None: scores are not normalised."""
    copied: int = 300
    references: int = 900
    distractors: int = 2870
    backgrounds: int = 2000
    seed: int = 0
    edits: tuple[str, ...] = tuple(EDITS)


def standard_plan(data: Path) -> Plan:
    return Plan(
        pictures=data / "eval" / "eval-00.parquet",
        videos=data / "videos" if (data / "videos").is_dir() else None,
        background=data / "train" if (data / "train").is_dir() else None,
    )


@dataclass(frozen=True, slots=True)
class Corpus:
    """A made corpus, or a smaller part of one."""

    folder: Path
    digest: str
    copied: int
    foreign: int
    """Queries without a copy, for each edit."""
    distractors: int
    backgrounds: int
    edits: tuple[str, ...] = field(default=tuple(EDITS))

    def references(self) -> list[Item]:
        """Pictures, then distractors; the i-th is the original of the i-th query of each edit, for i < copied."""
        return (
            read_plain(self.folder / "references.parquet")
            + (read_plain(self.folder / "distractors.parquet")[: self.distractors])
        )

    def queries(self, edit: str) -> list[Item]:
        """`copied` queries with a copy, then `foreign` ones without."""
        rows = read_plain(self.folder / "queries" / file_name(edit))
        copies = sum(row.source == "copy" for row in rows)
        return rows[: self.copied] + rows[copies : copies + self.foreign]

    def background(self) -> list[Item]:
        return read_plain(self.folder / "background.parquet")[: self.backgrounds]

    def smaller(self, copied: int, foreign: int, distractors: int, backgrounds: int) -> "Corpus":
        """A random part with all of the pictures among the references; its numbers compare with its own kind only."""
        fewer = replace(
            self,
            copied=min(copied, self.copied),
            foreign=min(foreign, self.foreign),
            distractors=min(distractors, self.distractors),
            backgrounds=min(backgrounds, self.backgrounds),
        )
        sizes = (fewer.copied, fewer.foreign, fewer.distractors, fewer.backgrounds)
        return replace(fewer, digest=hashlib.sha256(f"{self.digest}{sizes}".encode()).hexdigest()[:12])


def file_name(edit: str) -> str:
    return f"{list(EDITS).index(edit):02}.parquet"


def read_plain(path: Path) -> list[Item]:
    """As written: the order counts here."""
    return stored.read_parquet(path)


def make_corpus(plan: Plan, cache: Path, tell: Callable[[str], None] = lambda _: None) -> Corpus:
    """Make the corpus, or find it in the cache; what an interrupted run has finished is not made again."""
    digest = _digest(plan)
    folder = cache / "images" / digest
    keep = partial(_keep, tell)
    keep(folder / "pictures.parquet", lambda: _pictures(plan))
    pictures = read_plain(folder / "pictures.parquet")
    # In a smaller set the same share is kept from the references.
    kept = min(plan.references, len(pictures) - max(2, len(pictures) // 17))
    if kept < 1:
        raise ValueError(f"{plan.pictures}: {len(pictures)} pictures are too few; some must be no reference")
    references, foreign = pictures[:kept], pictures[kept:]
    copied = min(plan.copied, max(1, kept // 3))
    keep(folder / "references.parquet", lambda: references)
    keep(folder / "distractors.parquet", lambda: _distractors(plan))
    keep(folder / "background.parquet", lambda: _background(plan))
    for edit in plan.edits:
        queries = partial(_queries, references[:copied], foreign, edit, plan.seed)
        keep(folder / "queries" / file_name(edit), queries)
    return Corpus(
        folder=folder,
        digest=digest,
        copied=copied,
        foreign=len(foreign),
        distractors=len(read_plain(folder / "distractors.parquet")),
        backgrounds=len(read_plain(folder / "background.parquet")),
        edits=plan.edits,
    )


def _keep(tell: Callable[[str], None], path: Path, make: Callable[[], Iterable[Item]]) -> None:
    if not path.exists():
        tell(f"making {path}")
        write_items(path, make())


def _pictures(plan: Plan) -> list[Item]:
    """In random order, without twins."""
    items = read_items(plan.pictures)
    kept = distinct([item.picture() for item in items])
    return [items[kept[row]] for row in np.random.default_rng(plan.seed).permutation(len(kept))]


def _queries(copied: list[Item], foreign: list[Item], edit: str, seed: int) -> Iterator[Item]:
    """Another picture, where the edit needs one, is never a reference, and never the picture itself."""
    others = [item.picture() for item in foreign]
    for kind, items in (("copy", copied), ("foreign", foreign)):
        for row, item in enumerate(items):
            other = others[(row + 1) % len(others)]
            yield Item(f"{edit}/{item.id}", kind, encode(edited(item.picture(), other, edit, seed, item.id)))


def _distractors(plan: Plan) -> Iterator[Item]:
    if plan.videos is None or plan.distractors == 0:
        return
    found = list(frames_of(distractor_videos(plan.videos), plan.distractors))
    order = np.random.default_rng(plan.seed).permutation(len(found))
    yield from (found[row] for row in order[: plan.distractors])


def _background(plan: Plan) -> Iterator[Item]:
    if plan.background is None:
        return
    items = read_items(plan.background)
    order = np.random.default_rng(plan.seed).permutation(len(items))
    yield from islice((items[row] for row in order), plan.backgrounds)


def _digest(plan: Plan) -> str:
    """Of the settings, of the files by name and size, and of the code that edits."""
    counts = (plan.copied, plan.references, plan.distractors, plan.backgrounds, plan.seed)
    digest = hashlib.sha256(repr(counts).encode())
    for place in (plan.pictures, plan.videos, plan.background):
        if place is None:
            digest.update(b"none")
        else:
            files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
            digest.update(repr([(path.name, path.stat().st_size) for path in files]).encode())
    for module in (drawing, edits, frames, stored, twins):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:12]
