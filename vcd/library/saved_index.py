"""The index on disk: derived from the parts, replaced as a whole, safe to delete.

`manifest.json` names the other two files and the parts they cover; it is renamed into place last, so it never
names half a file. An index that is missing, damaged or made with other settings is as good as none: the parts
are then searched exactly.
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.library.parts import sync_file, sync_folder
from vcd.library.vectors import HnswIndex

logger = logging.getLogger(__name__)

FOLDER = "index"
MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class SavedIndex:
    """An index and what its rows are."""

    index: HnswIndex
    media_ids: NDArray[np.int64]
    """int64 (n,), the media of each row."""
    times_s: NDArray[np.float64]
    parts: tuple[int, ...]
    """Ids of the parts whose rows it holds, in row order."""
    settings: dict[str, Any]


def build_settings(config: LibraryConfig) -> dict[str, Any]:
    """The settings that shape an index; another value means building it anew."""
    return {"links": config.links, "effort_build": config.effort_build}


def load_index(folder: Path, config: LibraryConfig) -> SavedIndex | None:
    """The saved index, or None when there is none that can be used."""
    try:
        manifest = json.loads((folder / FOLDER / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            return None
        for name, size_bytes in manifest["sizes"].items():
            if (folder / FOLDER / name).stat().st_size != size_bytes:
                raise ValueError(f"{name} has another size than its manifest says")
        rows = np.load(folder / FOLDER / manifest["rows"], mmap_mode="r")
        index = HnswIndex.load(folder / FOLDER / manifest["index"], config)
        if len(index) != len(rows):
            raise ValueError(f"{len(index)} vectors, {len(rows)} rows")
        return SavedIndex(index, rows["media_id"], rows["time_s"], tuple(manifest["parts"]), manifest["settings"])
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s: the index is damaged (%s) and not used; `vcd index` makes it anew", folder, error)
        return None


def save_index(folder: Path, saved: SavedIndex) -> None:
    """Write index and rows under new names, then the manifest, then delete what it replaces."""
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    old = {path.name for path in place.iterdir()}
    number = 1 + max((int(name.split("-")[1].split(".")[0]) for name in old if name.startswith("hnsw-")), default=0)
    names = {"index": f"hnsw-{number:06d}.faiss", "rows": f"rows-{number:06d}.npy"}
    saved.index.save(place / names["index"])
    np.save(place / names["rows"], _pack(saved))
    synced = {name: sync_file(place / name) for name in names.values()}
    manifest = {
        "format": FORMAT,
        **names,
        "parts": list(saved.parts),
        "settings": saved.settings,
        "sha256": {name: sha256 for name, (sha256, _) in synced.items()},
        "sizes": {name: size for name, (_, size) in synced.items()},
    }
    unfinished = place / f".{MANIFEST}.new"
    unfinished.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    sync_file(unfinished)
    unfinished.rename(place / MANIFEST)
    sync_folder(place)
    delete_files(place, old - {MANIFEST})


def delete_index(folder: Path) -> None:
    """The manifest goes first, so that nothing names a missing file."""
    (folder / FOLDER / MANIFEST).unlink(missing_ok=True)
    if (folder / FOLDER).is_dir():
        delete_files(folder / FOLDER, [path.name for path in (folder / FOLDER).iterdir()])


def delete_files(place: Path, names: Iterable[str]) -> None:
    for name in names:
        (place / name).unlink(missing_ok=True)


def _pack(saved: SavedIndex) -> NDArray[np.void]:
    rows = np.empty(len(saved.media_ids), dtype=[("media_id", np.int64), ("time_s", np.float64)])
    rows["media_id"], rows["time_s"] = saved.media_ids, saved.times_s
    return rows
