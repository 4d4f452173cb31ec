"""A damaged library says what is damaged and how to mend it, never gives a wrong answer, and is mended by that."""

import errno
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.made_library import CONFIG, add, assert_holds, film, make_library, open_writer, unit_rows
from vcd import upkeep
from vcd.config import Config
from vcd.errors import LibraryDamaged, LibraryError, LibraryMissing
from vcd.library import Library, LibraryWriter, check_library
from vcd.library.catalog import Catalog
from vcd.library.compact import compact
from vcd.library.saved_index import read_manifest
from vcd.library.writer import find_row
from vcd.types import Descriptors

Made = dict[str, Descriptors]
CATALOG = "catalog.sqlite"
PART = "vectors/part-000003.parquet"


def flip(path: Path, place: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


def flip_in_the_middle(path: Path) -> None:
    flip(path, path.stat().st_size // 2)


def flip_in_a_name(path: Path) -> None:
    flip(path, path.read_bytes().index(b"film-03"))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    path.write_bytes(b"something else" * 1000)


def delete(path: Path) -> None:
    path.unlink()


def make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [flip_in_the_middle, truncate, empty, overwrite, delete, make_a_folder]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_part_is_told_and_mended_by_removing_and_adding(
    folder: Path, made: Made, damage: Callable[[Path], None]
) -> None:
    damage(folder / PART)
    (finding,) = check_library(folder, CONFIG)
    assert str(folder / PART) in finding
    assert f"vcd library remove film-02.mp4 --library {folder}" in finding
    assert f"cd /media/films && vcd index film-02.mp4 --library {folder}" in finding

    # The index still has the vectors; the frames of that one film cannot be compared one by one.
    library = Library(folder, CONFIG)
    for row in library.media:
        if row.path == "film-02.mp4":
            with pytest.raises(LibraryDamaged, match=f"vcd library verify --library {folder}"):
                library.descriptors(row.id)
        else:
            assert library.descriptors(row.id) is not None
    shutil.rmtree(folder / "index")
    with pytest.raises(LibraryDamaged, match=f"part-000003.parquet.*vcd library verify --library {folder}"):
        Library(folder, CONFIG).nearest(unit_rows(1, 1), 3)

    if damage is make_a_folder:
        (folder / PART).rmdir()
    with LibraryWriter(folder, CONFIG) as writer:
        writer.remove([find_row(writer.media(), "film-02.mp4")])
        writer.update_index()
        add(writer, made["film-02.mp4"])
        writer.update_index()
    assert check_library(folder, CONFIG) == []
    assert_holds(folder, made)


def test_two_damaged_parts_are_mended_one_after_the_other(folder: Path, made: Made) -> None:
    (folder / "vectors" / "part-000003.parquet").unlink()
    flip(folder / "vectors" / "part-000005.parquet", 100)
    shutil.rmtree(folder / "index")
    assert len(check_library(folder, CONFIG)) == 2
    for name in ("film-02.mp4", "film-04.mp4"):
        with LibraryWriter(folder, CONFIG) as writer:
            writer.remove([find_row(writer.media(), name)])
            writer.update_index()
            add(writer, made[name])
            writer.update_index()
    assert check_library(folder, CONFIG) == []
    assert_holds(folder, made)


def test_a_part_in_the_place_of_another_is_told(folder: Path) -> None:
    shutil.copy(folder / "vectors" / "part-000001.parquet", folder / PART)
    (finding,) = check_library(folder, CONFIG)
    assert PART in finding


def test_no_flipped_bit_of_a_part_changes_an_answer(folder: Path, made: Made) -> None:
    whole = (folder / PART).read_bytes()
    random = np.random.default_rng(0)
    for place in random.choice(len(whole), 40, replace=False):
        content = bytearray(whole)
        content[place] ^= 1 << random.integers(8)
        (folder / PART).write_bytes(content)
        assert len(check_library(folder, CONFIG)) == 1
        library = Library(folder, CONFIG)
        with pytest.raises(LibraryDamaged):
            library.descriptors(find_row(library.media, "film-02.mp4").id)


@pytest.mark.parametrize("damage", [flip_in_a_name, truncate, empty, overwrite, delete])
def test_a_damaged_catalog_is_told_and_mended_by_a_copy_or_from_nothing(
    folder: Path, made: Made, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    shutil.copy(folder / CATALOG, tmp_path / "copy")
    damage(folder / CATALOG)
    (finding,) = check_library(folder, CONFIG)
    assert str(folder / CATALOG) in finding
    assert "put back a copy of catalog.sqlite (and delete catalog.sqlite-wal and catalog.sqlite-shm)" in finding
    for use in (lambda: Library(folder, CONFIG), lambda: open_writer(folder)):
        with pytest.raises(LibraryDamaged, match="put back a copy"):
            use()

    for name in (CATALOG, f"{CATALOG}-wal", f"{CATALOG}-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "copy", folder / CATALOG)
    assert_holds(folder, made)
    assert check_library(folder, CONFIG) == []

    assert "or index the media again into another folder (--library)" in finding
    assert_holds(tmp_path / "other", make_library(tmp_path / "other", made.values()))


def test_no_flipped_bit_of_the_catalog_changes_an_answer(folder: Path, made: Made) -> None:
    """It is told, or it lies where nothing is."""
    expected = sorted(Library(folder, CONFIG).media, key=lambda row: row.id)
    whole = (folder / CATALOG).read_bytes()
    used = np.flatnonzero(np.frombuffer(whole, dtype=np.uint8))
    random = np.random.default_rng(0)
    told = 0
    for place in random.choice(used, 250, replace=False):
        content = bytearray(whole)
        content[place] ^= 1 << random.integers(8)
        for name in (f"{CATALOG}-wal", f"{CATALOG}-shm"):
            (folder / name).unlink(missing_ok=True)
        (folder / CATALOG).write_bytes(content)
        try:
            found = sorted(Library(folder, CONFIG).media, key=lambda row: row.id)
        except LibraryError:
            told += 1
            continue
        assert found == expected
    assert told > 50


def test_no_flipped_bit_of_a_row_is_believed(folder: Path) -> None:
    """SQLite itself finds nothing wrong here."""
    with sqlite3.connect(folder / CATALOG) as db:
        db.execute("UPDATE media SET duration_s = duration_s + 1 WHERE path = 'film-03.mp4'")
    db.close()
    (finding,) = check_library(folder, CONFIG)
    assert "its rows are not those that were written" in finding
    with pytest.raises(LibraryDamaged, match="put back a copy"):
        Library(folder, CONFIG)


def test_a_lost_row_is_told(folder: Path) -> None:
    with sqlite3.connect(folder / CATALOG) as db:
        db.execute("DELETE FROM media WHERE path = 'film-03.mp4'")
    db.close()
    assert len(check_library(folder, CONFIG)) == 1
    with pytest.raises(LibraryDamaged):
        LibraryWriter(folder, CONFIG)


def test_a_library_without_its_catalog_is_damaged_not_missing(folder: Path) -> None:
    (folder / CATALOG).unlink()
    for use in (lambda: Library(folder, CONFIG), lambda: LibraryWriter(folder, CONFIG), lambda: open_writer(folder)):
        with pytest.raises(LibraryDamaged, match=r"catalog.sqlite: is missing; put back a copy"):
            use()


NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fail(*_: object, **__: object) -> None:
    raise NO_SPACE


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.name.startswith(CATALOG)}


@pytest.mark.parametrize("place", ["vcd.library.parts.pq.write_table", "vcd.library.disk.os.fsync"])
def test_a_full_disk_while_writing_a_part_stores_nothing(
    folder: Path, made: Made, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_of(folder)
    with LibraryWriter(folder, CONFIG) as writer:
        with monkeypatch.context() as patched:
            patched.setattr(place, fail)
            with pytest.raises(LibraryError, match=r"vectors of new.mp4 cannot be written \(No space left on device\)"):
                add(writer, film("new.mp4", 20))
        assert files_of(folder) == before
        assert_holds(folder, made)
        add(writer, film("new.mp4", 20))
    assert_holds(folder, {**made, "new.mp4": film("new.mp4", 20)})


@pytest.mark.parametrize("place", ["faiss.write_index", "vcd.library.volume.np.save", "vcd.library.disk.os.fsync"])
def test_a_full_disk_while_writing_the_index_leaves_the_old_one(
    folder: Path, made: Made, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made["new.mp4"] = film("new.mp4", 20)
    with LibraryWriter(folder, CONFIG) as writer:
        add(writer, made["new.mp4"])
        with monkeypatch.context() as patched:
            patched.setattr(place, fail)
            with pytest.raises(LibraryError, match=r"the index cannot be written \(No space left on device\)"):
                writer.update_index()
        assert_holds(folder, made)
        assert check_library(folder, CONFIG) == []
        writer.update_index()
    assert Library(folder, CONFIG).frames_not_in_index() == 0
    assert len(list((folder / "index").iterdir())) == 1 + 2 * len(read_manifest(folder))


def limit_file_size(size_bytes: int) -> None:
    """Writing further fails as it does on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


@contextmanager
def limited(size_bytes: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit_file_size(size_bytes)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size_bytes", [0, 100, 1000, 5000, 20000, 60000])
def test_a_disk_that_is_full_anywhere_leaves_a_sound_library(tmp_path: Path, size_bytes: int) -> None:
    """Every file may grow so far and no further: the lock, the catalog, its WAL, a part, the index, the manifest."""
    stored: Made = {}

    def fill() -> None:
        with limited(size_bytes), open_writer(tmp_path) as writer:
            for seed in range(12):
                one = film(f"film-{seed:02d}.mp4", seed, frames=40)
                add(writer, one)
                stored[one.name] = one
                writer.update_index()

    with pytest.raises(LibraryError, match=r"cannot be written|cannot be read or written|no library can") as told:
        fill()
    assert told.type is LibraryError
    try:
        assert check_library(tmp_path, CONFIG) == []
    except LibraryMissing:
        assert stored == {}
    with open_writer(tmp_path) as writer:
        assert_holds(tmp_path, stored)
        writer.update_index()
    assert_holds(tmp_path, stored)
    assert check_library(tmp_path, CONFIG) == []
    assert list(tmp_path.rglob("*.new*")) == []


def compact_it(folder: Path, other: Path) -> None:
    with open_writer(folder) as writer:
        compact(writer)


def merge_it(folder: Path, other: Path) -> None:
    upkeep.merge_libraries([other], folder, Config(library=CONFIG))


def export_it(folder: Path, other: Path) -> None:
    upkeep.export_descriptors(folder, folder.parent / "all.parquet", Config(library=CONFIG))


@pytest.mark.parametrize("size_bytes", [0, 100, 4000])
@pytest.mark.parametrize("operation", [compact_it, merge_it, export_it])
def test_a_full_disk_stops_an_operation_and_loses_nothing(
    folder: Path, made: Made, operation: Callable[[Path, Path], None], size_bytes: int, tmp_path: Path
) -> None:
    new = film("new.mp4", 50, frames=60)
    make_library(tmp_path / "other", [new])
    for name in ("lib", "other"):
        with sqlite3.connect(tmp_path / name / CATALOG) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
    with limited(size_bytes), pytest.raises(LibraryError, match=r"cannot be|disk is full"):
        operation(folder, tmp_path / "other")
    with open_writer(folder) as writer:
        writer.update_index()
    assert_holds(folder, made)
    assert check_library(folder, CONFIG) == []
    assert not (tmp_path / "all.parquet").exists()

    operation(folder, tmp_path / "other")
    assert_holds(folder, {**made, "new.mp4": new} if operation is merge_it else made)
    assert check_library(folder, CONFIG) == []
    assert list(tmp_path.rglob("*.new*")) == []


class FailingCommit(sqlite3.Connection):
    """A connection whose COMMIT finds the disk full and leaves the transaction open."""

    broken = False

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        if self.broken and arguments[0] == "COMMIT":
            self.broken = False
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return super().execute(*arguments)


def test_a_commit_that_fails_changes_nothing_and_the_next_one_works(
    folder: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect: Any = sqlite3.connect
    monkeypatch.setattr("vcd.library.catalog.sqlite3.connect", lambda *a, **k: connect(*a, **k, factory=FailingCommit))
    with LibraryWriter(folder, CONFIG) as writer:
        writer.catalog._db.broken = True  # type: ignore[attr-defined]
        with pytest.raises(LibraryError, match="the disk is full; make room and run the same command again"):
            add(writer, film("new.mp4", 20))
        assert_holds(folder, made)
        add(writer, film("new.mp4", 20))
    made["new.mp4"] = film("new.mp4", 20)
    assert_holds(folder, made)
    assert check_library(folder, CONFIG) == []


def test_a_change_that_raises_is_undone(folder: Path, made: Made) -> None:
    with Catalog(folder, writable=True) as catalog:
        with pytest.raises(KeyboardInterrupt), catalog.change() as change:  # noqa: PT012
            change.remove_media(1)
            change.remove_unused_parts()
            raise KeyboardInterrupt
        with catalog.change() as change:
            change.note_problem("a", "b", "now")
    assert_holds(folder, made)


NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Permissions do not hold root back."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike `tmp_path`."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def protect(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    folder.chmod(0o555)


def unprotect(folder: Path) -> None:
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.parametrize("read_before", [False, True])
def test_a_library_that_cannot_be_written_can_be_read(
    twelve: tuple[Path, Made], open_folder: Path, read_before: bool
) -> None:
    """Also with the files beside the catalog that a reader leaves where it may write."""
    folder = Path(shutil.copytree(twelve[0], open_folder / "lib"))
    for path in folder.glob(f"{CATALOG}-*"):
        path.unlink()
    if read_before:
        Library(folder, CONFIG)
        assert (folder / f"{CATALOG}-wal").exists()
    protect(folder)
    with as_nobody():
        assert_holds(folder, twelve[1])
        assert check_library(folder, CONFIG) == []
        with pytest.raises(LibraryError, match=r"the library cannot be written: Permission denied"):
            LibraryWriter(folder, CONFIG)
    unprotect(folder)


def test_a_library_whose_writer_died_says_why_it_cannot_be_read_without_writing(
    twelve: tuple[Path, Made], open_folder: Path
) -> None:
    """What the writer committed last lies in the WAL, which SQLite reads only with a file to share beside it."""
    folder = Path(shutil.copytree(twelve[0], open_folder / "lib"))
    with open_writer(folder) as writer:
        add(writer, film("new.mp4", 20))
        copy = Path(shutil.copytree(folder, open_folder / "copy"))
    assert (copy / f"{CATALOG}-wal").stat().st_size > 0
    (copy / f"{CATALOG}-shm").unlink()
    protect(copy)
    with as_nobody(), pytest.raises(LibraryError, match="the permissions of its folder") as told:
        Library(copy, CONFIG)
    assert told.type is LibraryError
    unprotect(copy)
    assert_holds(copy, {**twelve[1], "new.mp4": film("new.mp4", 20)})


def test_a_folder_that_cannot_be_entered_or_made_is_told(open_folder: Path) -> None:
    (open_folder / "closed").mkdir(mode=0o700 if os.geteuid() == 0 else 0)
    with as_nobody():
        for use in (Library, LibraryWriter, check_library):
            with pytest.raises(LibraryError, match="Permission denied"):
                use(open_folder / "closed" / "lib", CONFIG)
        with pytest.raises(LibraryError, match="Permission denied"):
            open_writer(open_folder / "closed" / "lib")
        if os.geteuid() == NOBODY:
            with pytest.raises(LibraryError, match="no library can be made here: Permission denied"):
                open_writer(open_folder / "lib")
    (open_folder / "closed").chmod(0o755)


def test_a_catalog_that_cannot_be_read_is_told_as_that(twelve: tuple[Path, Made], open_folder: Path) -> None:
    folder = Path(shutil.copytree(twelve[0], open_folder / "lib"))
    (folder / CATALOG).chmod(0o000)
    folder.chmod(0o755)
    with as_nobody(), pytest.raises(LibraryError, match="check the disk and the permissions") as told:
        Library(folder, CONFIG)
    assert not isinstance(told.value, LibraryDamaged)


@pytest.mark.slow
def test_the_commands_that_verify_names_mend_the_library(tmp_path: Path) -> None:
    """As a user does it: with the program, in a shell, on real files."""
    random = np.random.default_rng(0)
    films = tmp_path / "my films 🎬"
    (films / "it's").mkdir(parents=True)
    for name in ("a.png", "it's/b.png"):
        Image.fromarray(random.integers(0, 255, (64, 64, 3), dtype=np.uint8)).resize((256, 256)).save(films / name)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def shell(command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-c", command], cwd=films, env=environment, capture_output=True, text=True, check=False
        )

    assert shell("vcd index . --library ../lib").returncode == 0
    expected = shell("vcd library list --library ../lib --format json").stdout
    (tmp_path / "lib" / "vectors" / "part-000002.parquet").unlink()
    verify = shell("vcd library verify --library ../lib")
    assert verify.returncode == 1
    (finding,) = verify.stdout.splitlines()
    mend = shell(finding.split("mend it with: ")[1])
    assert mend.returncode == 0, mend.stderr
    assert shell("vcd library verify --library ../lib").returncode == 0
    strip = [line for line in expected.splitlines() if "added_at" not in line]
    now = shell("vcd library list --library ../lib --format json").stdout
    assert [line for line in now.splitlines() if "added_at" not in line] == strip
