"""Changing a library: one writer at a time, every change committed by the catalog or not at all."""

import fcntl
import logging
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from vcd.config import LibraryConfig
from vcd.errors import LibraryError, LibraryLocked, LibraryMismatch
from vcd.library.catalog import FILE, Catalog, MediaRow, PartRow
from vcd.library.parts import FOLDER, Part, part_path, read_part, write_part
from vcd.library.saved_index import SavedIndex, build_settings, delete_index, load_index, save_index
from vcd.library.vectors import HnswIndex
from vcd.types import Descriptors

logger = logging.getLogger(__name__)

LOCK = ".lock"
MOST_DEAD_ROWS = 0.3
"""Share of removed rows in the index from which it is built anew."""


class LibraryWriter:
    """The one writer of a library; use it in a `with` statement."""

    def __init__(self, folder: Path, config: LibraryConfig) -> None:
        """Open an existing library; raises a `LibraryError` that says what to do."""
        self.folder = folder
        self._config = config
        if not (folder / FILE).exists():
            Catalog(folder)  # says that there is none
        self._lock = _lock(folder)
        try:
            self._catalog = Catalog(folder, writable=True)
            self.settings = self._catalog.settings
            self._purge()
        except BaseException:
            self._lock.close()
            raise

    @classmethod
    def open_or_create(
        cls, folder: Path, config: LibraryConfig, model: str, dimension: int, sampling: dict[str, Any]
    ) -> Self:
        """The library in a folder, made when there is none; raises `LibraryMismatch` for another model."""
        try:
            if not (folder / FILE).exists():
                if folder.is_dir() and any(
                    not path.name.startswith(".") and path.name != "README.md" for path in folder.iterdir()
                ):
                    raise LibraryError(f"{folder}: is neither empty nor a library; name another folder with --library")
                Catalog.create(folder, {"model": model, "dimension": dimension, "sampling": sampling})
        except OSError as error:
            raise LibraryError(f"{folder}: no library can be made here: {error.strerror}") from error
        self = cls(folder, config)
        if self.settings["model"] != model:
            self.close()
            raise LibraryMismatch(
                f"{folder}: the library was made with model {self.settings['model']}, not {model}; "
                "use that model (setting describe.model) or another folder (--library)"
            )
        if self.settings["sampling"] != sampling:
            logger.warning("%s: was made with other sampling settings; new media are sampled as set now", folder)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._catalog.close()
        self._lock.close()

    def media(self) -> list[MediaRow]:
        return self._catalog.media()

    def add(
        self,
        descriptors: Descriptors,
        root: Path,
        content_hash: str,
        stat: os.stat_result,
        replaces: MediaRow | None,
    ) -> MediaRow:
        """Store one reference; it is there when this returns, and with `replaces` the old one is gone."""
        media_id = self._catalog.next_id("media")
        part = self._write(media_id, descriptors)
        path = replaces.path if replaces else self._free_path(descriptors.name, root)
        row = MediaRow(
            id=media_id, path=path, root=str(root), content_hash=content_hash, size_bytes=stat.st_size,
            mtime_ns=stat.st_mtime_ns, kind=descriptors.info.kind, duration_s=descriptors.info.duration_s,
            width_px=descriptors.info.width_px, height_px=descriptors.info.height_px,
            format=descriptors.info.format, frames=len(descriptors), added_at=_now(), status="ready",
            part_id=part.id, first_row=0,
        )  # fmt: skip
        with self._catalog.change() as db:
            if replaces:
                db.execute("UPDATE media SET status = 'removed' WHERE id = ?", (replaces.id,))
            db.execute("INSERT INTO parts VALUES (?, ?, ?, ?)", (part.id, part.rows, part.size_bytes, part.sha256))
            columns = MediaRow.__slots__
            marks = ", ".join("?" for _ in columns)
            values = [getattr(row, column) for column in columns]
            db.execute(f"INSERT INTO media ({', '.join(columns)}) VALUES ({marks})", values)
            db.execute("DELETE FROM problems WHERE path = ?", (descriptors.name,))
        return row

    def update_file(self, row: MediaRow, root: Path, stat: os.stat_result) -> None:
        """The same content has another modification time, or lies in another folder."""
        with self._catalog.change() as db:
            db.execute("UPDATE media SET root = ?, mtime_ns = ? WHERE id = ?", (str(root), stat.st_mtime_ns, row.id))

    def remove(self, rows: Iterable[MediaRow]) -> None:
        """From here on no reader that opens the library sees them; their files are deleted after."""
        with self._catalog.change() as db:
            db.executemany("UPDATE media SET status = 'removed' WHERE id = ?", [(row.id,) for row in rows])
        self._purge()

    def note_problem(self, path: str, reason: str) -> None:
        """Remember that a file could not be indexed."""
        with self._catalog.change() as db:
            db.execute("INSERT OR REPLACE INTO problems VALUES (?, ?, ?)", (path, reason, _now()))

    def update_index(self) -> None:
        """Bring the index up to the parts: add what it lacks, or build it anew when too much of it is dead."""
        self._purge()
        if self._config.index != "hnsw":
            return
        media, parts = self._catalog.snapshot()
        if not parts:
            delete_index(self.folder)
            return
        saved = self._usable_index(media)
        covered = set(saved.parts) if saved else set()
        missing = [part for part in parts if part.id not in covered]
        if saved and not missing:
            return
        save_index(self.folder, self._extended(saved, missing))

    def _usable_index(self, media: list[MediaRow]) -> SavedIndex | None:
        saved = load_index(self.folder, self._config)
        if saved is None or saved.settings != build_settings(self._config):
            return None
        ready = np.array([row.id for row in media], dtype=np.int64)
        dead = 1 - np.isin(saved.media_ids, ready).mean() if len(saved.media_ids) else 0
        return saved if dead <= MOST_DEAD_ROWS else None

    def _extended(self, saved: SavedIndex | None, missing: list[PartRow]) -> SavedIndex:
        index = saved.index if saved else HnswIndex(int(self.settings["dimension"]), self._config)
        added = [read_part(self.folder, row.id) for row in missing]
        index.add(np.concatenate([part.vectors for part in added]))
        return SavedIndex(
            index=index,
            media_ids=np.concatenate([*([saved.media_ids] if saved else []), *(p.media_ids for p in added)]),
            times_s=np.concatenate([*([saved.times_s] if saved else []), *(p.times_s for p in added)]),
            parts=(*(saved.parts if saved else ()), *(row.id for row in missing)),
            settings=build_settings(self._config),
        )

    def _write(self, media_id: int, descriptors: Descriptors) -> PartRow:
        part = Part(
            media_ids=np.full(len(descriptors), media_id, dtype=np.int64),
            times_s=descriptors.times_s,
            vectors=descriptors.vectors.astype(np.float16),
            quality=descriptors.quality,
        )
        try:
            return write_part(self.folder, self._catalog.next_id("parts"), part, str(self.settings["model"]))
        except OSError as error:
            raise LibraryError(f"{self.folder}: the vectors cannot be written: {error}") from error

    def _free_path(self, name: str, root: Path) -> str:
        """`name`, with as many folders of its root before it as set it apart from other files' names."""
        taken = {row.path for row in self._catalog.media()}
        parents = list(root.parts[1:])
        while name in taken and parents:
            name = f"{parents.pop()}/{name}"
        return name

    def _purge(self) -> None:
        """Delete the files of removed media, and part files that no commit names."""
        media, parts = self._catalog.snapshot()
        used = {row.part_id for row in media}
        dead = [part.id for part in parts if part.id not in used]
        for part_id in dead:
            part_path(self.folder, part_id).unlink(missing_ok=True)
        with self._catalog.change() as db:
            marks = ", ".join(str(part_id) for part_id in dead) or "NULL"
            db.execute(f"DELETE FROM media WHERE status = 'removed' AND part_id IN ({marks})")
            db.executemany("DELETE FROM parts WHERE id = ?", [(part_id,) for part_id in dead])
        named = {part_path(self.folder, part_id).name for part_id in used}
        folder = self.folder / FOLDER
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name not in named:
                path.unlink()


def find_row(media: Iterable[MediaRow], name: str) -> MediaRow:
    """The reference with that stored path, or whose file it names; raises `LibraryError`."""
    for row in media:
        if name == row.path or Path(name).absolute() == row.file:
            return row
    raise LibraryError("the library holds no such media; see: vcd library list")


def _lock(folder: Path) -> Any:
    """An open file whose lock dies with this process; raises `LibraryLocked`."""
    try:
        file = (folder / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise LibraryError(f"{folder}: the library cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise LibraryLocked(
            f"{folder}: another process ({owner}) is writing to the library; wait until it is done, or end it"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
