"""The catalog: which media the library holds, and the only place where a change becomes true.

SQLite keeps no checksums, so the catalog holds a fingerprint of its own rows: a flipped bit in a duration or a
lost row is noticed when it is read, not believed.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self

from vcd.errors import LibraryDamaged, LibraryError, LibraryLocked, LibraryMismatch, LibraryMissing
from vcd.library.change import Change
from vcd.library.disk import appearing
from vcd.library.records import MediaRow, PartRow, digest
from vcd.types import Problem

FORMAT = 1
FILE = "catalog.sqlite"
PATIENCE_S = 30.0
"""How long to wait for a lock that SQLite holds for a moment."""
_SCHEMA = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE parts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, rows INTEGER NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL
) STRICT;
CREATE TABLE media (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL UNIQUE, root TEXT NOT NULL,
    content_hash TEXT NOT NULL, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    kind TEXT NOT NULL, duration_s REAL NOT NULL, width_px INTEGER NOT NULL, height_px INTEGER NOT NULL,
    format TEXT NOT NULL, frames INTEGER NOT NULL, added_at TEXT NOT NULL,
    part_id INTEGER NOT NULL REFERENCES parts (id), first_row INTEGER NOT NULL, status TEXT NOT NULL
) STRICT;
CREATE TABLE problems (path TEXT PRIMARY KEY, reason TEXT NOT NULL, seen_at TEXT NOT NULL) STRICT;
"""
_FINGERPRINT = "fingerprint"
_DISK = (
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL
)  # fmt: skip
"""What SQLite says of a disk that cannot be written, read or locked."""
_MEND = (
    f"put back a copy of {FILE} (and delete {FILE}-wal and {FILE}-shm), or index the media again into another folder "
    "(--library)"
)


class Catalog:
    """An open catalog; use it in a `with` statement. Every change is one transaction."""

    def __init__(self, folder: Path, writable: bool = False) -> None:
        """Raises `LibraryMissing`, `LibraryDamaged`, or `LibraryMismatch` for another format version."""
        self._file = require_catalog(folder)
        with _explained(self._file):
            self._db = _connect(self._file, writable)
        try:
            self.settings = self._read_settings()
            self.settings.pop(_FINGERPRINT, None)
            found = self.settings.get("format")
            if found != FORMAT:
                raise LibraryMismatch(
                    f"{folder}: the library is of format {found}, this vcd reads format {FORMAT}; "
                    "use the vcd that made it, or index the media again into another folder"
                )
        except BaseException:
            self._db.close()
            raise

    @staticmethod
    def create(folder: Path, settings: dict[str, Any]) -> None:
        """Make an empty catalog; it appears whole or not at all. Raises `OSError` and `LibraryError`."""
        rows = [(key, json.dumps(value)) for key, value in {"format": FORMAT, **settings}.items()]
        rows.append((_FINGERPRINT, json.dumps(_fingerprint({"settings": rows}))))
        for left in folder.glob(f".{FILE}.new*"):
            left.unlink()
        with _explained(folder / FILE), appearing(folder / FILE) as unfinished:
            db = sqlite3.connect(unfinished)
            try:
                # Flushed to the disk once, as a whole, when it gets its name.
                db.executescript(f"PRAGMA synchronous = OFF; BEGIN; {_SCHEMA}")
                db.executemany("INSERT INTO settings VALUES (?, ?)", rows)
                db.commit()
                db.execute("PRAGMA journal_mode = WAL")
            finally:
                db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def change(self) -> Iterator[Change]:
        """One transaction: all of it happens, or nothing."""
        with _explained(self._file):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                change = Change(self._db, self._read_settings()[_FINGERPRINT])
                yield change
                value = (json.dumps(change.fingerprint), _FINGERPRINT)
                self._db.execute("UPDATE settings SET value = ? WHERE key = ?", value)
                self._db.execute("COMMIT")
            except BaseException:
                # SQLite rolls back by itself when the disk is full; a failed COMMIT leaves the transaction open.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def snapshot(self) -> tuple[list[MediaRow], list[PartRow]]:
        """Media by path and parts by id, of one moment, whatever a writer does meanwhile.

        Raises `LibraryDamaged` when they are not what was written.
        """
        with _explained(self._file):
            self._db.execute("BEGIN")
            try:
                tables = {
                    table: [tuple(row) for row in self._db.execute(f"SELECT * FROM {table}")]
                    for table in ("settings", "media", "parts")
                }
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
        if json.dumps(_fingerprint(tables)) != dict(tables["settings"]).get(_FINGERPRINT):
            raise LibraryDamaged(f"{self._file}: its rows are not those that were written; {_MEND}")
        media = [MediaRow(**dict(zip(MediaRow.__slots__, row, strict=True))) for row in tables["media"]]
        parts = [PartRow(*row) for row in tables["parts"]]
        return sorted(media, key=lambda row: row.path), sorted(parts, key=lambda row: row.id)

    def problems(self) -> list[Problem]:
        with _explained(self._file):
            rows = self._db.execute("SELECT path, reason FROM problems ORDER BY path").fetchall()
        return [Problem(*row) for row in rows]

    def holds_path(self, path: str) -> bool:
        with _explained(self._file):
            return bool(self._db.execute("SELECT 1 FROM media WHERE path = ?", (path,)).fetchall())

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Of tables that others keep in the catalog; see `Change.execute`."""
        with _explained(self._file):
            return self._db.execute(query, values).fetchall()

    def next_id(self, table: Literal["media", "parts"]) -> int:
        """An id that no row of the table ever had."""
        with _explained(self._file):
            ((highest,),) = self._db.execute(f"SELECT max(id) FROM {table}").fetchall()
            ever = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchall()
        return 1 + max(highest or 0, *(int(row[0]) for row in ever), 0)

    def integrity(self) -> list[str]:
        """What SQLite finds wrong with the file first, and what to do; empty when nothing is."""
        with _explained(self._file):
            found = [str(row[0]) for row in self._db.execute("PRAGMA integrity_check")]
        return [] if found == ["ok"] else [f"{self._file}: is damaged ({found[0].strip()}); {_MEND}"]

    def _read_settings(self) -> dict[str, Any]:
        with _explained(self._file):
            rows = self._db.execute("SELECT key, value FROM settings").fetchall()
        try:
            return {key: json.loads(value) for key, value in rows}
        except (ValueError, TypeError) as error:
            raise LibraryDamaged(f"{self._file}: a setting cannot be read ({error}); {_MEND}") from error


def is_library(folder: Path) -> bool:
    """Whether there is a catalog, sound or not."""
    return (folder / FILE).exists()


def require_catalog(folder: Path) -> Path:
    """The catalog's file; raises a `LibraryError` that says why there is none."""
    file = folder / FILE
    try:
        if file.exists():
            return file
        if folder.exists() and not folder.is_dir():
            raise LibraryError(f"{folder}: is a file, not the folder of a library; name a folder with --library")
        if any(folder.glob("vectors/part-*.parquet")):
            raise LibraryDamaged(f"{file}: is missing; {_MEND}")
    except OSError as error:
        raise LibraryError(f"{folder}: cannot be read: {error.strerror}") from error
    raise LibraryMissing(f"{folder}: there is no library here; make one with: vcd index PATH --library {folder}")


def _connect(file: Path, writable: bool) -> sqlite3.Connection:
    """A connection that has read the file once.

    Reading a catalog in WAL mode needs files beside it. Where none can be made and there is no WAL, nobody writes
    and the catalog's file is all there is to read, which SQLite calls immutable.
    """
    modes = ["mode=rw"] if writable else ["mode=ro"]
    wal = file.with_name(f"{FILE}-wal")
    if not writable and not (wal.exists() and wal.stat().st_size):
        modes.append("mode=ro&immutable=1")
    for mode in modes:
        uri = f"{file.resolve().as_uri()}?{mode}"
        db = sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
        try:
            db.execute("SELECT name FROM sqlite_master").fetchall()
            return db
        except BaseException as error:
            db.close()
            if mode == modes[-1] or _kind(error) not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
                raise
    raise AssertionError("every mode returns or raises")


def _fingerprint(tables: Mapping[str, Iterable[tuple[object, ...]]]) -> int:
    """The exclusive or of all rows' digests, but for the fingerprint itself."""
    found = 0
    for table, rows in tables.items():
        for row in rows:
            if (table, row[0]) != ("settings", _FINGERPRINT):
                found ^= digest(table, row)
    return found


def _kind(error: BaseException) -> int:
    """SQLite's primary result code; errors that Python raised itself count as SQLITE_ERROR."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    """Turn what SQLite says about the file into a `LibraryError` with what to do."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # A fault of this program, not of the file.
    except (sqlite3.Error, UnicodeDecodeError) as error:
        # A message that quotes what is damaged may be no text.
        kind = _kind(error)
        if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise LibraryLocked(f"{file}: another process keeps it locked; try again when that is done") from error
        if kind == sqlite3.SQLITE_FULL:
            raise LibraryError(f"{file}: the disk is full; make room and run the same command again") from error
        if kind in _DISK:
            raise LibraryError(
                f"{file}: cannot be read or written ({error}); check the disk and the permissions of its folder, "
                "then run the same command again"
            ) from error
        raise LibraryDamaged(f"{file}: the catalog is damaged ({error}); {_MEND}") from error
