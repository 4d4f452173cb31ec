"""The index on disk: derived from the parts, replaced as a whole, safe to delete.

`manifest.json` names the other two files, their checksums and the parts they cover; it is renamed into place last,
so it never names half a file. An index that is missing, damaged or made with other settings is as good as none: the
parts are then searched exactly. A part is covered only if its checksum is the catalog's, so an index that is left
over from another state of the library cannot answer for parts that came later.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.errors import LibraryDamaged
from vcd.library.disk import appearing, hash_content, is_unfinished, sync_folder
from vcd.library.records import MediaRow, PartRow
from vcd.library.vectors import STORED, StoredIndex

logger = logging.getLogger(__name__)

FOLDER = "index"
MANIFEST = "manifest.json"
FORMAT = 2
CHECKED_WHOLE_BYTES = 256 << 20
"""Larger files are mapped, so that the first query need not read them: then their size and their two ends are compared
with what was written, and `vcd library verify` compares all of them."""
END_BYTES = 1 << 20
MOST_DEAD_ROWS = 0.3
"""Of an index of which more was removed, a search finds too little of what lives: 0.65 of it where 0.9 is dead."""
_OURS = re.compile(r"(vectors-(\d+)\.faiss|rows-(\d+)\.npy)")


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
class Manifest:
    """What `manifest.json` says."""

    index: str
    rows: str
    seals: dict[str, Seal]
    """How the two files were written, by name."""
    parts: tuple[PartRow, ...]
    """In row order, as they were when their rows were added."""
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class SavedIndex:
    """An index and what its rows are."""

    index: StoredIndex
    media_ids: NDArray[np.int64]
    """int64 (n,), the media of each row."""
    times_s: NDArray[np.float64]
    parts: tuple[PartRow, ...]
    """Those whose rows it holds, in row order."""
    settings: dict[str, Any]

    def alive(self, media: Iterable[MediaRow], parts: Iterable[PartRow]) -> NDArray[np.bool_]:
        """bool (n,): the rows of media and parts that the catalog has."""
        current = set(parts)
        of_part = np.array([part in current for part in self.parts], dtype=bool)
        of_media = np.isin(self.media_ids, np.array([row.id for row in media], dtype=np.int64))
        return np.repeat(of_part, [part.rows for part in self.parts]) & of_media

    def is_worn(self, media: Iterable[MediaRow], parts: Iterable[PartRow]) -> bool:
        """Whether so much of it is dead that a search may miss what lives."""
        return len(self.media_ids) > 0 and 1 - self.alive(media, parts).mean() > MOST_DEAD_ROWS


def build_settings(config: LibraryConfig) -> dict[str, Any]:
    """The settings that shape an index; another value means building it anew."""
    if config.index == "hnsw":
        return {"index": "hnsw", "links": config.links, "effort_build": config.effort_build}
    return {"index": config.index}


def load_index(folder: Path, config: LibraryConfig, to_grow: bool = False) -> SavedIndex | None:
    """The saved index, checked; None when there is none that can be used."""
    try:
        return read_index(folder, config, to_grow)
    except LibraryDamaged as error:
        logger.warning("%s", error)
        return None


def read_index(folder: Path, config: LibraryConfig, to_grow: bool = False, whole: bool = False) -> SavedIndex | None:
    """The saved index, checked; None when there is none. Raises `LibraryDamaged`.

    `to_grow`: in memory, even where it is large. `whole`: all of it compared with what was written.
    """
    try:
        manifest = _read_manifest(folder)
        while manifest is not None:
            try:
                return _load(folder / FOLDER, manifest, config, to_grow, whole)
            except FileNotFoundError:
                # A writer may have replaced the index since its manifest was read.
                read, manifest = manifest, _read_manifest(folder)
                if manifest == read:
                    raise
    except (OSError, RuntimeError, ValueError) as error:
        raise index_damaged(folder, str(error)) from error
    return None


def index_damaged(folder: Path, reason: str) -> LibraryDamaged:
    return LibraryDamaged(
        f"{folder / FOLDER}: the index cannot be used ({reason}); queries are answered without it, slowly; to mend it, "
        f"delete that folder and run: vcd index PATH --library {folder}, with any of the media: the index is made anew"
    )


def save_index(folder: Path, saved: SavedIndex) -> None:
    """Write index and rows under new names, then the manifest that makes them the index; raises `OSError`."""
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    ours = [match for path in place.iterdir() if (match := _OURS.fullmatch(path.name))]
    number = 1 + max((int(match[2] or match[3]) for match in ours), default=0)
    names = {"index": f"vectors-{number:06d}.faiss", "rows": f"rows-{number:06d}.npy"}
    with appearing(place / names["index"]) as unfinished, unfinished.open("wb") as file:
        saved.index.save(file)
    with appearing(place / names["rows"]) as unfinished, unfinished.open("wb") as file:
        np.save(file, _pack(saved))
    manifest = {
        "format": FORMAT,
        **names,
        "seals": {name: astuple(Seal.of(place / name)) for name in names.values()},
        "parts": [astuple(part) for part in saved.parts],
        "settings": saved.settings,
    }
    with appearing(place / MANIFEST) as unfinished:
        unfinished.write_text(json.dumps(manifest), encoding="utf-8")


def delete_index(folder: Path) -> None:
    """The manifest goes first, so that nothing names a missing file."""
    place = folder / FOLDER
    (place / MANIFEST).unlink(missing_ok=True)
    if place.is_dir():
        sync_folder(place)
    delete_strays(folder)


def delete_strays(folder: Path) -> None:
    """Delete index files that the manifest does not name: replaced ones, and those that a killed process left."""
    place = folder / FOLDER
    if not place.is_dir():
        return
    try:
        manifest = _read_manifest(folder)
    except ValueError:
        return
    named = {manifest.index, manifest.rows} if manifest else set()
    for path in place.iterdir():
        ours = is_unfinished(path) or _OURS.fullmatch(path.name)
        if ours and path.name not in named and path.is_file():
            path.unlink()


def _read_manifest(folder: Path) -> Manifest | None:
    """None when there is no manifest; raises `OSError`, and `ValueError` when it is not as written."""
    file = folder / FOLDER / MANIFEST
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(f"it is of format {found['format']}")
        seals = {name: Seal(*found["seals"][name]) for name in (found["index"], found["rows"])}
        parts = tuple(PartRow(int(id), int(rows), int(size), str(sha)) for id, rows, size, sha in found["parts"])
        if any(part.rows < 0 for part in parts):
            raise ValueError("a part has less than no rows")
        return Manifest(found["index"], found["rows"], seals, parts, dict(found["settings"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is not as it was written: {error!r}") from error


def _load(place: Path, manifest: Manifest, config: LibraryConfig, to_grow: bool, whole: bool) -> SavedIndex:
    kind = str(manifest.settings.get("index"))
    if kind not in STORED:
        raise ValueError(f"it is of kind {kind}, which this vcd does not know")
    maps = not to_grow
    for name, seal in manifest.seals.items():
        _check(place / name, seal, whole or to_grow)
    path, large = place / manifest.rows, manifest.seals[manifest.rows].size_bytes > CHECKED_WHOLE_BYTES
    rows = np.load(path, mmap_mode="r" if large and maps else None)
    path, large = place / manifest.index, manifest.seals[manifest.index].size_bytes > CHECKED_WHOLE_BYTES
    if large and maps:
        index = STORED[kind].load(path, config)
    else:
        with path.open("rb") as file:
            index = STORED[kind].load(file, config)
    if not len(index) == len(rows) == sum(part.rows for part in manifest.parts):
        raise ValueError(f"{len(index)} vectors, {len(rows)} rows, {sum(p.rows for p in manifest.parts)} rows of parts")
    return SavedIndex(index, rows["media_id"], rows["time_s"], manifest.parts, manifest.settings)


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


def _pack(saved: SavedIndex) -> NDArray[np.void]:
    rows = np.empty(len(saved.media_ids), dtype=[("media_id", np.int64), ("time_s", np.float64)])
    rows["media_id"], rows["time_s"] = saved.media_ids, saved.times_s
    return rows
