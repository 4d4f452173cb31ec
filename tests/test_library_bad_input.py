"""Libraries in odd places, on odd disks, opened by other machines: they work, or one clear sentence says why not."""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from tests.made_library import CONFIG, add, assert_holds, film, films, make_library, open_writer, unit_rows
from vcd.errors import LibraryError
from vcd.library import Library, LibraryWriter, check_library
from vcd.library.catalog import Catalog
from vcd.library.saved_index import FORMAT, read_manifest, save_index
from vcd.library.vectors import INDEXES
from vcd.library.volume import Seal


@pytest.fixture
def plainest_cpu() -> Iterator[None]:
    """FAISS computes as on a processor without wide registers."""
    before = faiss.SIMDConfig.get_level()
    faiss.SIMDConfig.set_level(faiss.SIMDLevel_NONE)
    yield
    faiss.SIMDConfig.set_level(before)


@pytest.mark.parametrize("kind", INDEXES)
def test_another_processor_finds_the_same(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    config = replace(CONFIG, index=kind)
    make_library(tmp_path, films(30, frames=40), config)
    assert [volume.kind for volume in read_manifest(tmp_path)] == [kind]
    queries = unit_rows(7, 20)
    before = Library(tmp_path, config).nearest(queries, 10)
    request.getfixturevalue("plainest_cpu")
    assert check_library(tmp_path, config) == []
    after = Library(tmp_path, config).nearest(queries, 10)
    np.testing.assert_allclose(after.similarities, before.similarities, atol=1e-4)
    assert (after.media_ids == before.media_ids).mean() > 0.99


def test_an_index_that_another_package_version_wrote_is_told_and_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As it was written, and of a kind that this FAISS does not know."""
    made = make_library(tmp_path, films(4))
    (volume,) = read_manifest(tmp_path)
    path = tmp_path / "index" / volume.index
    path.write_bytes(b"IxZZ" + path.read_bytes()[4:])
    save_index(tmp_path, [replace(volume, seals=volume.seals | {volume.index: Seal.of(path)})], None)
    assert_holds(tmp_path, made)
    (finding,) = check_library(tmp_path, CONFIG)
    for text in (finding, caplog.text):
        assert "the index cannot be used" in text
        assert "to mend it" in text
    with LibraryWriter(tmp_path, CONFIG) as writer:
        writer.update_index()
    assert check_library(tmp_path, CONFIG) == []
    assert_holds(tmp_path, made)


def test_the_index_of_an_older_vcd_is_told_and_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = make_library(tmp_path, films(4))
    manifest = tmp_path / "index" / "manifest.json"
    manifest.write_text(manifest.read_text().replace(f'"format": {FORMAT}', f'"format": {FORMAT - 1}'))
    assert_holds(tmp_path, made)
    assert f"it is of format {FORMAT - 1}" in caplog.text
    with LibraryWriter(tmp_path, CONFIG) as writer:
        writer.update_index()
    assert check_library(tmp_path, CONFIG) == []


def test_the_folder_and_the_names_in_it_may_be_long(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 150) / ("b" * 150)
    made = {one.name: one for one in [film("c" * 200 + "/" + "d" * 200 + ".mp4", 1), film("e.mp4", 2)]}
    assert len(str(folder)) > 300
    make_library(folder, made.values())
    assert_holds(folder, made)
    assert check_library(folder, CONFIG) == []


@pytest.mark.parametrize("use", [Library, LibraryWriter, check_library, open_writer])
def test_a_folder_that_is_a_loop_of_links_or_has_too_long_a_name_is_told(tmp_path: Path, use: Any) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for folder in (tmp_path / "loop", tmp_path / "loop" / "sub", tmp_path / ("x" * 300)):
        with pytest.raises(LibraryError, match=f"^{folder}: ") as told:
            use(folder, CONFIG)
        assert "\n" not in str(told.value)
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]


def test_a_disk_without_locks_is_told_and_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_library(tmp_path, films(3))

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", no_locks)
        for use in (lambda: LibraryWriter(tmp_path, CONFIG), lambda: open_writer(tmp_path)):
            with pytest.raises(LibraryError, match=r"the disk cannot lock files .*local disk"):
                use()
        assert_holds(tmp_path, made)
        assert check_library(tmp_path, CONFIG) == []
    with open_writer(tmp_path) as writer:
        made["new.mp4"] = film("new.mp4", 20)
        add(writer, made["new.mp4"])
    assert_holds(tmp_path, made)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_IOERR_LOCK])
def test_a_disk_whose_locks_do_not_work_is_not_called_damaged(tmp_path: Path, code: int) -> None:
    make_library(tmp_path, films(1))

    class Broken(sqlite3.Connection):
        def execute(self, *_: Any) -> sqlite3.Cursor:
            error = sqlite3.OperationalError("locking protocol")
            error.sqlite_errorcode = code
            raise error

    with Catalog(tmp_path) as catalog:
        whole, catalog._db = catalog._db, sqlite3.connect(":memory:", factory=Broken)
        whole.close()
        with pytest.raises(LibraryError, match=r"cannot be read or written \(locking protocol\)") as told:
            catalog.snapshot()
    assert told.type is LibraryError
