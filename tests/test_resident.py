"""A library held open by a process: shared searches, opened again when it changes, workers that come back."""

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.conftest import MakeFilm
from tests.test_workers import act
from vcd.config import Config, parse_config
from vcd.errors import InputError, LibraryMismatch, SetupError
from vcd.media.files import MediaPath
from vcd.pipeline import index, query
from vcd.resident import ResidentLibrary, SharedSearch
from vcd.types import Neighbours
from vcd.upkeep import remove
from vcd.workers import usable_cores

CONFIG = parse_config({"describe": {"model": "regional-dct"}, "library": {"index": "exact"}}, "test")


@pytest.fixture(scope="module")
def resident(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResidentLibrary]:
    folder = tmp_path_factory.mktemp("library")
    index([films], folder, CONFIG, workers=1)
    with ResidentLibrary(folder, CONFIG, workers=1) as opened:
        yield opened


def item(path: Path) -> MediaPath:
    return MediaPath(path, path.name, path.parent, str(path))


def test_it_answers_as_a_query_does(resident: ResidentLibrary, clip: Path, tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    answer = resident.query(item(clip), watched=watched)

    assert answer.report == query([clip], resident.folder, CONFIG, workers=1)
    assert (answer.media.kind, answer.media.duration_s) == ("video", pytest.approx(6))
    assert 0 <= float(watched.read_text()) <= 1


def test_a_file_that_floods_memory_costs_itself(resident: ResidentLibrary) -> None:
    config = replace(CONFIG, media=replace(CONFIG.media, memory_mb=512))
    with ResidentLibrary(resident.folder, config, workers=1) as opened:
        with pytest.raises(InputError, match="needs more memory than the 512 MB that a file may take"):
            opened.run(act, "a.mp4", "flood")
        assert opened.run(act, "b.mp4", "one") == "one"


def test_threads_share_it(resident: ResidentLibrary, clip: Path, made_film: MakeFilm) -> None:
    paths = [clip, made_film(6, first=500), made_film(4, first=20)] * 2
    found: dict[int, list[str]] = {}
    openings = resident.openings

    def ask(number: int) -> None:
        found[number] = [s.reference for s in resident.query(item(paths[number])).report.segments]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(paths))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [found[number] for number in range(6)] == [["a.mp4"], [], ["sub/b.mkv"]] * 2
    assert resident.openings == openings


def test_what_a_writer_changes_is_seen_by_the_next_query(
    resident: ResidentLibrary, made_film: MakeFilm, tmp_path: Path
) -> None:
    film = shutil.copy(made_film(4, first=90), tmp_path / "new.mp4")
    openings = resident.openings
    assert len(resident.current()) == 3

    index([film], resident.folder, CONFIG, workers=1)
    resident.refresh()
    assert [row.path for row in resident.current().media if row.file == film] == [str(film)]
    remove([str(film)], resident.folder, CONFIG)
    resident.refresh()
    assert len(resident.current()) == 3
    assert resident.openings == openings + 2


def test_a_bad_file_is_an_error_of_that_file(resident: ResidentLibrary, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    with pytest.raises(InputError, match="is not a media file"):
        resident.query(item(tmp_path / "bad.mp4"))


def test_a_worker_that_dies_costs_its_query_only(resident: ResidentLibrary, clip: Path) -> None:
    with pytest.raises(InputError, match="crashed the process that read it"):
        resident.run(os._exit, "poison", 3)
    assert resident.query(item(clip)).report.segments


def test_another_model_is_refused(resident: ResidentLibrary) -> None:
    with pytest.raises(LibraryMismatch, match="the library was made with model regional-dct"):
        ResidentLibrary(resident.folder, Config())


def test_a_closed_one_answers_no_more(resident: ResidentLibrary, clip: Path) -> None:
    with ResidentLibrary(resident.folder, CONFIG, workers=1) as opened:
        assert opened.workers <= max(1, usable_cores())
    with pytest.raises(SetupError, match="has been closed"):
        opened.query(item(clip))


# --- Searching together.


def slow_twin(queries: NDArray[np.float32], k: int) -> Neighbours:
    """Each row's answer tells which row it was and how many were asked for."""
    ids = np.repeat(queries[:, :1].astype(np.int64), k, axis=1)
    return Neighbours(ids, np.full(ids.shape, float(k)), np.tile(queries[:, 1:2], k))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), min_size=1, max_size=8))
def test_everybody_gets_what_a_search_of_their_own_would_find(wishes: list[tuple[int, int]]) -> None:
    calls: list[int] = []
    gate = threading.Event()

    def nearest(queries: NDArray[np.float32], k: int) -> Neighbours:
        calls.append(len(queries))
        gate.wait(5)
        return slow_twin(queries, k)

    shared = SharedSearch(nearest)
    found: dict[int, Neighbours] = {}
    asked = [np.full((rows, 2), number, dtype=np.float32) for number, (rows, _) in enumerate(wishes)]

    def search(number: int) -> None:
        found[number] = shared.nearest(asked[number], wishes[number][1])

    threads = [threading.Thread(target=search, args=(number,)) for number in range(len(wishes))]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()

    assert sum(calls) == sum(rows for rows, _ in wishes)
    for number, (_, k) in enumerate(wishes):
        alone = slow_twin(asked[number], k)
        assert np.array_equal(found[number].media_ids, alone.media_ids)
        assert np.array_equal(found[number].times_s, alone.times_s)


def test_a_search_that_fails_fails_for_everybody_in_it_and_for_nobody_after() -> None:
    faults = [ValueError("once")]

    def nearest(queries: NDArray[np.float32], k: int) -> Neighbours:
        if faults:
            raise faults.pop()
        return slow_twin(queries, k)

    shared = SharedSearch(nearest)
    rows = np.zeros((1, 2), dtype=np.float32)
    with pytest.raises(ValueError, match="once"):
        shared.nearest(rows, 1)
    assert len(shared.nearest(rows, 1).media_ids) == 1
