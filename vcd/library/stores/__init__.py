"""Where a library is: a folder, or the address of a database server; both answer in the same way.

`open_library` and `open_or_create` choose by the place. What a folder's library does beyond this (compact, merge,
export, being served) the others do not.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.errors import LibraryError
from vcd.library.catalog import is_library
from vcd.library.check import check_library
from vcd.library.library import Library
from vcd.library.records import MediaRow
from vcd.library.writer import LibraryWriter
from vcd.types import Descriptors, Neighbours

Place = Path | str
"""A folder, or an address as ``postgresql://user@host/database``."""
SCHEMES = ("postgresql://", "postgres://")


class References(Protocol):
    """A library opened for reading: as it was at that moment, whatever a writer does meanwhile. See `Library`."""

    @property
    def folder(self) -> Place: ...
    @property
    def settings(self) -> dict[str, Any]: ...
    @property
    def model(self) -> str: ...
    @property
    def media(self) -> list[MediaRow]: ...
    def __len__(self) -> int: ...
    def nearest(self, queries: NDArray[np.float32], k: int) -> Neighbours: ...
    def descriptors(self, media_id: int) -> Descriptors | None: ...
    def row(self, media_id: int) -> MediaRow: ...
    def problems(self) -> list[tuple[str, str]]: ...
    def frames_not_in_index(self) -> int: ...
    def load(self) -> None: ...


class ReferencesWriter(Protocol):
    """The one writer of a library; a change is there when the call returns, or nothing of it. See `LibraryWriter`."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def media(self) -> list[MediaRow]: ...
    def add(
        self,
        descriptors: Descriptors,
        root: Path,
        content_hash: str,
        stat: os.stat_result,
        replaces: MediaRow | None,
    ) -> MediaRow: ...
    def update_file(self, row: MediaRow, root: Path, stat: os.stat_result) -> None: ...
    def remove(self, rows: Iterable[MediaRow]) -> None: ...
    def note_problem(self, file: Path, reason: str) -> None: ...
    def update_index(self) -> None: ...


def is_address(place: Place) -> bool:
    """Raises `LibraryError` for an address of another kind."""
    text = str(place) if isinstance(place, str) else ""
    if "://" in text and not text.startswith(SCHEMES):
        raise LibraryError(f"{text}: no library can be kept there; give a folder or {SCHEMES[0]}user@host/database")
    return "://" in text


def require_folder(place: Place, what: str) -> Path:
    """Raises `LibraryError` for an address: `what` is kept in folders only."""
    if is_address(place):
        raise LibraryError(f"{place}: a database keeps no {what}; give --library a folder, or ask for none")
    return Path(place)


def open_library(place: Place, config: LibraryConfig) -> References:
    """Raises a `LibraryError` that says what to do."""
    if is_address(place):
        from vcd.library.stores.postgres import PostgresLibrary  # needs an extra

        return PostgresLibrary(str(place), config)
    return Library(Path(place), config)


def open_writer(place: Place, config: LibraryConfig) -> ReferencesWriter:
    """Raises a `LibraryError` that says what to do."""
    if is_address(place):
        from vcd.library.stores.postgres_writer import PostgresWriter

        return PostgresWriter(str(place), config)
    return LibraryWriter(Path(place), config)


def open_or_create(
    place: Place, config: LibraryConfig, model: str, dimension: int, sampling: dict[str, Any]
) -> ReferencesWriter:
    """The library made when there is none; raises `LibraryMismatch` for another model."""
    if is_address(place):
        from vcd.library.stores.postgres_writer import PostgresWriter

        return PostgresWriter.open_or_create(str(place), config, model, dimension, sampling)
    return LibraryWriter.open_or_create(Path(place), config, model, dimension, sampling)


def holds_library(place: Place) -> bool:
    if is_address(place):
        from vcd.library.stores.postgres import is_there

        return is_there(str(place))
    return is_library(Path(place))


def check(place: Place, config: LibraryConfig) -> list[str]:
    """As `check_library` does."""
    if is_address(place):
        from vcd.library.stores.postgres_check import check_postgres

        return check_postgres(str(place), config)
    return check_library(Path(place), config)


def size_bytes(place: Place) -> int:
    """What the library takes on the disk."""
    if is_address(place):
        from vcd.library.stores.postgres import PostgresLibrary

        return PostgresLibrary(str(place), LibraryConfig()).size_bytes()
    return sum(_size_bytes(path) for path in Path(place).rglob("*"))


def _size_bytes(path: Path) -> int:
    """0 for a folder, and for a file that a writer deletes meanwhile."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0
