"""Changing a library in PostgreSQL: one writer at a time, every change one transaction."""

import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from vcd.config import LibraryConfig
from vcd.errors import LibraryLocked, LibraryMismatch, LibraryMissing
from vcd.library.records import MediaRow
from vcd.library.stores.halfvec import to_binary
from vcd.library.stores.postgres import (
    COLUMNS,
    FORMAT,
    checksum,
    connect,
    explained,
    read_media,
    read_settings,
    require_index,
)
from vcd.library.writer import now
from vcd.types import Descriptors

if TYPE_CHECKING:
    import psycopg

logger = logging.getLogger(__name__)

LOCK = 0x766364
"""Of the database's advisory locks that which the writer holds; it goes with its connection."""
_SCHEMA = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE SCHEMA IF NOT EXISTS vcd;
CREATE TABLE vcd.settings (key text PRIMARY KEY, value jsonb NOT NULL);
CREATE TABLE vcd.media (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    path text NOT NULL UNIQUE, root text NOT NULL,
    content_hash text NOT NULL, size_bytes bigint NOT NULL, mtime_ns bigint NOT NULL,
    kind text NOT NULL, duration_s double precision NOT NULL, width_px integer NOT NULL, height_px integer NOT NULL,
    format text NOT NULL, frames integer NOT NULL, added_at text NOT NULL, status text NOT NULL,
    frames_sha256 text NOT NULL
);
CREATE TABLE vcd.frames (
    media_id bigint NOT NULL REFERENCES vcd.media (id) ON DELETE CASCADE,
    number integer NOT NULL, time_s double precision NOT NULL, vector halfvec({dimension}) NOT NULL,
    quality real NOT NULL, PRIMARY KEY (media_id, number)
);
CREATE TABLE vcd.problems (path text PRIMARY KEY, reason text NOT NULL, seen_at text NOT NULL);
"""


class PostgresWriter:
    """The one writer; use it in a `with` statement."""

    def __init__(self, address: str, config: LibraryConfig) -> None:
        """Raises a `LibraryError` that says what to do, `ConfigError` for an index that is not there."""
        require_index(config)
        self.folder = address
        self.config = config
        self._db = connect(address)
        try:
            with explained(address):
                _lock(self._db, address)
                self.settings = read_settings(self._db, address)
        except BaseException:
            self._db.close()
            raise

    @classmethod
    def open_or_create(
        cls, address: str, config: LibraryConfig, model: str, dimension: int, sampling: dict[str, Any]
    ) -> Self:
        """The library in a database, made when there is none; raises `LibraryMismatch` for another model."""
        require_index(config)
        _create(address, {"model": model, "dimension": dimension, "sampling": sampling})
        self = cls(address, config)
        if self.settings["model"] != model:
            self.close()
            raise LibraryMismatch(
                f"{address}: the library was made with model {self.settings['model']}, not {model}; "
                "use that model (setting describe.model) or another database (--library)"
            )
        if self.settings["sampling"] != sampling:
            logger.warning("%s: was made with other sampling settings; new media are sampled as set now", address)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def media(self) -> list[MediaRow]:
        with explained(self.folder):
            return read_media(self._db)

    def add(
        self,
        descriptors: Descriptors,
        root: Path,
        content_hash: str,
        stat: os.stat_result,
        replaces: MediaRow | None,
    ) -> MediaRow:
        """As `LibraryWriter.add`."""
        info = descriptors.info
        vectors = descriptors.vectors.astype(np.float16)
        if vectors.shape[1] != self.settings["dimension"]:
            raise ValueError(f"vectors of {descriptors.name} do not have {self.settings['dimension']} dimensions")
        path, root = (replaces.path, Path(replaces.root)) if replaces else self._free_path(descriptors.name, root)
        row = MediaRow(
            id=0, path=path, root=str(root), content_hash=content_hash, size_bytes=stat.st_size,
            mtime_ns=stat.st_mtime_ns, kind=info.kind, duration_s=info.duration_s, width_px=info.width_px,
            height_px=info.height_px, format=info.format, frames=len(descriptors), added_at=now(),
            part_id=0, first_row=0,
        )  # fmt: skip
        values = [getattr(row, column) for column in COLUMNS]
        values.append(checksum(descriptors.times_s, vectors, descriptors.quality))
        columns, marks = ", ".join([*COLUMNS, "frames_sha256"]), ", ".join(["%s"] * len(values))
        with self._change() as db:
            if replaces:
                db.execute("DELETE FROM vcd.media WHERE id = %s", (replaces.id,))
            added = db.execute(f"INSERT INTO vcd.media ({columns}) VALUES ({marks}) RETURNING id", values).fetchone()
            row = replace(row, id=added[0] if added else 0)
            _copy(db, row.id, descriptors, to_binary(vectors))
            db.execute("DELETE FROM vcd.problems WHERE path = %s", (os.path.abspath(Path(root, descriptors.name)),))
        return row

    def update_file(self, row: MediaRow, root: Path, stat: os.stat_result) -> None:
        values = str(root), stat.st_mtime_ns, row.id
        with self._change() as db:
            db.execute("UPDATE vcd.media SET root = %s, mtime_ns = %s WHERE id = %s", values)

    def remove(self, rows: Iterable[MediaRow]) -> None:
        with self._change() as db:
            db.execute("DELETE FROM vcd.media WHERE id = ANY(%s)", ([row.id for row in rows],))

    def note_problem(self, file: Path, reason: str) -> None:
        with self._change() as db:
            db.execute(
                "INSERT INTO vcd.problems VALUES (%s, %s, %s) "
                "ON CONFLICT (path) DO UPDATE SET reason = excluded.reason, seen_at = excluded.seen_at",
                (os.path.abspath(file), reason.replace("\0", " "), now()),
            )

    def update_index(self) -> None:
        """Make the index when there is none: on many rows at once that is far faster than row by row.

        From then on PostgreSQL keeps it current by itself. Without it all frames are compared: slower, and complete.
        """
        if self.config.index == "exact":
            return
        with self._change() as db:
            links, effort = min(self.config.links, 100), min(self.config.effort_build, 1000)
            db.execute("SET LOCAL maintenance_work_mem = '256MB'")
            db.execute(
                "CREATE INDEX IF NOT EXISTS frames_vector ON vcd.frames USING hnsw (vector halfvec_ip_ops) "
                f"WITH (m = {links}, ef_construction = {max(effort, 2 * links)})"
            )
            db.execute("ANALYZE vcd.frames")

    @contextmanager
    def _change(self) -> Iterator["psycopg.Connection[Any]"]:
        with explained(self.folder), self._db.transaction():
            yield self._db

    def _free_path(self, name: str, root: Path) -> tuple[str, Path]:
        """As `LibraryWriter.free_path`."""
        with explained(self.folder):
            file = root / name
            while self._holds(name) and root != root.parent:
                name, root = f"{root.name}/{name}", root.parent
            return (str(file) if self._holds(name) else name), root

    def _holds(self, path: str) -> bool:
        return bool(self._db.execute("SELECT 1 FROM vcd.media WHERE path = %s", (path,)).fetchall())


def _copy(db: "psycopg.Connection[Any]", media_id: int, descriptors: Descriptors, vectors: list[bytes]) -> None:
    rows = zip(descriptors.times_s.tolist(), vectors, descriptors.quality.tolist(), strict=True)
    with db.cursor().copy(
        "COPY vcd.frames (media_id, number, time_s, vector, quality) FROM STDIN (FORMAT BINARY)"
    ) as copy:
        copy.set_types(["int8", "int4", "float8", "bytea", "float4"])
        for number, (time_s, vector, quality) in enumerate(rows):
            copy.write_row((media_id, number, time_s, vector, quality))


def _lock(db: "psycopg.Connection[Any]", address: str) -> None:
    row = db.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
    if not row or not row[0]:
        raise LibraryLocked(f"{address}: another process is writing to the library; try again when it is done")


def _create(address: str, settings: dict[str, Any]) -> None:
    """An empty library where there is none."""
    with connect(address) as db, explained(address), db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK + 1,))  # two that make it at once
        try:
            read_settings(db, address)
        except LibraryMissing:
            db.execute(_SCHEMA.format(dimension=settings["dimension"]))
            for key, value in {"format": FORMAT, **settings}.items():
                db.execute("INSERT INTO vcd.settings VALUES (%s, %s)", (key, json.dumps(value)))
