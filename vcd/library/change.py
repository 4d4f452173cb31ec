"""What can be changed in the catalog, within one transaction."""

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple

from vcd.library.records import MediaRow, PartRow, digest

_COLUMNS = MediaRow.__slots__


class Change:
    """A transaction under way; made by `Catalog.change` only, which commits it or rolls it back."""

    def __init__(self, db: sqlite3.Connection, fingerprint: int) -> None:
        self._db = db
        self.fingerprint = fingerprint
        """That of all rows, as changed so far."""

    def add_part(self, part: PartRow) -> None:
        self._db.execute("INSERT INTO parts VALUES (?, ?, ?, ?)", astuple(part))
        self._tally("parts", part.id)

    def add_media(self, row: MediaRow) -> None:
        marks = ", ".join("?" for _ in _COLUMNS)
        values = [getattr(row, column) for column in _COLUMNS]
        self._db.execute(f"INSERT INTO media ({', '.join(_COLUMNS)}) VALUES ({marks})", values)
        self._tally("media", row.id)

    def move_media(self, media_id: int, root: str, mtime_ns: int) -> None:
        self._tally("media", media_id)
        self._db.execute("UPDATE media SET root = ?, mtime_ns = ? WHERE id = ?", (root, mtime_ns, media_id))
        self._tally("media", media_id)

    def place_media(self, media_id: int, part_id: int, first_row: int) -> None:
        """Its vectors lie in another part from now on."""
        self._tally("media", media_id)
        self._db.execute("UPDATE media SET part_id = ?, first_row = ? WHERE id = ?", (part_id, first_row, media_id))
        self._tally("media", media_id)

    def remove_media(self, media_id: int) -> None:
        """Nothing happens when there is none with that id."""
        self._tally("media", media_id)
        self._db.execute("DELETE FROM media WHERE id = ?", (media_id,))

    def remove_unused_parts(self) -> None:
        """Forget parts that hold no media; their files become strays."""
        unused = self._db.execute("SELECT id FROM parts WHERE id NOT IN (SELECT part_id FROM media)").fetchall()
        for (part_id,) in unused:
            self._tally("parts", part_id)
            self._db.execute("DELETE FROM parts WHERE id = ?", (part_id,))

    def note_problem(self, path: str, reason: str, seen_at: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO problems VALUES (?, ?, ?)", (path, reason, seen_at))

    def forget_problem(self, path: str) -> None:
        self._db.execute("DELETE FROM problems WHERE path = ?", (path,))

    def execute(self, statement: str, values: Sequence[object] = ()) -> None:
        """For tables that others keep in the catalog; the fingerprint does not cover them."""
        self._db.execute(statement, values)

    def _tally(self, table: str, row_id: int) -> None:
        """Count a row, as the catalog holds it now, into the fingerprint, or out of it."""
        for row in self._db.execute(f"SELECT * FROM {table} WHERE id = ?", (row_id,)):
            self.fingerprint ^= digest(table, tuple(row))
