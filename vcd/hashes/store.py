"""Hashes in a library's catalog: those of its references, and lists of elsewhere.

Two tables beside the catalog's own, made when they are first needed, changed in its transactions. A reference that is
removed or replaced takes its hashes with it, whoever removes it: a trigger sees to that. Each row has a checksum.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from vcd.errors import LibraryDamaged, LibraryError
from vcd.hashes.records import KINDS, Hashes, HashList
from vcd.library import LibraryWriter, MediaRow
from vcd.library.catalog import FILE, Catalog
from vcd.library.writer import now

_TABLES = (
    """CREATE TABLE IF NOT EXISTS hashes (
    media_id INTEGER NOT NULL, kind TEXT NOT NULL, times BLOB NOT NULL, quality BLOB NOT NULL, bits BLOB NOT NULL,
    checksum TEXT NOT NULL, PRIMARY KEY (media_id, kind)) STRICT""",
    """CREATE TABLE IF NOT EXISTS hash_lists (
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, times BLOB NOT NULL, quality BLOB NOT NULL, bits BLOB NOT NULL,
    checksum TEXT NOT NULL, labels TEXT NOT NULL, counts BLOB NOT NULL, imported_at TEXT NOT NULL) STRICT""",
    """CREATE TRIGGER IF NOT EXISTS media_take_their_hashes AFTER DELETE ON media
    BEGIN DELETE FROM hashes WHERE media_id = OLD.id; END""",
)


def store_hashes(writer: LibraryWriter, media_id: int, found: Iterable[Hashes]) -> None:
    """Those of one reference, in one transaction; of a kind that it has already the new ones count."""
    found = list(found)
    if not found:
        return
    with writer.catalog.change() as change:
        for table in _TABLES:
            change.execute(table)
        for hashes in found:
            row = _blobs(hashes)
            values = (media_id, hashes.kind, *row, _checksum(str(media_id), hashes.kind, *row))
            change.execute("INSERT OR REPLACE INTO hashes VALUES (?, ?, ?, ?, ?, ?)", values)


def store_list(writer: LibraryWriter, added: HashList) -> None:
    """One list, in place of an earlier one with its name."""
    labels, counts = json.dumps(added.labels), added.counts.astype("<i8").tobytes()
    row = _blobs(added.hashes)
    kind = added.hashes.kind
    checksum = _checksum(added.name, kind, *row, labels, counts)
    with writer.catalog.change() as change:
        for table in _TABLES:
            change.execute(table)
        values = (added.name, kind, *row, checksum, labels, counts, now())
        change.execute("INSERT OR REPLACE INTO hash_lists VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def remove_list(writer: LibraryWriter, name: str) -> None:
    """Raises `LibraryError` when there is none of that name."""
    if name not in list_names(writer.catalog):
        raise LibraryError(f"the library holds no list of hashes named {name}; see: vcd library info")
    with writer.catalog.change() as change:
        change.execute("DELETE FROM hash_lists WHERE name = ?", (name,))


def list_names(catalog: Catalog) -> list[str]:
    return [str(name) for (name,) in _rows(catalog, "hash_lists", "SELECT name FROM hash_lists ORDER BY name")]


def hashed_media(catalog: Catalog, kind: str) -> set[int]:
    """Ids of the references that have hashes of the kind."""
    query = "SELECT media_id FROM hashes WHERE kind = ?"
    return {int(media_id) for (media_id,) in _rows(catalog, "hashes", query, (kind,))}


def load_references(folder: Path, media: Sequence[MediaRow], kind: str) -> HashList:
    """Those of the references that have hashes of the kind, by path; raises `LibraryDamaged`."""
    with Catalog(folder) as catalog:
        query = "SELECT media_id, times, quality, bits, checksum FROM hashes WHERE kind = ?"
        blobs = {row[0]: row[1:] for row in _rows(catalog, "hashes", query, (kind,))}
    hashed = [row for row in media if row.id in blobs]
    for row in hashed:
        *content, checksum = blobs[row.id]
        if _checksum(str(row.id), kind, *content) != checksum:
            raise LibraryDamaged(_fault(folder, f"the {kind} hashes of {row.path}", "remove that file and index it"))
    parts = [b"".join(blobs[row.id][column] for row in hashed) for column in range(3)]
    counts = np.array([len(blobs[row.id][1]) for row in hashed], dtype=np.int64)
    labels, infos = tuple(row.path for row in hashed), tuple(row.info for row in hashed)
    return HashList("", labels, counts, _hashes(kind, *parts), infos)


def load_lists(folder: Path) -> list[HashList]:
    """The lists of elsewhere, by name; raises `LibraryDamaged`."""
    with Catalog(folder) as catalog:
        query = "SELECT name, kind, times, quality, bits, labels, counts, checksum FROM hash_lists ORDER BY name"
        rows = _rows(catalog, "hash_lists", query)
    found = []
    for name, kind, times, quality, bits, labels, counts, checksum in rows:
        if _checksum(name, kind, times, quality, bits, labels, counts) != checksum:
            raise LibraryDamaged(_fault(folder, f"the list of hashes {name}", "import it"))
        hashes = _hashes(kind, times, quality, bits)
        found.append(HashList(name, tuple(json.loads(labels)), np.frombuffer(counts, dtype="<i8"), hashes))
    return found


def check_hashes(folder: Path) -> list[str]:
    """What is wrong with them, as `vcd library verify` says it."""
    findings = []
    with Catalog(folder) as catalog:
        media = catalog.snapshot()[0]
    loads: list[Callable[[], object]] = [partial(load_references, folder, media, kind) for kind in KINDS]
    loads.append(partial(load_lists, folder))
    for load in loads:
        try:
            load()
        except LibraryDamaged as error:
            findings.append(str(error))
    return findings


def copy_hashes(writer: LibraryWriter, source: Path) -> None:
    """Hashes of a library's references to those of the writer's that have the same content and none yet."""
    with Catalog(source) as catalog:
        media = catalog.snapshot()[0]
    for kind in KINDS:
        ours = {row.content_hash: row.id for row in writer.media()}
        have = hashed_media(writer.catalog, kind)
        contents = {row.path: row.content_hash for row in media}
        found = load_references(source, media, kind)
        ends = np.cumsum(found.counts)
        for number, label in enumerate(found.labels):
            media_id = ours.get(contents[label])
            if media_id is not None and media_id not in have:
                store_hashes(writer, media_id, [found.entry(number, ends)[0]])


def _rows(catalog: Catalog, table: str, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """None where the library never had such a table."""
    there = catalog.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
    return catalog.rows(query, values) if there else []


def _blobs(hashes: Hashes) -> tuple[bytes, bytes, bytes]:
    return hashes.times_s.astype("<f8").tobytes(), hashes.quality.tobytes(), hashes.bits.tobytes()


def _hashes(kind: str, times: bytes, quality: bytes, bits: bytes) -> Hashes:
    rows = np.frombuffer(bits, dtype=np.uint8).reshape(-1, KINDS[kind].bits // 8)
    return Hashes(kind, np.frombuffer(times, dtype="<f8"), np.frombuffer(quality, dtype=np.uint8), rows)


def _checksum(*parts: str | bytes) -> str:
    digest = blake2b(digest_size=16)
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()


def _fault(folder: Path, what: str, mend: str) -> str:
    return f"{folder / FILE}: {what} are not what was written; {mend} again with --hashes"
