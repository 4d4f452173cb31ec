"""Changing a library: one writer at a time, every change committed by the catalog or not at all."""

import logging
import os
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np

from vcd.config import LibraryConfig
from vcd.errors import LibraryDamaged, LibraryError, LibraryMismatch, LibraryMissing
from vcd.library.catalog import Catalog, require_catalog
from vcd.library.disk import is_unfinished, writing
from vcd.library.grow import grow, make_plan
from vcd.library.lock import lock
from vcd.library.parts import FOLDER, Part, part_path, write_part
from vcd.library.records import MediaRow, PartRow
from vcd.library.saved_index import save_index
from vcd.types import Descriptors

logger = logging.getLogger(__name__)


class LibraryWriter:
    """The one writer of a library; use it in a `with` statement."""

    def __init__(self, folder: Path, config: LibraryConfig) -> None:
        """Open an existing library; raises a `LibraryError` that says what to do."""
        self.folder = folder
        self.config = config
        require_catalog(folder)
        with ExitStack() as opened:
            opened.enter_context(lock(folder))
            self.catalog = opened.enter_context(Catalog(folder, writable=True))
            self.settings = self.catalog.settings
            self.delete_stray_parts()
            self._opened = opened.pop_all()

    @classmethod
    def open_or_create(
        cls, folder: Path, config: LibraryConfig, model: str, dimension: int, sampling: dict[str, Any]
    ) -> Self:
        """The library in a folder, made when there is none; raises `LibraryMismatch` for another model."""
        try:
            require_catalog(folder)
        except LibraryMissing:
            _create(folder, {"model": model, "dimension": dimension, "sampling": sampling})
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

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._opened.close()

    def media(self) -> list[MediaRow]:
        """All references, sorted by path."""
        return self.catalog.snapshot()[0]

    def add(
        self,
        descriptors: Descriptors,
        root: Path,
        content_hash: str,
        stat: os.stat_result,
        replaces: MediaRow | None,
    ) -> MediaRow:
        """Store one reference; it is there when this returns, and with `replaces` the old one is gone.

        A replacement keeps the name and the root of what it replaces.
        """
        media_id = self.catalog.next_id("media")
        path, root = (replaces.path, Path(replaces.root)) if replaces else self.free_path(descriptors.name, root)
        part = self._write(media_id, descriptors)
        row = MediaRow(
            id=media_id, path=path, root=str(root), content_hash=content_hash, size_bytes=stat.st_size,
            mtime_ns=stat.st_mtime_ns, kind=descriptors.info.kind, duration_s=descriptors.info.duration_s,
            width_px=descriptors.info.width_px, height_px=descriptors.info.height_px,
            format=descriptors.info.format, frames=len(descriptors), added_at=now(),
            part_id=part.id, first_row=0,
        )  # fmt: skip
        with self.catalog.change() as change:
            if replaces:
                change.remove_media(replaces.id)
                change.remove_unused_parts()
            change.add_part(part)
            change.add_media(row)
            change.forget_problem(os.path.abspath(Path(root, descriptors.name)))
        return row

    def update_file(self, row: MediaRow, root: Path, stat: os.stat_result) -> None:
        """The same content has another modification time, or lies in another folder."""
        with self.catalog.change() as change:
            change.move_media(row.id, str(root), stat.st_mtime_ns)

    def remove(self, rows: Iterable[MediaRow]) -> None:
        """From here on no reader that opens the library sees them; their files are deleted after."""
        with self.catalog.change() as change:
            for row in rows:
                change.remove_media(row.id)
            change.remove_unused_parts()
        self.delete_stray_parts()

    def note_problem(self, file: Path, reason: str) -> None:
        """Remember that a file could not be indexed, until it is added."""
        with self.catalog.change() as change:
            change.note_problem(os.path.abspath(file), reason, now())

    def update_index(self, into_one: bool = False) -> None:
        """Bring the index up to the parts; `into_one`: as one volume without dead rows.

        The library answers without it, too: when this raises, all media are still there and found.
        """
        self.delete_stray_parts()
        media, parts = self.catalog.snapshot()
        plan = make_plan(self.folder, self.config, media, parts, into_one)
        dimension = int(self.settings["dimension"])
        try:
            grown = grow(self.folder, self.config, dimension, plan)
        except (LibraryDamaged, FileNotFoundError) as error:
            logger.warning("%s", error)
            plan = plan.without_base(parts)
            grown = grow(self.folder, self.config, dimension, plan)
        with writing(self.folder, "the index"):
            save_index(self.folder, plan.kept if grown or not plan.base else (*plan.kept, plan.base), grown)

    def _write(self, media_id: int, descriptors: Descriptors) -> PartRow:
        if descriptors.vectors.shape[1] != self.settings["dimension"]:
            raise ValueError(
                f"vectors of {descriptors.name} have {descriptors.vectors.shape[1]} dimensions, "
                f"those of the library {self.settings['dimension']}"
            )
        part = Part(
            media_ids=np.full(len(descriptors), media_id, dtype=np.int64),
            times_s=descriptors.times_s,
            vectors=descriptors.vectors.astype(np.float16),
            quality=descriptors.quality,
        )
        with writing(self.folder, f"the vectors of {descriptors.name}"):
            return write_part(self.folder, self.catalog.next_id("parts"), part, str(self.settings["model"]))

    def free_path(self, name: str, root: Path) -> tuple[str, Path]:
        """Name and root of a file, the name with as many folders before it as set it apart from other files'."""
        file = root / name
        while self.catalog.holds_path(name) and root != root.parent:
            name, root = f"{root.name}/{name}", root.parent
        return (str(file) if self.catalog.holds_path(name) else name), root

    def delete_stray_parts(self) -> None:
        """Delete the files of parts that are no more or never were committed, and what a killed process left."""
        named = {part_path(self.folder, part.id).name for part in self.catalog.snapshot()[1]}
        folder = self.folder / FOLDER
        with writing(self.folder, "the folder of vectors"):
            for path in folder.iterdir() if folder.is_dir() else ():
                ours = is_unfinished(path) or path.match("part-*.parquet")
                if ours and path.name not in named and path.is_file():
                    path.unlink()


def find_row(media: Iterable[MediaRow], name: str) -> MediaRow:
    """The reference with that stored path, or whose file it names; raises `LibraryError`."""
    rows = list(media)
    file = Path(os.path.abspath(name))
    for row in [*(row for row in rows if row.path == name), *(row for row in rows if row.file == file)]:
        return row
    raise LibraryError("the library holds no such media; see: vcd library list")


def _create(folder: Path, settings: dict[str, Any]) -> None:
    """An empty library in a folder that is empty or does not exist yet."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(not path.name.startswith(".") and path.name != "README.md" for path in folder.iterdir()):
            raise LibraryError(f"{folder}: is neither empty nor a library; name another folder with --library")
        with lock(folder):
            try:
                require_catalog(folder)
            except LibraryMissing:
                Catalog.create(folder, settings)
    except OSError as error:
        raise LibraryError(f"{folder}: no library can be made here: {error.strerror}") from error


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
