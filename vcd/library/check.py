"""Does everything in the library folder fit together?"""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.errors import LibraryDamaged
from vcd.library.catalog import Catalog
from vcd.library.parts import part_path, read_part
from vcd.library.records import MediaRow, PartRow
from vcd.library.saved_index import check_volumes, index_damaged
from vcd.library.volume import MOST_DEAD_ROWS, IndexedRows, share_dead

SAMPLE = 200
"""At least so many parts, if there are, are compared with the index."""
MIN_RECALL = 0.95


def check_library(folder: Path, config: LibraryConfig) -> list[str]:
    """All findings, each one sentence with what to do; empty when the library is sound.

    Reads every file, and may do so while a writer is at work. Raises `LibraryMissing` when there is no library,
    `LibraryMismatch` for another format, and `LibraryError` when it cannot be opened now.
    """
    try:
        with Catalog(folder) as catalog:
            return catalog.integrity() + list(_check_files(folder, config, catalog))
    except LibraryDamaged as error:
        return [str(error)]


def _check_files(folder: Path, config: LibraryConfig, catalog: Catalog) -> Iterator[str]:
    media, parts = catalog.snapshot()
    users: dict[int, list[MediaRow]] = {part.id: [] for part in parts}
    for row in media:
        users[row.part_id].append(row)
    for part in parts:
        try:
            fault = _fault_of_part(folder, part, users[part.id], int(catalog.settings["dimension"]))
        except FileNotFoundError as error:
            if part not in catalog.snapshot()[1]:
                continue  # A writer has removed it meanwhile.
            fault = f"{error.filename}: is missing"
        if fault:
            yield f"{fault}; mend it with: {_mend(folder, users[part.id])}"
    yield from _check_index(folder, config, media, parts)


def _mend(folder: Path, rows: Sequence[MediaRow]) -> str:
    """Shell commands that take media out and put them back under the same names."""
    library = f"--library {shlex.quote(str(folder.resolve()))}"
    remove = f"vcd library remove {shlex.join(row.path for row in rows)} {library}"
    paths: dict[str, list[str]] = {}
    for row in rows:
        paths.setdefault(row.root, []).append(row.path)
    index = [f"cd {shlex.quote(root)} && vcd index {shlex.join(some)} {library}" for root, some in paths.items()]
    return " && ".join([remove, *index])


def _fault_of_part(folder: Path, part: PartRow, users: Sequence[MediaRow], dimension: int) -> str | None:
    """Raises `FileNotFoundError` when it is gone."""
    path = part_path(folder, part.id)
    try:
        content = read_part(folder, part)
    except LibraryDamaged as error:
        return str(error)
    if content.vectors.shape != (part.rows, dimension):
        return f"{path}: holds {content.vectors.shape} vectors instead of {(part.rows, dimension)}"
    for row in users:
        if content.of_media(row) is None:
            return f"{path}: does not hold the {row.frames} frames of {row.path}"
    return None


def _check_index(
    folder: Path, config: LibraryConfig, media: Sequence[MediaRow], parts: Sequence[PartRow]
) -> Iterator[str]:
    """It may be absent or behind; what it holds must be what the parts hold."""
    for found in check_volumes(folder, config):
        try:
            if isinstance(found, LibraryDamaged):
                raise found
            alive = found.alive(media, parts)
            if share_dead(alive) <= MOST_DEAD_ROWS:
                _compare(folder, found, alive, parts)
        except LibraryDamaged as error:
            yield str(error)


def _compare(folder: Path, saved: IndexedRows, alive: NDArray[np.bool_], parts: Sequence[PartRow]) -> None:
    """In a sample of parts, the rows must be the index's, and the middle vector must find itself."""
    current = set(parts)
    ends = np.cumsum([part.rows for part in saved.parts])
    held = [(part, int(end)) for part, end in zip(saved.parts, ends, strict=True) if part in current and part.rows]
    asked = found = 0
    for part, end in held[:: max(1, len(held) // SAMPLE)]:
        try:
            content = read_part(folder, part)
        except (FileNotFoundError, LibraryDamaged):
            continue  # Found above, or removed by a writer since.
        rows = slice(end - part.rows, end)
        if (saved.media_ids[rows] != content.media_ids).any() or (saved.times_s[rows] != content.times_s).any():
            raise index_damaged(folder, f"its rows are not those of {part_path(folder, part.id)}")
        middle = part.rows // 2
        vector = content.vectors[middle : middle + 1].astype(np.float32)
        if alive[end - part.rows + middle] and vector.any():
            _, similarities = saved.index.search(vector, 1, alive)
            asked += 1
            found += int(similarities[0, 0] >= float(vector[0] @ vector[0]) - saved.index.rounding)
    if asked and found / asked < MIN_RECALL:
        raise index_damaged(folder, f"it finds only {found} of {asked} stored vectors")
