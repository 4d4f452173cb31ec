"""What is added is there and is found, under a name of its own, until it is replaced or removed."""

import logging
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.made_library import (
    CONFIG,
    DIMENSION,
    MODEL,
    ROOT,
    SAMPLING,
    STAT,
    add,
    assert_holds,
    assert_same,
    film,
    films,
    make_library,
    open_writer,
    unit_rows,
)
from vcd.errors import LibraryDamaged, LibraryError, LibraryMismatch, LibraryMissing
from vcd.library import Library, LibraryWriter, check_library
from vcd.library.catalog import Catalog
from vcd.library.parts import FOLDER, part_path
from vcd.library.writer import find_row
from vcd.types import Descriptors, MediaInfo


def vectors_of(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / FOLDER).iterdir())


def test_what_is_added_is_found(tmp_path: Path) -> None:
    made = make_library(tmp_path / "lib", films(5))
    assert_holds(tmp_path / "lib", made)
    assert check_library(tmp_path / "lib", CONFIG) == []


def test_what_is_added_is_there_at_once_without_an_index(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        for number, one in enumerate(films(3), start=1):
            add(writer, one)
            assert_holds(tmp_path, {other.name: other for other in films(number)})


def test_the_row_says_what_was_given(tmp_path: Path) -> None:
    one = film("a/b.mp4", 1)
    with open_writer(tmp_path) as writer:
        row = writer.add(one, Path("/media"), "abc", STAT, None)
    (read,) = Library(tmp_path, CONFIG).media
    assert read == row
    assert (read.path, read.root, read.file) == ("a/b.mp4", "/media", Path("/media/a/b.mp4"))
    assert (read.content_hash, read.size_bytes, read.mtime_ns) == ("abc", STAT.st_size, STAT.st_mtime_ns)
    assert (read.info, read.frames) == (one.info, len(one))


def test_settings_say_what_made_the_library(tmp_path: Path) -> None:
    make_library(tmp_path, films(1))
    library = Library(tmp_path, CONFIG)
    assert (library.model, library.dimension) == (MODEL, DIMENSION)
    assert library.settings == {"format": 1, "model": MODEL, "dimension": DIMENSION, "sampling": SAMPLING}


def test_an_empty_library_finds_nothing(tmp_path: Path) -> None:
    assert_holds(tmp_path, make_library(tmp_path, []))
    assert check_library(tmp_path, CONFIG) == []
    assert Library(tmp_path, CONFIG).nearest(unit_rows(1, 0), 3).media_ids.shape == (0, 3)


def test_a_film_with_one_frame_and_a_film_with_black_frames_are_stored(tmp_path: Path) -> None:
    one, black = film("still.png", 1, frames=1), film("black.mp4", 2)
    black.vectors[2:4] = 0
    assert_holds(tmp_path, make_library(tmp_path, [one, black]))
    assert check_library(tmp_path, CONFIG) == []


def test_a_film_without_frames_is_stored_and_never_found(tmp_path: Path) -> None:
    nothing = Descriptors(
        "nothing.mp4", MediaInfo("video", 0.0, 2, 2, "mp4"), np.zeros(0), unit_rows(1, 0), np.zeros(0, np.float32)
    )
    assert_holds(tmp_path, make_library(tmp_path, [nothing]))
    assert check_library(tmp_path, CONFIG) == []
    with open_writer(tmp_path) as writer:
        add(writer, film("a.mp4", 1))
        writer.update_index()
    assert_holds(tmp_path, {"nothing.mp4": nothing, "a.mp4": film("a.mp4", 1)})
    assert check_library(tmp_path, CONFIG) == []


def test_vectors_of_another_dimension_are_refused(tmp_path: Path) -> None:
    wide = replace(film("a.mp4", 1), vectors=unit_rows(1, 6, DIMENSION + 1))
    with open_writer(tmp_path) as writer, pytest.raises(ValueError, match="17 dimensions"):
        add(writer, wide)
    assert_holds(tmp_path, {})


def test_a_replacement_takes_the_place_of_the_old(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(4))
    new = film("film-02.mp4", 77, frames=9)
    with open_writer(tmp_path) as writer:
        old = find_row(writer.media(), "film-02.mp4")
        row = add(writer, new, replaces=old)
        assert (row.path, row.id > old.id) == ("film-02.mp4", True)
        assert_holds(tmp_path, {**made, "film-02.mp4": new})
        writer.update_index()
    assert_holds(tmp_path, {**made, "film-02.mp4": new})
    assert len(vectors_of(tmp_path)) == 4
    assert check_library(tmp_path, CONFIG) == []


def test_a_replacement_that_is_named_from_elsewhere_stays_where_it_was(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        old = add(writer, film("b/film.mp4", 1), root=Path("/x"))
        new = add(writer, film("film.mp4", 2), replaces=old, root=Path("/x/b"))
        assert (new.path, new.file) == ("b/film.mp4", Path("/x/b/film.mp4"))


def test_what_is_removed_is_gone_with_its_files(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(4))
    with open_writer(tmp_path) as writer:
        writer.remove(row for row in writer.media() if row.path in ("film-01.mp4", "film-03.mp4"))
        left = {name: made[name] for name in ("film-00.mp4", "film-02.mp4")}
        assert_holds(tmp_path, left)
        assert len(vectors_of(tmp_path)) == 2
        writer.update_index()
    assert_holds(tmp_path, left)
    assert check_library(tmp_path, CONFIG) == []


def test_removing_twice_removes_once(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(2))
    with open_writer(tmp_path) as writer:
        rows = writer.media()[:1]
        writer.remove([*rows, *rows])
        writer.remove(rows)
    assert_holds(tmp_path, {"film-01.mp4": made["film-01.mp4"]})
    assert check_library(tmp_path, CONFIG) == []


def test_removing_all_leaves_an_empty_library_that_can_be_filled_again(tmp_path: Path) -> None:
    make_library(tmp_path, films(3))
    with open_writer(tmp_path) as writer:
        writer.remove(writer.media())
        writer.update_index()
    assert_holds(tmp_path, {})
    assert vectors_of(tmp_path) == []
    assert check_library(tmp_path, CONFIG) == []
    assert_holds(tmp_path, make_library(tmp_path, films(3)))


def test_ids_are_never_used_again(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        first = add(writer, film("a.mp4", 1))
        writer.update_index()
        writer.remove([first])
    with open_writer(tmp_path) as writer:
        second = add(writer, film("b.mp4", 2))
    assert second.id > first.id
    assert second.part_id > first.part_id
    assert_holds(tmp_path, {"b.mp4": film("b.mp4", 2)})


def test_a_file_that_was_touched_or_moved_needs_no_new_vectors(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(2))
    before = vectors_of(tmp_path)
    touched: Any = SimpleNamespace(st_mtime_ns=123)
    with open_writer(tmp_path) as writer:
        row = find_row(writer.media(), "film-01.mp4")
        writer.update_file(row, Path("/elsewhere"), touched)
        writer.update_file(row, Path("/elsewhere"), touched)
        moved = find_row(writer.media(), "film-01.mp4")
    assert moved == replace(row, root="/elsewhere", mtime_ns=123)
    assert moved.file == Path("/elsewhere/film-01.mp4")
    assert vectors_of(tmp_path) == before
    assert_holds(tmp_path, made)
    assert check_library(tmp_path, CONFIG) == []


def test_a_row_that_moved_can_be_replaced_and_removed_by_what_was_read_before(tmp_path: Path) -> None:
    make_library(tmp_path, films(2))
    with open_writer(tmp_path) as writer:
        first, second = writer.media()
        for row in (first, second):
            writer.update_file(row, Path("/elsewhere"), STAT)
        add(writer, film("film-00.mp4", 50), replaces=first)
        writer.remove([second])
    assert_holds(tmp_path, {"film-00.mp4": film("film-00.mp4", 50)})


def test_equal_names_from_two_folders_are_set_apart_by_their_folders(tmp_path: Path) -> None:
    roots = [Path("/x/a"), Path("/x/b"), Path("/y/b"), Path("/z/y/b"), Path("/")]
    with open_writer(tmp_path) as writer:
        rows = [add(writer, film("film.mp4", seed), root=root) for seed, root in enumerate(roots)]
    names = ["film.mp4", "b/film.mp4", "y/b/film.mp4", "z/y/b/film.mp4", "/film.mp4"]
    assert [row.path for row in rows] == names
    assert [row.file for row in rows] == [root / "film.mp4" for root in roots]
    assert_holds(tmp_path, {name: film(name, seed) for seed, name in enumerate(names)})
    for row in rows:
        assert find_row(rows, row.path) == find_row(rows, str(row.file)) == row


def test_a_name_that_leads_out_of_its_folder_is_the_file_it_means(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        row = add(writer, film("../films/a.mp4", 1), root=Path("/media/work"))
    assert row.file == Path("/media/films/a.mp4")
    assert find_row([row], "/media/films/a.mp4") == row


def test_a_reference_is_named_by_its_stored_path_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_writer(tmp_path / "lib") as writer:
        other = add(writer, film("renamed.mp4", 1), root=tmp_path)
        named = add(writer, film("a.mp4", 2), root=Path("/x"))
        file = add(writer, film("a.mp4", 3), root=tmp_path)
    rows = [file, other, named]
    assert find_row(rows, "a.mp4") == named
    assert find_row(rows, "./a.mp4") == file
    assert find_row(rows, "sub/../renamed.mp4") == other
    with pytest.raises(LibraryError, match="vcd library list"):
        find_row(rows, "b.mp4")


def test_a_problem_is_remembered_until_the_file_is_added(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        writer.note_problem(ROOT / "b.mp4", "is cut off")
        writer.note_problem(ROOT / "a.mp4", "is empty")
        writer.note_problem(ROOT / "sub" / ".." / "a.mp4", "holds no pictures")
    cut_off = (str(ROOT / "b.mp4"), "is cut off")
    assert Library(tmp_path, CONFIG).problems() == [(str(ROOT / "a.mp4"), "holds no pictures"), cut_off]
    with open_writer(tmp_path) as writer:
        add(writer, film("a.mp4", 1))
    assert Library(tmp_path, CONFIG).problems() == [cut_off]


def test_adding_does_not_take_longer_the_more_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading all rows for each file made a library of 10,000 files take hours."""
    with open_writer(tmp_path) as writer:
        monkeypatch.setattr(Catalog, "snapshot", lambda self: pytest.fail("read all rows"))
        for one in films(3):
            add(writer, one)


@pytest.mark.parametrize("name", ["lib rary", "ünï 🎬", "what?", "50%20#1&x=y", "'quoted\"", "-dash"])
def test_the_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    made = {one.name: one for one in [film("filme/Straße 🎬 #1?.mp4", 1), film("a'b\"c.mp4", 2)]}
    make_library(tmp_path / name, made.values())
    assert_holds(tmp_path / name, made)
    assert check_library(tmp_path / name, CONFIG) == []


def test_the_folder_may_be_given_relative_and_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = make_library(Path("lib"), films(2))
    Path("link").symlink_to("lib")
    for folder in (Path("lib"), Path("link"), Path("lib/../lib")):
        assert_holds(folder, made)
        assert check_library(folder, CONFIG) == []


def test_a_library_can_be_moved(tmp_path: Path) -> None:
    made = make_library(tmp_path / "here", films(2))
    (tmp_path / "here").rename(tmp_path / "there")
    assert_holds(tmp_path / "there", made)


def test_another_model_is_refused(tmp_path: Path) -> None:
    make_library(tmp_path, films(1))
    with pytest.raises(LibraryMismatch, match="made with model made-1, not made-2"):
        open_writer(tmp_path, model="made-2")
    open_writer(tmp_path).close()


def test_other_sampling_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_library(tmp_path, films(1))
    with caplog.at_level(logging.WARNING), open_writer(tmp_path, sampling={"mode": "uniform"}):
        pass
    assert "other sampling settings" in caplog.text


def test_another_format_is_refused(tmp_path: Path) -> None:
    make_library(tmp_path, films(1))
    with sqlite3.connect(tmp_path / "catalog.sqlite") as db:
        db.execute("UPDATE settings SET value = '7' WHERE key = 'format'")
    db.close()
    for use in (
        lambda: Library(tmp_path, CONFIG),
        lambda: open_writer(tmp_path),
        lambda: check_library(tmp_path, CONFIG),
    ):
        with pytest.raises(LibraryMismatch, match="format 7, this vcd reads format 1"):
            use()


@pytest.mark.parametrize("use", [Library, LibraryWriter, check_library])
def test_no_library_is_told(tmp_path: Path, use: Any) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "nothing"):
        with pytest.raises(LibraryMissing, match=f"make one with: vcd index PATH --library {folder}"):
            use(folder, CONFIG)
        assert not folder.exists() or list(folder.iterdir()) == []


@pytest.mark.parametrize("use", [Library, LibraryWriter, check_library, open_writer])
def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path, use: Any) -> None:
    (tmp_path / "lib").write_text("hello")
    with pytest.raises(LibraryError, match="is a file, not the folder of a library"):
        use(tmp_path / "lib", CONFIG)
    with pytest.raises(LibraryError):
        use(tmp_path / "lib" / "sub", CONFIG)
    assert (tmp_path / "lib").read_text() == "hello"


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.mp4").write_text("hello")
    with pytest.raises(LibraryError, match="neither empty nor a library"):
        open_writer(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.mp4"]


def test_a_folder_with_only_a_readme_and_hidden_files_can_become_a_library(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("hello")
    (tmp_path / ".gitignore").write_text("*")
    assert_holds(tmp_path, make_library(tmp_path, films(1)))


def test_files_of_others_beside_the_parts_are_left_alone(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(2))
    kept = [tmp_path / "vectors" / "notes.txt", tmp_path / "index" / "notes.txt"]
    for path in kept:
        path.write_text("hello")
    (tmp_path / "vectors" / "folder").mkdir()
    with open_writer(tmp_path) as writer:
        writer.remove(writer.media()[:1])
        writer.update_index()
    assert all(path.exists() for path in kept)
    assert_holds(tmp_path, {"film-01.mp4": made["film-01.mp4"]})


def test_a_reference_that_is_removed_meanwhile_has_no_descriptors(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(3))
    library = Library(tmp_path, CONFIG)
    library.load()
    with open_writer(tmp_path) as writer:
        writer.remove(writer.media()[:1])
        writer.update_index()
    gone, here, _ = library.media
    assert library.descriptors(gone.id) is None
    assert_same(library.descriptors(here.id), made[here.path])


def test_a_part_that_another_media_wrote_is_no_answer(tmp_path: Path) -> None:
    make_library(tmp_path, films(2))
    library = Library(tmp_path, CONFIG)
    first, second = library.media
    part_path(tmp_path, second.part_id).replace(part_path(tmp_path, first.part_id))
    with pytest.raises(LibraryDamaged, match="vcd library verify"):
        library.descriptors(first.id)


def test_nothing_stays_open(tmp_path: Path) -> None:
    make_library(tmp_path, films(2))
    library = Library(tmp_path, CONFIG)
    library.load()
    library.problems()
    check_library(tmp_path, CONFIG)
    here = str(tmp_path.resolve())
    assert [file for file in open_files() if file.startswith(here)] == []


def open_files() -> list[str]:
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(link.readlink()))
        except FileNotFoundError:
            continue
    return found
