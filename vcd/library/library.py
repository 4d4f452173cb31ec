"""Reading a library: what is in it, its nearest frames, one reference's descriptors."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.errors import LibraryDamaged
from vcd.library.catalog import Catalog, MediaRow
from vcd.library.parts import part_path, read_part
from vcd.library.saved_index import load_index
from vcd.library.vectors import ExactIndex, VectorIndex
from vcd.types import Descriptors, Neighbours

RETRIES = 5


@dataclass(frozen=True, slots=True, eq=False)
class _Shelf:
    """Vectors that are searched together, and what their rows are."""

    index: VectorIndex
    media_ids: NDArray[np.int64]
    times_s: NDArray[np.float64]


class Library:
    """A library as it was when it was opened; any number of processes may read while one writes."""

    def __init__(self, folder: Path, config: LibraryConfig) -> None:
        """Raises a `LibraryError` that says what to do."""
        self.folder = folder
        self._config = config
        self._catalog = Catalog(folder)
        self.settings: dict[str, Any] = self._catalog.settings
        self._take_snapshot()

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

        float32 (Q, D) -> `Neighbours` (Q, k). Answers completely whatever state the index is in.
        """
        ready = np.array(sorted(self._media), dtype=np.int64)
        found = []
        for shelf in self._shelves:
            if len(shelf.media_ids):
                rows, similarities = shelf.index.search(queries, k, np.isin(shelf.media_ids, ready))
                ids = np.where(rows >= 0, shelf.media_ids[rows], -1)
                times_s = np.where(rows >= 0, shelf.times_s[rows], 0.0)
                found.append((ids, times_s, similarities))
        if not found:
            shape = (len(queries), k)
            return Neighbours(np.full(shape, -1), np.zeros(shape), np.full(shape, -1, dtype=np.float32))
        ids, times_s, similarities = (np.concatenate(columns, axis=1) for columns in zip(*found, strict=True))
        order = np.lexsort((times_s, ids, -similarities), axis=1)[:, :k]
        take = np.take_along_axis
        return Neighbours(take(ids, order, 1), take(times_s, order, 1), take(similarities, order, 1))

    def descriptors(self, media_id: int) -> Descriptors | None:
        """All descriptors of one reference; None when a writer has removed it meanwhile."""
        row = self._media[media_id]
        try:
            part = read_part(self.folder, row.part_id, row.first_row, row.frames)
        except FileNotFoundError as error:
            if media_id not in {now.id for now in self._catalog.media()}:
                return None
            raise self._missing(row.part_id) from error
        if len(part) != row.frames or not (part.media_ids == media_id).all():
            raise LibraryDamaged(
                f"{part_path(self.folder, row.part_id)}: does not hold the rows of {row.path}; "
                f"run: vcd library verify --library {self.folder}"
            )
        return Descriptors(row.path, row.info, part.times_s, part.vectors.astype(np.float32), part.quality)

    def row(self, media_id: int) -> MediaRow:
        return self._media[media_id]

    def problems(self) -> list[tuple[str, str]]:
        """Files that could not be indexed, with the reason."""
        return [(problem.path, problem.reason) for problem in self._catalog.problems()]

    def frames_not_in_index(self) -> int:
        """Frames that are searched exactly because the index does not hold them yet."""
        return len(self._shelves[-1].media_ids)

    def load(self) -> None:
        """Load the index now rather than at the first query."""
        _ = self._shelves

    def close(self) -> None:
        self._catalog.close()

    def _take_snapshot(self) -> None:
        media, self._parts = self._catalog.snapshot()
        self._media = {row.id: row for row in media}

    @cached_property
    def _shelves(self) -> list[_Shelf]:
        """The saved index, and the parts it does not cover, searched exactly."""
        for _ in range(RETRIES):
            try:
                return self._load_shelves()
            except FileNotFoundError:
                # A writer has removed what this snapshot still names: take a newer one.
                self._take_snapshot()
        return self._load_shelves_or_explain()

    def _load_shelves(self) -> list[_Shelf]:
        saved = load_index(self.folder, self._config) if self._config.index == "hnsw" else None
        shelves = [_Shelf(saved.index, saved.media_ids, saved.times_s)] if saved else []
        covered = set(saved.parts) if saved else set()
        fresh = ExactIndex(self.dimension, self._config)
        media_ids, times_s = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
        for part_row in self._parts:
            if part_row.id not in covered:
                part = read_part(self.folder, part_row.id)
                fresh.add(part.vectors)
                media_ids.append(part.media_ids)
                times_s.append(part.times_s)
        return [*shelves, _Shelf(fresh, np.concatenate(media_ids), np.concatenate(times_s))]

    def _load_shelves_or_explain(self) -> list[_Shelf]:
        try:
            return self._load_shelves()
        except FileNotFoundError as error:
            missing = [row for row in self._parts if not part_path(self.folder, row.id).exists()]
            raise self._missing(missing[0].id if missing else 0) from error

    def _missing(self, part_id: int) -> LibraryDamaged:
        return LibraryDamaged(
            f"{part_path(self.folder, part_id)}: is missing; run: vcd library verify --library {self.folder}"
        )
