"""Reading a library: what is in it, its nearest frames, one reference's descriptors."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.errors import LibraryDamaged
from vcd.library.catalog import Catalog
from vcd.library.parts import Part, part_path, read_media, read_part
from vcd.library.records import MediaRow, PartRow
from vcd.library.saved_index import load_volumes
from vcd.library.vectors import ExactIndex, VectorIndex
from vcd.library.volume import MOST_DEAD_ROWS, share_dead
from vcd.types import Descriptors, Neighbours


@dataclass(frozen=True, slots=True, eq=False)
class _Shelf:
    """Vectors that are searched together, and what their rows (n) are."""

    index: VectorIndex
    media_ids: NDArray[np.int64]
    times_s: NDArray[np.float64]
    alive: NDArray[np.bool_]
    """bool (n,): which of them are references of this moment."""


class Library:
    """A library as it was when it was opened; any number of processes may read while one writes.

    When a writer has deleted what that moment needs before the vectors were loaded, it moves on to a newer one.
    It keeps no file open.
    """

    def __init__(self, folder: Path, config: LibraryConfig) -> None:
        """Raises a `LibraryError` that says what to do."""
        self.folder = folder
        self._config = config
        with Catalog(folder) as catalog:
            self.settings: dict[str, Any] = catalog.settings
            self._take_snapshot(catalog)

    @property
    def model(self) -> str:
        """Identity of the model that made the vectors."""
        return str(self.settings["model"])

    @property
    def dimension(self) -> int:
        return int(self.settings["dimension"])

    @property
    def media(self) -> list[MediaRow]:
        """All references, sorted by path."""
        return list(self._media.values())

    def __len__(self) -> int:
        return len(self._media)

    def nearest(self, queries: NDArray[np.float32], k: int) -> Neighbours:
        """The k nearest frames of all references for each query; equal ones by media id and time.

        float32 (Q, D) -> `Neighbours` (Q, k). All references are searched, whatever state the index is in. Of
        frames that are equally near any may be left out at k.
        """
        found = []
        for shelf in self._shelves:
            if len(shelf.media_ids):
                rows, similarities = shelf.index.search(queries, k, shelf.alive)
                ids = np.where(rows >= 0, shelf.media_ids[rows], -1)
                times_s = np.where(rows >= 0, shelf.times_s[rows], 0.0)
                found.append((ids, times_s, similarities))
        if not found:
            shape = (len(queries), k)
            return Neighbours(np.full(shape, -1), np.zeros(shape), np.full(shape, -1, dtype=np.float32))
        ids, times_s, similarities = (np.concatenate(columns, axis=1) for columns in zip(*found, strict=True))
        order = np.lexsort((times_s, ids, -similarities, ids < 0), axis=1)[:, :k]
        take = np.take_along_axis
        return Neighbours(take(ids, order, 1), take(times_s, order, 1), take(similarities, order, 1))

    def descriptors(self, media_id: int) -> Descriptors | None:
        """All descriptors of one reference; None when a writer has removed it meanwhile."""
        row = self._media[media_id]
        try:
            part = self._read_media(self._parts[row.part_id], row)
        except FileNotFoundError as error:
            with Catalog(self.folder) as catalog:
                if media_id not in {now.id for now in catalog.snapshot()[0]}:
                    return None
            raise self._damaged(f"{error.filename}: is missing") from error
        if part is None:
            raise self._damaged(f"{part_path(self.folder, row.part_id)}: does not hold the rows of {row.path}")
        return Descriptors(row.path, row.info, part.times_s, part.vectors.astype(np.float32), part.quality)

    def row(self, media_id: int) -> MediaRow:
        return self._media[media_id]

    def problems(self) -> list[tuple[str, str]]:
        """Files that could not be indexed, with the reason."""
        with Catalog(self.folder) as catalog:
            return [(problem.path, problem.reason) for problem in catalog.problems()]

    def frames_not_in_index(self) -> int:
        """Frames that are searched exactly because the index does not hold them yet."""
        return len(self._shelves[-1].media_ids)

    def load(self) -> None:
        """Load the index now rather than at the first query."""
        _ = self._shelves

    def _take_snapshot(self, catalog: Catalog) -> None:
        media, parts = catalog.snapshot()
        self._media = {row.id: row for row in media}
        self._parts = {row.id: row for row in parts}

    @cached_property
    def _shelves(self) -> list[_Shelf]:
        """The volumes of the index, and last the parts that they do not cover, searched exactly."""
        while True:
            try:
                return self._load_shelves()
            except FileNotFoundError as error:
                # Deleted by a writer if the parts are others now; else lost.
                before = self._parts
                with Catalog(self.folder) as catalog:
                    self._take_snapshot(catalog)
                if self._parts == before:
                    raise self._damaged(f"{error.filename}: is missing") from error

    def _load_shelves(self) -> list[_Shelf]:
        media, parts = self._media.values(), self._parts.values()
        shelves: list[_Shelf] = []
        covered: set[PartRow] = set()
        for volume, rows in load_volumes(self.folder, self._config):
            alive = rows.alive(media, parts)
            if share_dead(alive) <= MOST_DEAD_ROWS:
                shelves.append(_Shelf(rows.index, rows.media_ids, rows.times_s, alive))
                covered.update(volume.parts)
        fresh = ExactIndex(self.dimension, self._config)
        media_ids, times_s = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
        for row in parts:
            if row not in covered:
                part = self._read(row)
                fresh.add(part.vectors)
                media_ids.append(part.media_ids)
                times_s.append(part.times_s)
        ids = np.concatenate(media_ids)
        alive = np.isin(ids, np.array(list(self._media), dtype=np.int64))
        return [*shelves, _Shelf(fresh, ids, np.concatenate(times_s), alive)]

    def _read_media(self, part: PartRow, row: MediaRow) -> Part | None:
        try:
            return read_media(self.folder, part, row)
        except LibraryDamaged as error:
            raise self._damaged(str(error)) from error

    def _read(self, part: PartRow) -> Part:
        try:
            return read_part(self.folder, part)
        except LibraryDamaged as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, fault: str) -> LibraryDamaged:
        return LibraryDamaged(f"{fault}; to see how to mend it, run: vcd library verify --library {self.folder}")
