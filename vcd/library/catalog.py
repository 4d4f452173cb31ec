"""The catalog: which media the library holds, and the only place where a change becomes true."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vcd.errors import LibraryDamaged, LibraryMismatch, LibraryMissing
from vcd.types import Kind, MediaInfo, Problem

FORMAT = 1
FILE = "catalog.sqlite"
_SCHEMA = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE parts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, rows INTEGER NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL
) STRICT;
CREATE TABLE media (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL, root TEXT NOT NULL,
    content_hash TEXT NOT NULL, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    kind TEXT NOT NULL, duration_s REAL NOT NULL, width_px INTEGER NOT NULL, height_px INTEGER NOT NULL,
    format TEXT NOT NULL, frames INTEGER NOT NULL, added_at TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ready', 'removed')),
    part_id INTEGER NOT NULL REFERENCES parts (id), first_row INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX media_path ON media (path) WHERE status = 'ready';
CREATE TABLE problems (path TEXT PRIMARY KEY, reason TEXT NOT NULL, seen_at TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRow:
    """A reference as the catalog knows it."""

    id: int
    path: str
    """As it is shown: relative to `root` when a folder was indexed."""
    root: str
    """Absolute folder that `path` was found under."""
    content_hash: str
    size_bytes: int
    mtime_ns: int
    kind: Kind
    duration_s: float
    width_px: int
    height_px: int
    format: str
    frames: int
    added_at: str
    status: str
    part_id: int
    first_row: int

    @property
    def info(self) -> MediaInfo:
        return MediaInfo(self.kind, self.duration_s, self.width_px, self.height_px, self.format)

    @property
    def file(self) -> Path:
        """Where the media file was when it was indexed."""
        return Path(self.root, self.path)


@dataclass(frozen=True, slots=True)
class PartRow:
    """A vector file as the catalog knows it."""

    id: int
    rows: int
    size_bytes: int
    sha256: str


class Catalog:
    """An open catalog; every change is one transaction."""

    def __init__(self, folder: Path, writable: bool = False) -> None:
        """Raises `LibraryMissing`, `LibraryDamaged`, or `LibraryMismatch` for another format version."""
        self._file = folder / FILE
        if not self._file.exists():
            raise LibraryMissing(
                f"{folder}: there is no library here; make one with: vcd index PATH --library {folder}"
            )
        with self._explained():
            mode = "rw" if writable else "ro"
            uri = f"{self._file.resolve().as_uri()}?mode={mode}"
            self._db = sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            self.settings = self._read_settings()
        found = self.settings.get("format")
        if found != FORMAT:
            raise LibraryMismatch(
                f"{folder}: the library is of format {found}, this vcd reads format {FORMAT}; "
                "use the vcd that made it, or index the media again into another folder"
            )

    @staticmethod
    def create(folder: Path, settings: dict[str, Any]) -> None:
        """Make an empty catalog; it appears whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{FILE}.new"
        unfinished.unlink(missing_ok=True)
        db = sqlite3.connect(unfinished)
        try:
            db.executescript(_SCHEMA)
            rows = [(key, json.dumps(value)) for key, value in {"format": FORMAT, **settings}.items()]
            db.executemany("INSERT INTO settings VALUES (?, ?)", rows)
            db.commit()
            db.execute("PRAGMA journal_mode = WAL")
        finally:
            db.close()
        unfinished.rename(folder / FILE)

    def close(self) -> None:
        self._db.close()

    def _read_settings(self) -> dict[str, Any]:
        return {row["key"]: json.loads(row["value"]) for row in self._db.execute("SELECT key, value FROM settings")}

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, ValueError) as error:
            raise LibraryDamaged(
                f"{self._file}: the catalog cannot be read or written ({error}); "
                "check the disk and its permissions, then restore the file from a backup or index the media again "
                "into a new folder"
            ) from error

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it happens, or nothing."""
        with self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def media(self) -> list[MediaRow]:
        """All references, sorted by path."""
        with self._explained():
            rows = self._db.execute("SELECT * FROM media WHERE status = 'ready' ORDER BY path").fetchall()
        return [MediaRow(**dict(row)) for row in rows]

    def parts(self) -> list[PartRow]:
        with self._explained():
            rows = self._db.execute("SELECT * FROM parts ORDER BY id").fetchall()
        return [PartRow(**dict(row)) for row in rows]

    def snapshot(self) -> tuple[list[MediaRow], list[PartRow]]:
        """Media and parts of one moment, whatever a writer does meanwhile."""
        with self._explained():
            self._db.execute("BEGIN")
            try:
                return self.media(), self.parts()
            finally:
                self._db.execute("COMMIT")

    def problems(self) -> list[Problem]:
        with self._explained():
            rows = self._db.execute("SELECT path, reason FROM problems ORDER BY path").fetchall()
        return [Problem(**dict(row)) for row in rows]

    def next_id(self, table: Literal["media", "parts"]) -> int:
        """An id that no row of the table ever had."""
        with self._explained():
            row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        return 1 + (int(row[0]) if row else 0)

    def integrity(self) -> list[str]:
        """What SQLite finds wrong with the file; empty when nothing is."""
        with self._explained():
            found = [str(row[0]) for row in self._db.execute("PRAGMA integrity_check")]
        return [] if found == ["ok"] else found
