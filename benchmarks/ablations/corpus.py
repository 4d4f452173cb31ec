"""Development pictures: what the choices between ways to describe are made on. Never those of the benchmark of images.

They are training pictures of a few sources, and frames of `dev` clips. The shipped network has seen them (without
knowing which is whose copy); the short trainings of `trained` leave those sources out.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.corpus.clips import split_of
from benchmarks.images.corpus import Corpus, Plan, make_corpus
from benchmarks.images.frames import frames_of
from benchmarks.images.stored import Item, read_items, write_items

SOURCES = (
    "orangci/walls", "D3Ext/aesthetic-wallpapers", "AngelJumbo/gruvbox-wallpapers", "codewithminer/ImageCaptioning",
    "2223884741/VISTA-Bench", "deadpoppy/SSD1024",
)  # fmt: skip
"""Wallpapers, photographs, figures with text: with flat grounds and without."""
OF_EACH = 300
"""Pictures of a source at most."""
FRAMES = 300
"""Of all clips, of which the first of each clip is taken."""
COPIED, REFERENCES = 100, 1180


def dev_corpus(data: Path, cache: Path, tell: Callable[[str], None]) -> Corpus:
    """Make the corpus from a folder with `train` and `videos`, or find it in the cache."""
    path = cache / "ablations" / f"dev-{OF_EACH}-{FRAMES}-1.parquet"
    if not path.exists():
        tell(f"making {path}")
        write_items(path, _dev_items(data))
    return make_corpus(Plan(pictures=path, copied=COPIED, references=REFERENCES, distractors=0), cache, tell)


def other_items(data: Path, count: int) -> list[Item]:
    """Training pictures of all other sources, drawn as a training draws them: of large sources a smaller share."""
    items = [item for item in read_items(data / "train") if item.source not in SOURCES]
    counts = Counter(item.source for item in items)
    weights = np.array([counts[item.source] ** -0.4 for item in items])
    rows = np.random.default_rng(0).choice(len(items), min(count, len(items)), replace=False, p=weights / weights.sum())
    return [items[row] for row in rows]


def _dev_items(data: Path) -> Iterator[Item]:
    items = [item for item in read_items(data / "train") if item.source in SOURCES]
    for source in SOURCES:
        mine = [item for item in items if item.source == source]
        yield from (mine[row] for row in np.random.default_rng(0).permutation(len(mine))[:OF_EACH])
    first: dict[str, Item] = {}
    for item in frames_of(dev_clips(data / "videos"), FRAMES):
        first.setdefault(item.source, item)  # two frames of one clip may show the same scene
    yield from first.values()


def dev_clips(folder: Path) -> list[Path]:
    """The clips of ``clips.csv`` whose source is in the half that may be looked at."""
    with (folder / "clips.csv").open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    return [folder / "clips" / row["file"] for row in rows if (row.get("split") or split_of(row["source"])) == "dev"]
