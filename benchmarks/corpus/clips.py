"""A folder of clips -> `Clip`s, each on one side of the split.

A ``clips.csv`` in the folder or beside it names for each file its ``source``; it may have a column ``split``
(dev or test) as well. Where it has none, the source decides: see `split_of`. Without a ``clips.csv`` every file
is a source of its own, and so is every whole film.
"""

import csv
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av

from benchmarks.edits import FRAMES_PER_S
from vcd.errors import VcdError

SPLITS = ("dev", "test")
SALT = 385
"""Chosen so that of the media in ../shared/data both sides get about as many seconds, and each some of all kinds."""


class NoMaterial(VcdError):
    """The folder does not hold what a corpus can be made of."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A file to cut from."""

    path: Path
    source: str
    """Files of one source are never on both sides of the split."""
    frames: int
    """That it has for certain when it is brought to `FRAMES_PER_S`."""

    @property
    def name(self) -> str:
        return self.path.name


def split_of(source: str) -> str:
    """The side that all files of a source are on: by the first byte of SHA-256 of ``"385:" + source``."""
    return SPLITS[hashlib.sha256(f"{SALT}:{source}".encode()).digest()[0] >= 128]


def read_clips(folder: Path, split: str, tell: Callable[[str], None]) -> tuple[Clip, ...]:
    """The clips of one side, by name; one that cannot be read is told and left out."""
    if not folder.is_dir():
        raise NoMaterial(f"{folder} is no folder")
    rows = list(_listed(folder))
    return tuple(_probed(sorted((path, source) for path, source, side in rows if side == split), tell))


def read_films(folder: Path | None, split: str, tell: Callable[[str], None]) -> tuple[Clip, ...]:
    """The whole films of one side, by name; each is a source of its own, named like its file."""
    paths = sorted(_files(folder)) if folder else []
    return tuple(_probed([(path, path.stem) for path in paths if split_of(path.stem) == split], tell))


def _listed(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """Path, source and split of every clip."""
    table = next((path for path in (folder / "clips.csv", folder.parent / "clips.csv") if path.is_file()), None)
    if table is None:
        yield from ((path, path.name, split_of(path.name)) for path in _files(folder))
        return
    with table.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            if not row.get("file") or not row.get("source"):
                raise NoMaterial(f"{table}: row {number}: there must be a file and a source")
            side = row.get("split") or split_of(row["source"])
            if side not in SPLITS:
                raise NoMaterial(f"{table}: row {number}: split is {side!r}, not one of {SPLITS}")
            yield folder / row["file"], row["source"], side


def _files(folder: Path) -> list[Path]:
    return [
        path for path in sorted(folder.rglob("*")) if path.suffix.lower() in VIDEOS and not path.name.startswith(".")
    ]


VIDEOS = {".mp4", ".mkv", ".mov", ".webm", ".avi", ".ts", ".mpg", ".m4v", ".flv", ".wmv"}


def _probed(listed: list[tuple[Path, str]], tell: Callable[[str], None]) -> Iterator[Clip]:
    for path, source in listed:
        try:
            frames = _frames(path)
        except (av.error.FFmpegError, OSError) as error:
            tell(f"left out: {path.name}: {error}")
            continue
        if frames < FRAMES_PER_S:
            tell(f"left out: {path.name}: shorter than a second, or not a film")
        else:
            yield Clip(path, source, frames)


def _frames(path: Path) -> int:
    """A little less than the file says: the last frames of a clip are not worth an error of rounding."""
    with av.open(str(path)) as container:
        if not container.streams.video:
            return 0
        stream = container.streams.video[0]
        if stream.duration and stream.time_base:
            length_s = float(stream.duration * stream.time_base)
        else:
            length_s = (container.duration or 0) / 1_000_000
    return int(length_s * FRAMES_PER_S) - 2
