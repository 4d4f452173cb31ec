"""A library held open by a process that answers many queries: model, index and worker processes are loaded once."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from vcd.config import Config, LibraryConfig
from vcd.errors import InputError, SetupError
from vcd.extract import extract
from vcd.library import Library
from vcd.media.files import MediaPath
from vcd.model import Model
from vcd.pipeline import answer, library_facts, make_album, make_report, query_task, worker_count
from vcd.types import MediaInfo, Neighbours, Report
from vcd.workers import Workers

R = TypeVar("R")

REST = 10.0
"""A library that changes all the time is opened again only after so many times as long as that took."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a query found, and what it is."""

    report: Report
    media: MediaInfo


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """One caller's wish, and where it waits for the result."""

    queries: NDArray[np.float32]
    k: int
    found: "Future[Neighbours]"


class SharedSearch:
    """Searches of many threads, one at a time: all that came while one was running are done together after it.

    FAISS spreads the rows of one search over all cores, so searches side by side would only take each other's.
    """

    def __init__(self, nearest: Callable[[NDArray[np.float32], int], Neighbours]) -> None:
        self._nearest = nearest
        self._waiting: list[_Search] = []
        self._list = threading.Lock()
        self._searching = threading.Lock()

    def nearest(self, queries: NDArray[np.float32], k: int) -> Neighbours:
        """float32 (Q, D) -> `Neighbours` (Q, k), the same as without others."""
        mine = _Search(queries, k, Future())
        with self._list:
            self._waiting.append(mine)
        with self._searching:
            if not mine.found.done():
                with self._list:
                    batch, self._waiting = self._waiting, []
                self._search(batch)
        return mine.found.result()

    def _search(self, batch: list[_Search]) -> None:
        for k in {each.k for each in batch}:
            same = [each for each in batch if each.k == k]
            try:
                found = self._nearest(np.concatenate([each.queries for each in same]), k)
            except BaseException as error:  # noqa: BLE001 (raised in every thread that waits for it)
                for each in same:
                    each.found.set_exception(error)
                continue
            first = 0
            for each in same:
                rows = slice(first, first := first + len(each.queries))
                each.found.set_result(Neighbours(found.media_ids[rows], found.times_s[rows], found.similarities[rows]))


class _HeldLibrary(Library):
    """A library whose searches are shared by threads."""

    def __init__(self, folder: Path, config: LibraryConfig) -> None:
        super().__init__(folder, config)
        self.load()
        self._shared = SharedSearch(super().nearest)

    def nearest(self, queries: NDArray[np.float32], k: int) -> Neighbours:
        return self._shared.nearest(queries, k)


class ResidentLibrary:
    """A library that stays open, for any number of threads; use it in a `with` statement.

    When a writer has changed it, it is opened again before the next query. Files are read by `workers` processes, each
    given up after `timeout_s` or where it takes more memory than the settings allow.
    """

    def __init__(
        self, folder: Path, config: Config, workers: int | None = None, timeout_s: float | None = None
    ) -> None:
        """Raises a `LibraryError` when the library cannot be used, `LibraryMismatch` for another model's."""
        self.folder = folder
        self.config = config
        self.workers = worker_count(workers, 1_000)
        self.openings = 0
        """How many times it was opened."""
        self._timeout_s = timeout_s or config.media.timeout_s
        self._model = Model.of(config)
        self._opening = threading.Lock()
        self._starting = threading.Lock()
        self._pool: Workers | None = None
        self._closed = False
        self._rest_until_s = 0.0
        self._library, self._state = self._open()

    def __enter__(self) -> Self:
        self._workers()
        return self

    def __exit__(self, *_: object) -> None:
        with self._starting:
            self._closed = True
            if self._pool:
                self._pool.__exit__()

    def current(self) -> Library:
        """The library as it is now; raises a `LibraryError` when it cannot be opened again."""
        with self._opening:
            if _state_of(self.folder) != self._state and time.monotonic() >= self._rest_until_s:
                self._library, self._state = self._open()
            return self._library

    def refresh(self) -> None:
        """The next query sees all that has been committed by now, however short the last opening was ago."""
        with self._opening:
            self._rest_until_s = 0.0

    def query(
        self,
        item: MediaPath,
        config: Config | None = None,
        watched: Path | None = None,
        page: Path | None = None,
        titles: Mapping[str, str] | None = None,
    ) -> Answered:
        """Which stretches of one file were copied from references? Its name in the answer is `item.given`.

        `config` may differ from the library's in what is reported and verified; for `watched` see `extract`. With
        `page` an HTML page that shows why is written, which calls references by their `titles`; that it cannot be is a
        `Problem` of the report, the only one there can be. Raises `InputError` when the file cannot be read, a
        `SetupError` when the library or the processes fail.
        """
        config = config or self.config
        library = self.current()
        _, arguments = query_task(item, config)
        read = self.run(extract, item.given, *arguments, watched)
        segments = answer(item.path, read.views, library, self._model, config, self._workers())
        report = make_report(segments, [], 1, config, library_facts(library, self._model))
        if album := make_album(page, config, self._model):
            album.add(self._workers(), segments, item.path, read.views, library)
            report = album.write(report, titles)
        return Answered(report, read.views[0].info)

    def run(self, function: Callable[..., R], name: str, *arguments: Any) -> R:
        """`function` in a worker process; raises `InputError` as it does, or when it dies or takes too long."""
        for _, result in self._workers().map(function, [(name, arguments)]):
            if isinstance(result, InputError):
                raise result
            return result
        raise AssertionError("one task gives one result")

    def _open(self) -> tuple[Library, tuple[object, ...]]:
        state = _state_of(self.folder)  # before: what changes meanwhile is seen the next time
        begin_s = time.monotonic()
        library = _HeldLibrary(self.folder, self.config.library)
        self._model.require(library.model, library.folder)
        end_s = time.monotonic()
        self._rest_until_s = end_s + REST * (end_s - begin_s)
        self.openings += 1
        return library, state

    def _workers(self) -> Workers:
        """The processes, started anew when they were ended from outside."""
        with self._starting:
            if self._closed:
                raise SetupError(f"{self.folder}: the library has been closed")
            if self._pool is None or not self._pool.alive:
                self._pool = Workers(self.workers, self._timeout_s, self.config.media.memory_mb).__enter__()
            return self._pool


def _state_of(folder: Path) -> tuple[object, ...]:
    """Changes whenever a writer commits or saves the index; an empty log of SQLite is as good as none."""
    found: list[object] = []
    for path in [*sorted(folder.glob("catalog.sqlite*")), *sorted(folder.glob("index/*"))]:
        if path.name.endswith("-shm"):
            continue
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        if stat.st_size:
            found.append((path.name, stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)
