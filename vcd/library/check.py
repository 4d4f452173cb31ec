"""Does everything in the library folder fit together?"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vcd.config import LibraryConfig
from vcd.errors import LibraryDamaged, LibraryMissing
from vcd.library import saved_index
from vcd.library.catalog import Catalog, MediaRow, PartRow
from vcd.library.parts import part_path, read_part

SAMPLE = 200
"""Stored vectors that are looked up in the index."""
MIN_RECALL = 0.95


def check_library(folder: Path, config: LibraryConfig) -> list[str]:
    """All findings, each one sentence with what to do; empty when the library is sound.

    Reads every file. Raises `LibraryMissing` when there is no library, `LibraryMismatch` for another format.
    """
    try:
        catalog = Catalog(folder)
        broken = catalog.integrity()
        media, parts = catalog.snapshot()
    except LibraryMissing:
        raise
    except LibraryDamaged as error:
        return [str(error)]
    findings = [f"{folder / 'catalog.sqlite'}: {text}; restore it from a backup" for text in broken]
    dimension = int(catalog.settings["dimension"])
    sound: set[int] = set()
    for part in parts:
        used_by = [row for row in media if row.part_id == part.id]
        found = list(_check_part(folder, part, used_by, dimension))
        findings += found
        if not found:
            sound.add(part.id)
    known = {part.id for part in parts}
    findings += [
        f"{row.path}: its vectors are in no part; index the file again"
        for row in media if row.part_id not in known
    ]  # fmt: skip
    findings += _check_index(folder, config, [part for part in parts if part.id in sound], media)
    catalog.close()
    return findings


def _check_part(folder: Path, part: PartRow, used_by: list[MediaRow], dimension: int) -> Iterator[str]:
    path = part_path(folder, part.id)
    names = ", ".join(row.path for row in used_by[:3]) + (", ..." if len(used_by) > 3 else "")
    mend = f"holds {names or 'nothing'}; remove it with `vcd library remove` and index it again"
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        yield f"{path}: cannot be read ({error.strerror}); {mend}"
        return
    if sha256 != part.sha256:
        yield f"{path}: is damaged (its checksum differs); {mend}"
        return
    try:
        content = read_part(folder, part.id)
    except LibraryDamaged as error:
        yield f"{error}; {mend}"
        return
    if len(content) != part.rows or content.vectors.shape[1] != dimension:
        yield f"{path}: holds {content.vectors.shape} vectors instead of {(part.rows, dimension)}; {mend}"
    for row in used_by:
        rows = slice(row.first_row, row.first_row + row.frames)
        ids = content.media_ids[rows]
        if len(ids) != row.frames or not (ids == row.id).all():
            yield f"{path}: does not hold the {row.frames} frames of {row.path}; {mend}"


def _check_index(folder: Path, config: LibraryConfig, parts: list[PartRow], media: list[MediaRow]) -> Iterator[str]:
    """The index may be absent or behind; what it holds must be what the parts hold."""
    place = folder / saved_index.FOLDER
    mend = f"delete {place} and run `vcd index` on any of the media: it is made anew"
    try:
        manifest = json.loads((place / saved_index.MANIFEST).read_text(encoding="utf-8"))
        checksums = dict(manifest["sha256"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield f"{place / saved_index.MANIFEST}: cannot be read ({error}); {mend}"
        return
    for name, sha256 in checksums.items():
        try:
            with (place / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    yield f"{place / name}: is damaged (its checksum differs); {mend}"
                    return
        except OSError as error:
            yield f"{place / name}: cannot be read ({error.strerror}); {mend}"
            return
    saved = saved_index.load_index(folder, config)
    if saved is None:
        yield f"{place}: cannot be loaded; {mend}"
        return
    yield from _check_recall(folder, saved, parts, media, mend)


def _check_recall(
    folder: Path, saved: saved_index.SavedIndex, parts: list[PartRow], media: list[MediaRow], mend: str
) -> Iterator[str]:
    """A sample of stored vectors must find themselves."""
    covered = [part for part in parts if part.id in set(saved.parts)]
    ready = np.isin(saved.media_ids, [row.id for row in media])
    step = max(1, len(covered) // SAMPLE)
    asked = found = 0
    for part in covered[::step]:
        content = read_part(folder, part.id)
        middle = len(content) // 2
        vector = content.vectors[middle : middle + 1].astype(np.float32)
        if content.media_ids[middle] not in saved.media_ids[ready] or not vector.any():
            continue
        _, similarities = saved.index.search(vector, 1, ready)
        asked += 1
        found += int(similarities[0, 0] >= float(vector[0] @ vector[0]) - 0.01)
    if asked and found / asked < MIN_RECALL:
        yield f"{folder / saved_index.FOLDER}: finds only {found} of {asked} stored vectors; {mend}"
