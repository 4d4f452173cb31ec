"""One writer, many readers, in processes and threads of their own."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.made_library import CONFIG, EXACT, add, assert_holds, assert_same, film, films, make_library, open_writer
from vcd.errors import LibraryError, LibraryLocked
from vcd.library import Library, LibraryWriter, check_library
from vcd.library import catalog as catalog_module
from vcd.library.lock import LOCK

HERE = Path(__file__).parent.parent
HOLD = """
import sys, time
from pathlib import Path
from tests.made_library import open_writer
writer = open_writer(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the library open for writing."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_writer_is_told_who_is_writing_until_that_process_dies(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(3))
    with holder(tmp_path) as process:
        with pytest.raises(LibraryLocked, match=rf"another process \({process.pid}\) is writing"):
            LibraryWriter(tmp_path, CONFIG)
        with pytest.raises(LibraryLocked, match=str(process.pid)):
            open_writer(tmp_path)
        assert_holds(tmp_path, made)
        assert check_library(tmp_path, CONFIG) == []
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert_holds(tmp_path, made)
        with LibraryWriter(tmp_path, CONFIG) as writer:
            add(writer, film("new.mp4", 20))
    assert check_library(tmp_path, CONFIG) == []


def test_a_second_writer_of_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with open_writer(tmp_path), pytest.raises(LibraryLocked, match=str(os.getpid())):
        open_writer(tmp_path)
    open_writer(tmp_path).close()


def test_a_writer_that_cannot_open_the_library_lets_go_of_it(tmp_path: Path) -> None:
    make_library(tmp_path, films(1))
    whole = (tmp_path / "catalog.sqlite").read_bytes()
    (tmp_path / "catalog.sqlite").write_bytes(b"broken")
    with pytest.raises(LibraryError):
        LibraryWriter(tmp_path, CONFIG)
    (tmp_path / "catalog.sqlite").write_bytes(whole)
    LibraryWriter(tmp_path, CONFIG).close()


def test_a_library_is_made_once_when_two_begin_at_the_same_time(tmp_path: Path) -> None:
    with open_writer(tmp_path / "other"):
        pass
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / LOCK).touch()
    with holder(tmp_path / "lib") as process, pytest.raises(LibraryLocked, match=str(process.pid)):
        open_writer(tmp_path / "lib")
    assert_holds(tmp_path / "lib", {})


def test_a_catalog_that_somebody_keeps_locked_is_busy_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_module, "PATIENCE_S", 0.05)
    made = make_library(tmp_path, films(1))
    with open_writer(tmp_path) as writer:
        other = sqlite3.connect(tmp_path / "catalog.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LibraryLocked, match="another process keeps it locked; try again"):
            add(writer, film("new.mp4", 20))
        assert_holds(tmp_path, made)
        other.execute("ROLLBACK")
        other.close()
        add(writer, film("new.mp4", 20))
    assert_holds(tmp_path, {**made, "new.mp4": film("new.mp4", 20)})


def test_a_reader_that_was_opened_before_a_change_moves_on_or_keeps_answering(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(4))
    early, loaded = Library(tmp_path, CONFIG), Library(tmp_path, CONFIG)
    loaded.load()
    with open_writer(tmp_path) as writer:
        first, second, *_ = writer.media()
        writer.remove([first])
        add(writer, film(second.path, 50), replaces=second)
        writer.update_index()
    query = made["film-00.mp4"].vectors[:1]
    assert loaded.nearest(query, 1).media_ids[0, 0] == first.id
    assert early.nearest(query, 1).media_ids[0, 0] != first.id
    assert [row.path for row in early.media] == ["film-01.mp4", "film-02.mp4", "film-03.mp4"]
    assert loaded.descriptors(first.id) is None
    assert loaded.descriptors(second.id) is None
    for row in early.media:
        assert_same(early.descriptors(row.id), film(row.path, 50) if row.path == second.path else made[row.path])


CHURN = """
import sys, time
from pathlib import Path
from tests.made_library import add, film, open_writer
end = time.monotonic() + float(sys.argv[2])
seed = 1000
with open_writer(Path(sys.argv[1])) as writer:
    while time.monotonic() < end:
        rows = {row.path: row for row in writer.media()}
        for name in ("a.mp4", "b.mp4", "c.mp4"):
            seed += 1
            add(writer, film(name, seed), replaces=rows.get(name))
        if seed % 2:
            writer.remove([row for row in writer.media() if row.path == "b.mp4"])
        if seed % 5 < 3:
            writer.update_index()
        if seed % 7 == 0:
            writer.remove(row for row in writer.media() if not row.path.startswith("film"))
print(seed, flush=True)
"""


def read_once(folder: Path, exact: bool) -> None:
    """A reader's whole life: its own answers must fit together, and what never changes must always be found."""
    library = Library(folder, EXACT if exact else CONFIG)
    library.load()
    lasting = {row.path: row for row in library.media if row.path.startswith("film")}
    assert sorted(lasting) == [one.name for one in films(6)]
    for number, row in enumerate(lasting.values()):
        expected = film(row.path, number)
        assert_same(library.descriptors(row.id), expected)
        found = library.nearest(expected.vectors, 1)
        assert (found.media_ids[:, 0] == row.id).all()
        np.testing.assert_array_equal(found.times_s[:, 0], expected.times_s)
    for row in library.media:
        descriptors = library.descriptors(row.id)
        if descriptors is not None:
            found = library.nearest(descriptors.vectors, 1)
            assert (found.media_ids[:, 0] == row.id).all()
            np.testing.assert_array_equal(found.times_s[:, 0], descriptors.times_s)


@pytest.mark.slow
def test_readers_are_never_wrong_while_a_writer_adds_replaces_and_removes(tmp_path: Path) -> None:
    make_library(tmp_path, films(6))
    failures: list[BaseException] = []
    rounds = [0] * 4
    done = threading.Event()

    def read(number: int) -> None:
        while not done.is_set() and not failures:
            try:
                if number == 3:
                    assert check_library(tmp_path, CONFIG) == []
                else:
                    read_once(tmp_path, exact=number == 2)
            except BaseException as error:  # noqa: BLE001
                failures.append(error)
            rounds[number] += 1

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    command = [sys.executable, "-c", CHURN, str(tmp_path), "4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE) as writer:
        for thread in threads:
            thread.start()
        output, _ = writer.communicate(timeout=60)
        done.set()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    assert writer.returncode == 0
    assert int(output) > 1003
    assert min(rounds) > 0
    assert check_library(tmp_path, CONFIG) == []


def test_threads_may_share_a_reader(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(6))
    library = Library(tmp_path, CONFIG)
    failures: list[BaseException] = []
    end = time.monotonic() + 0.5

    def ask() -> None:
        try:
            while time.monotonic() < end:
                for row in library.media:
                    assert_same(library.descriptors(row.id), made[row.path])
                    assert (library.nearest(made[row.path].vectors, 1).media_ids[:, 0] == row.id).all()
                library.problems()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
