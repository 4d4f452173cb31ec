"""One volume of the index on disk: an index of some parts, and what its rows are. Immutable once it is written.

Its seals say how its two files were written, so that what is read is what was written.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.library.disk import appearing, hash_content
from vcd.library.records import MediaRow, PartRow
from vcd.library.vectors import INDEXES, VectorIndex

CHECKED_WHOLE_BYTES = 256 << 20
"""Larger files are mapped, so that the first query need not read them: then their size and their two ends are compared
with what was written, and `vcd library verify` compares all of them."""
END_BYTES = 1 << 20
MOST_DEAD_ROWS = 0.3
"""Of an index of which more was removed, a search finds too little of what lives: 0.65 of it where 0.9 is dead."""


@dataclass(frozen=True, slots=True)
class Seal:
    """By which a file is known to be as it was written."""

    size_bytes: int
    sha256: str
    ends: str
    """SHA-256 of the first and the last `END_BYTES`."""

    @classmethod
    def of(cls, path: Path) -> "Seal":
        return cls(path.stat().st_size, hash_content(path), _hash_ends(path))


@dataclass(frozen=True, slots=True)
class Volume:
    """What the manifest says of one volume."""

    index: str
    """The file of vectors."""
    rows: str
    """The file of what its rows are."""
    seals: dict[str, Seal]
    """How the two files were written, by name."""
    parts: tuple[PartRow, ...]
    """Whose rows it holds, in row order, as they were when they were added."""
    settings: dict[str, Any]

    def __len__(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def kind(self) -> str:
        return str(self.settings.get("index"))

    def packed(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "index": self.index,
            "rows": self.rows,
            "seals": {name: astuple(seal) for name, seal in self.seals.items()},
            "parts": [astuple(part) for part in self.parts],
            "settings": self.settings,
        }

    @classmethod
    def unpacked(cls, found: dict[str, Any]) -> "Volume":
        """Raises `ValueError`, `KeyError` or `TypeError` when it is none."""
        seals = {name: Seal(*found["seals"][name]) for name in (found["index"], found["rows"])}
        parts = tuple(PartRow(int(id), int(rows), int(size), str(sha)) for id, rows, size, sha in found["parts"])
        if any(part.rows < 0 for part in parts):
            raise ValueError("a part has less than no rows")
        return cls(found["index"], found["rows"], seals, parts, dict(found["settings"]))


@dataclass(frozen=True, slots=True, eq=False)
class IndexedRows:
    """An index and what its rows are."""

    index: VectorIndex
    media_ids: NDArray[np.int64]
    """int64 (n,), the media of each row."""
    times_s: NDArray[np.float64]
    parts: tuple[PartRow, ...]
    """Those whose rows it holds, in row order."""
    settings: dict[str, Any]

    def __len__(self) -> int:
        return len(self.media_ids)

    def alive(self, media: Iterable[MediaRow], parts: Iterable[PartRow]) -> NDArray[np.bool_]:
        """bool (n,): the rows of media and parts that the catalog has."""
        current = set(parts)
        of_part = np.array([part in current for part in self.parts], dtype=bool)
        of_media = np.isin(self.media_ids, np.array([row.id for row in media], dtype=np.int64))
        return np.repeat(of_part, [part.rows for part in self.parts]) & of_media


def share_dead(alive: NDArray[np.bool_]) -> float:
    return 1 - float(alive.mean()) if len(alive) else 0.0


def open_volume(
    place: Path, volume: Volume, config: LibraryConfig, to_grow: bool = False, whole: bool = False
) -> IndexedRows:
    """A volume, checked. `to_grow`: in memory, even where it is large. `whole`: all of it compared with its seals.

    Raises `ValueError`, `RuntimeError` or `OSError` when it cannot be used, `FileNotFoundError` when a file is gone.
    """
    if volume.kind not in INDEXES:
        raise ValueError(f"it is of kind {volume.kind}, which this vcd does not know")
    for name, seal in volume.seals.items():
        _check(place / name, seal, whole or to_grow)
    path, large = place / volume.rows, volume.seals[volume.rows].size_bytes > CHECKED_WHOLE_BYTES
    rows = np.load(path, mmap_mode="r" if large and not to_grow else None)
    path, large = place / volume.index, volume.seals[volume.index].size_bytes > CHECKED_WHOLE_BYTES
    if large and not to_grow:
        index = INDEXES[volume.kind].load(path, config)
    else:
        with path.open("rb") as file:
            index = INDEXES[volume.kind].load(file, config)
    if not len(index) == len(rows) == len(volume):
        raise ValueError(f"{len(index)} vectors, {len(rows)} rows, {len(volume)} rows of parts")
    return IndexedRows(index, rows["media_id"], rows["time_s"], volume.parts, volume.settings)


def write_volume(place: Path, number: int, content: IndexedRows) -> Volume:
    """Now its files exist, but no manifest names them yet; raises `OSError`."""
    index, rows = f"vectors-{number:06d}.faiss", f"rows-{number:06d}.npy"
    with appearing(place / index) as unfinished, unfinished.open("wb") as file:
        content.index.save(file)
    with appearing(place / rows) as unfinished, unfinished.open("wb") as file:
        np.save(file, _pack(content))
    seals = {name: Seal.of(place / name) for name in (index, rows)}
    return Volume(index, rows, seals, content.parts, content.settings)


def _check(path: Path, seal: Seal, whole: bool) -> None:
    """Raises `ValueError` when the file is not as it was written, `FileNotFoundError` when it is gone."""
    size_bytes = path.stat().st_size
    if size_bytes != seal.size_bytes:
        raise ValueError(f"{path} has {size_bytes} bytes instead of {seal.size_bytes}")
    if whole or size_bytes <= CHECKED_WHOLE_BYTES:
        sound = hash_content(path) == seal.sha256
    else:
        sound = _hash_ends(path) == seal.ends
    if not sound:
        raise ValueError(f"the checksum of {path} differs")


def _hash_ends(path: Path) -> str:
    with path.open("rb") as file:
        found = hashlib.sha256(file.read(END_BYTES))
        file.seek(max(0, path.stat().st_size - END_BYTES))
        found.update(file.read())
    return found.hexdigest()


def _pack(content: IndexedRows) -> NDArray[np.void]:
    rows = np.empty(len(content), dtype=[("media_id", np.int64), ("time_s", np.float64)])
    rows["media_id"], rows["time_s"] = content.media_ids, content.times_s
    return rows
