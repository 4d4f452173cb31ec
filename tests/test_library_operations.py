"""Compact, merge, export, import: the same references and the same answers, in fewer or other files."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Call
from tests.made_library import (
    CONFIG,
    EXACT,
    MODEL,
    STAT,
    add,
    assert_holds,
    assert_same,
    film,
    films,
    make_library,
    open_writer,
)
from vcd import upkeep
from vcd.config import Config
from vcd.errors import LibraryDamaged, LibraryError, LibraryMismatch, LibraryMissing
from vcd.library import Library, LibraryWriter, check_library, gather, parts, volume
from vcd.library.compact import Compacted, compact
from vcd.library.merge import Merged
from vcd.library.saved_index import read_manifest
from vcd.types import Descriptors

Made = dict[str, Descriptors]
SETTINGS = Config(library=CONFIG)


def part_files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "vectors").iterdir())


def compacted(folder: Path) -> Compacted:
    with LibraryWriter(folder, CONFIG) as writer:
        return compact(writer)


def assert_sound(folder: Path, made: Made) -> None:
    assert_holds(folder, made)
    assert check_library(folder, CONFIG) == []
    assert Library(folder, CONFIG).frames_not_in_index() == 0


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of at most 20 rows in groups of 4, none of them small enough to be read whole."""
    monkeypatch.setattr(gather, "ROWS_A_PART", 20)
    monkeypatch.setattr("vcd.library.compact.ROWS_A_PART", 20)
    monkeypatch.setattr(parts, "ROWS_A_GROUP", 4)
    monkeypatch.setattr(parts, "READ_WHOLE_BYTES", 0)


# --- Compact.


def test_many_parts_become_one_and_answer_as_before(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(8))

    assert compacted(tmp_path) == Compacted(8, 1, 0)
    assert part_files(tmp_path) == ["part-000009.parquet"]
    assert_sound(tmp_path, made)
    assert compacted(tmp_path) == Compacted(1, 1, 0)
    assert part_files(tmp_path) == ["part-000009.parquet"]


def test_what_is_removed_from_a_compacted_part_is_found_no_more_and_then_gone(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(8))
    compacted(tmp_path)
    secret = made.pop("film-03.mp4").vectors.astype(np.float16).tobytes()
    with open_writer(tmp_path) as writer:
        writer.remove([row for row in writer.media() if row.path == "film-03.mp4"])
        assert_holds(tmp_path, made)  # Before anything else is written.
        writer.update_index()
    assert_sound(tmp_path, made)
    assert any(secret in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    assert compacted(tmp_path) == Compacted(1, 1, 6)
    assert_sound(tmp_path, made)
    rows = {secret[start : start + 32] for start in range(0, len(secret), 32)}
    assert not [path for path in tmp_path.rglob("*") if path.is_file() for row in rows if row in path.read_bytes()]


def test_a_compacted_library_grows_and_shrinks_and_is_compacted_again(tmp_path: Path, small_parts: None) -> None:
    made = make_library(tmp_path, films(10))
    assert compacted(tmp_path) == Compacted(10, 4, 0)
    assert_sound(tmp_path, made)
    with open_writer(tmp_path) as writer:
        media = {row.path: row for row in writer.media()}
        made["new.mp4"] = film("new.mp4", 30, frames=50)
        made["film-02.mp4"] = film("film-02.mp4", 31, frames=3)
        add(writer, made["new.mp4"])
        add(writer, made["film-02.mp4"], replaces=media["film-02.mp4"])
        writer.remove([media["film-09.mp4"]])
        writer.update_index()
    del made["film-09.mp4"]
    assert_sound(tmp_path, made)
    done = compacted(tmp_path)
    assert (done.parts_before, done.rows_dropped) == (5, 6)
    assert done.parts_after < 5
    assert_sound(tmp_path, made)


def test_a_library_without_media_or_index_can_be_compacted(tmp_path: Path) -> None:
    make_library(tmp_path / "empty", [])
    assert compacted(tmp_path / "empty") == Compacted(0, 0, 0)
    made = make_library(tmp_path / "exact", films(3), EXACT)
    with LibraryWriter(tmp_path / "exact", EXACT) as writer:
        assert compact(writer) == Compacted(3, 1, 0)
    assert_holds(tmp_path / "exact", made, EXACT)


@given(lengths=st.lists(st.integers(1, 30), max_size=12))
def test_pieces_are_gathered_in_order_and_within_the_size(lengths: list[int]) -> None:
    pieces = []
    for number, length in enumerate(lengths):
        ids = np.full(length, number)
        content = parts.Part(ids, np.arange(length), np.zeros((length, 2), np.float16), np.ones(length, np.float32))
        pieces.append(gather.Piece(row_of(number, length), content))
    lists = list(gather.gather(pieces))
    assert [piece for some in lists for piece in some] == pieces
    for some in lists:
        assert sum(len(piece.content) for piece in some) <= gather.ROWS_A_PART or len(some) == 1
        rows, joined = gather.join(some, part_id=7, first_media_id=100)
        assert [row.id for row in rows] == list(range(100, 100 + len(some)))
        for row in rows:
            own = joined.of_media(row)
            assert own is not None
            assert (own.media_ids == row.id).all()


def row_of(media_id: int, frames: int) -> gather.MediaRow:
    return gather.MediaRow(
        id=media_id, path=f"{media_id}", root="/", content_hash="", size_bytes=1, mtime_ns=1, kind="video",
        duration_s=1.0, width_px=1, height_px=1, format="", frames=frames, added_at="", part_id=1, first_row=0,
    )  # fmt: skip


def test_a_damaged_part_stops_a_compaction_that_then_changes_nothing(tmp_path: Path) -> None:
    make_library(tmp_path, films(4))
    path = tmp_path / "vectors" / "part-000003.parquet"
    path.write_bytes(path.read_bytes()[:-50])
    before = part_files(tmp_path)
    with pytest.raises(LibraryDamaged, match=r"part-000003.*vcd library verify"):
        compacted(tmp_path)
    open_writer(tmp_path).close()
    assert part_files(tmp_path) == before


def test_a_damaged_part_of_many_media_is_mended_by_what_verify_says(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(4))
    compacted(tmp_path)
    (tmp_path / "vectors" / "part-000005.parquet").unlink()
    (finding,) = check_library(tmp_path, CONFIG)
    assert "vcd library remove film-00.mp4 film-01.mp4 film-02.mp4 film-03.mp4" in finding
    assert "cd /media/films && vcd index film-00.mp4 film-01.mp4 film-02.mp4 film-03.mp4 --library" in finding
    with open_writer(tmp_path) as writer:
        writer.remove(writer.media())
        for one in made.values():
            add(writer, one)
        writer.update_index()
    assert_sound(tmp_path, made)


def test_no_flipped_bit_of_a_part_read_by_rows_changes_an_answer(tmp_path: Path, small_parts: None) -> None:
    made = make_library(tmp_path, films(3))
    compacted(tmp_path)
    path = tmp_path / "vectors" / "part-000004.parquet"
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    told = 0
    for place in random.choice(len(whole), 150, replace=False):
        content = bytearray(whole)
        content[place] ^= 1 << random.integers(8)
        path.write_bytes(content)
        library = Library(tmp_path, CONFIG)
        for row in library.media:
            try:
                found = library.descriptors(row.id)
            except LibraryDamaged:
                told += 1
            else:
                assert_same(found, made[row.path])
        if place % 10 == 0:
            assert len(check_library(tmp_path, CONFIG)) == 1
    assert told > 50


# --- Merge.


def test_two_libraries_become_one(tmp_path: Path) -> None:
    made = make_library(tmp_path / "a", films(3))
    other = make_library(tmp_path / "b", [film("film-01.mp4", 1), film("new.mp4", 20), film("film-02.mp4", 21)])

    merged = upkeep.merge_libraries([tmp_path / "b"], tmp_path / "a", SETTINGS)

    assert merged == Merged(added=2, held=1)
    renamed = replace(other["film-02.mp4"], name="films/film-02.mp4")  # Another film of a name that is taken.
    both = {**made, "new.mp4": other["new.mp4"], renamed.name: renamed}
    assert_sound(tmp_path / "a", both)
    assert_sound(tmp_path / "b", other)
    files = {row.path: row.file for row in Library(tmp_path / "a", CONFIG).media}
    assert files["films/film-02.mp4"] == Path("/media/films/film-02.mp4")
    assert upkeep.merge_libraries([tmp_path / "b", tmp_path / "a"], tmp_path / "a", SETTINGS) == Merged(0, 9 - 1)
    assert_sound(tmp_path / "a", both)


def test_several_libraries_make_a_new_one(tmp_path: Path, small_parts: None) -> None:
    made = make_library(tmp_path / "a", films(9))
    made |= make_library(tmp_path / "b", [film("new.mp4", 20, frames=45)])
    assert upkeep.merge_libraries([tmp_path / "a", tmp_path / "b"], tmp_path / "c", SETTINGS) == Merged(10, 0)
    assert_sound(tmp_path / "c", made)
    assert len(part_files(tmp_path / "c")) == 4


def test_libraries_of_other_models_are_refused_before_anything_is_added(tmp_path: Path) -> None:
    made = make_library(tmp_path / "a", films(1))
    make_library(tmp_path / "b", [film("new.mp4", 20)])
    open_writer(tmp_path / "c", model="other-1").close()
    with pytest.raises(LibraryMismatch, match=rf"{tmp_path / 'c'}: its vectors were made with model other-1"):
        upkeep.merge_libraries([tmp_path / "b", tmp_path / "c"], tmp_path / "a", SETTINGS)
    assert_sound(tmp_path / "a", made)
    with pytest.raises(LibraryMissing):
        upkeep.merge_libraries([tmp_path / "nothing"], tmp_path / "new", SETTINGS)
    assert not (tmp_path / "new").exists()


# --- Export and import.


def test_an_exported_library_comes_back_as_it_was(tmp_path: Path, small_parts: None) -> None:
    made = make_library(tmp_path / "a", [*films(7), film("long.mp4", 20, frames=45)])
    frames = upkeep.export_descriptors(tmp_path / "a", tmp_path / "all.parquet", SETTINGS)
    assert frames == 7 * 6 + 45

    assert upkeep.import_descriptors([tmp_path / "all.parquet"], tmp_path / "b", SETTINGS) == Merged(8, 0)
    assert_sound(tmp_path / "b", made)
    facts = [
        [(row.path, row.root, row.content_hash, row.size_bytes, row.mtime_ns, row.added_at, row.info) for row in rows]
        for rows in (Library(tmp_path / "a", CONFIG).media, Library(tmp_path / "b", CONFIG).media)
    ]
    assert facts[0] == facts[1]
    assert Library(tmp_path / "b", CONFIG).settings == Library(tmp_path / "a", CONFIG).settings
    assert upkeep.import_descriptors([tmp_path / "all.parquet"], tmp_path / "a", SETTINGS) == Merged(0, 8)


def test_an_exported_file_is_what_its_schema_says(tmp_path: Path) -> None:
    made = make_library(tmp_path / "a", films(2))
    upkeep.export_descriptors(tmp_path / "a", tmp_path / "all.parquet", SETTINGS)
    table = pq.read_table(tmp_path / "all.parquet")
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert (metadata["model"], metadata["dimension"], metadata["vcd_export"]) == (MODEL, "16", "1")
    assert json.loads(metadata["sampling"]) == {"mode": "hybrid", "gap_s": 2.0}
    rows = table.to_pylist()
    one = made["film-01.mp4"]
    own = [row for row in rows if row["path"] == "film-01.mp4"]
    assert [row["time_s"] for row in own] == one.times_s.tolist()
    vectors = np.array([np.frombuffer(row["vector"], "<f2") for row in own])
    np.testing.assert_array_equal(vectors, one.vectors.astype(np.float16))
    assert {(row["root"], row["mtime_ns"], row["width_px"]) for row in own} == {("/media/films", STAT.st_mtime_ns, 320)}


def without_a_column(table: pa.Table) -> pa.Table:
    return table.drop_columns(["quality"])


def of_another_type(table: pa.Table) -> pa.Table:
    return table.set_column(0, "path", pa.array(range(len(table))))


def not_of_ours(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata({})


def of_long_vectors(table: pa.Table) -> pa.Table:
    long = [np.ones(16, "<f2").tobytes()] * len(table)
    return table.set_column(table.schema.names.index("vector"), "vector", pa.array(long, pa.binary(32)))


def of_no_numbers(table: pa.Table) -> pa.Table:
    nan = [np.full(16, np.nan, "<f2").tobytes()] * len(table)
    return table.set_column(table.schema.names.index("vector"), "vector", pa.array(nan, pa.binary(32)))


def in_no_order(table: pa.Table) -> pa.Table:
    return table.take(list(range(len(table)))[::-1])


def with_nothing_in_it(table: pa.Table) -> pa.Table:
    return table.set_column(0, "path", pa.nulls(len(table), pa.string()))


FAULTS = [
    without_a_column, of_another_type, not_of_ours, of_long_vectors, of_no_numbers, in_no_order, with_nothing_in_it,
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_is_no_export_is_refused(tmp_path: Path, fault: Callable[[pa.Table], pa.Table]) -> None:
    made = make_library(tmp_path / "a", films(1))
    make_library(tmp_path / "b", films(3)[1:])
    upkeep.export_descriptors(tmp_path / "b", tmp_path / "all.parquet", SETTINGS)
    table = fault(pq.read_table(tmp_path / "all.parquet"))
    pq.write_table(table, tmp_path / "bad.parquet")
    with pytest.raises(LibraryError, match=r"bad.parquet: is no file that vcd library export wrote"):
        upkeep.import_descriptors([tmp_path / "bad.parquet"], tmp_path / "a", SETTINGS)
    assert_holds(tmp_path / "a", made)


def test_a_cut_or_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    make_library(tmp_path / "a", films(1))
    upkeep.export_descriptors(tmp_path / "a", tmp_path / "all.parquet", SETTINGS)
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "all.parquet").read_bytes()[:-100])
    for name, text in (("cut.parquet", "is no file that vcd"), ("none.parquet", "there is no such file")):
        with pytest.raises(LibraryError, match=text):
            upkeep.import_descriptors([tmp_path / name], tmp_path / "a", SETTINGS)
    open_writer(tmp_path / "c", model="other-1").close()
    with pytest.raises(LibraryMismatch, match="made with model other-1, not made-1"):
        upkeep.import_descriptors([tmp_path / "all.parquet"], tmp_path / "c", SETTINGS)
    with pytest.raises(LibraryError, match=r"x\.parquet cannot be written"):
        upkeep.export_descriptors(tmp_path / "a", tmp_path / "nowhere" / "x.parquet", SETTINGS)


# --- Large indexes are mapped.


@pytest.fixture
def all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume, "CHECKED_WHOLE_BYTES", 0)
    monkeypatch.setattr(volume, "END_BYTES", 64)


def mapped_files() -> list[str]:
    return [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/index/" in line]


def test_opening_and_asking_reads_no_part_that_the_index_covers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_library(tmp_path, films(8))
    monkeypatch.setattr("vcd.library.library.read_part", lambda *_: pytest.fail("read a part"))
    monkeypatch.setattr("vcd.library.library.read_media", lambda *_: pytest.fail("read a part"))
    library = Library(tmp_path, CONFIG)
    library.load()
    assert (library.nearest(made["film-03.mp4"].vectors, 1).similarities > 0.99).all()


def test_one_film_of_a_large_part_is_read_alone(tmp_path: Path, small_parts: None) -> None:
    made = make_library(tmp_path, films(3))
    compacted(tmp_path)
    (path,) = (tmp_path / "vectors").iterdir()
    whole = path.read_bytes()
    row = Library(tmp_path, CONFIG).media[0]
    far = whole.index(made["film-02.mp4"].vectors.astype(np.float16)[-1].tobytes())
    path.write_bytes(whole[:far] + bytes([whole[far] ^ 1]) + whole[far + 1 :])
    assert_same(Library(tmp_path, CONFIG).descriptors(row.id), made["film-00.mp4"])


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf-sq8", "ivf-pq"])
def test_a_large_index_is_mapped_and_grows(tmp_path: Path, all_are_large: None, kind: str) -> None:
    config = replace(CONFIG, index=kind)
    exact = make_library(tmp_path, films(30, frames=40), config)
    library = Library(tmp_path, config)
    assert library.frames_not_in_index() == 0
    assert str(tmp_path / "index" / "vectors-000001.faiss") in mapped_files() or kind == "ivf-pq"
    with open_writer(tmp_path, config) as writer:
        exact["new.mp4"] = film("new.mp4", 50, frames=40)
        add(writer, exact["new.mp4"])
        writer.update_index()
    assert check_library(tmp_path, config) == []
    for one in exact.values():
        for opened in (library, Library(tmp_path, config)):
            if one.name != "new.mp4" or opened is not library:
                found = opened.nearest(one.vectors, 1)
                np.testing.assert_allclose(found.similarities[:, 0], 1, atol=0.02)


def test_verify_reads_all_of_a_large_index_where_opening_it_does_not(tmp_path: Path, all_are_large: None) -> None:
    made = make_library(tmp_path, films(8))
    path = tmp_path / "index" / "rows-000001.npy"
    content = bytearray(path.read_bytes())
    for place, opens in ((len(content) // 2, True), (len(content) - 1, False)):
        damaged = bytearray(content)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        (finding,) = check_library(tmp_path, CONFIG)
        assert "checksum" in finding
        assert (Library(tmp_path, CONFIG).frames_not_in_index() == 0) == opens
    path.write_bytes(content[:-1])
    assert Library(tmp_path, CONFIG).frames_not_in_index() == 48
    with LibraryWriter(tmp_path, CONFIG) as writer:
        writer.update_index()
    assert_sound(tmp_path, made)


@pytest.mark.parametrize("kind", ["ivf-sq8", "ivf-pq"])
def test_few_frames_are_searched_exactly_where_an_index_would_know_too_little(tmp_path: Path, kind: str) -> None:
    config = replace(CONFIG, index=kind)
    made = make_library(tmp_path, films(4), config)
    (only,) = read_manifest(tmp_path)
    assert only.kind == "exact"
    assert Library(tmp_path, config).frames_not_in_index() == 0
    assert_holds(tmp_path, made, config)


# --- The commands.


def test_the_commands_say_what_they_did(vcd: Call, library: Path, clip: Path, tmp_path: Path) -> None:
    mine = Path(shutil.copytree(library, tmp_path / "lib"))
    asked = vcd("query", clip, "--library", mine, "--format", "csv").text

    answers = [
        vcd("library", "compact", "--library", mine),
        vcd("library", "export", tmp_path / "all.parquet", "--library", mine),
        vcd("library", "import", tmp_path / "all.parquet", "--library", tmp_path / "new"),
        vcd("library", "merge", mine, "--library", tmp_path / "new"),
    ]

    assert [answer.code for answer in answers] == [0] * 4
    assert [answer.err for answer in answers] == [""] * 4
    assert answers[0].text == f"3 parts are now 1, 0 removed frames gone from {mine}\n"
    assert answers[1].text.endswith(f"frames of {mine} written to {tmp_path / 'all.parquet'}\n")
    assert answers[2].text == f"3 added, 0 already there in {tmp_path / 'new'}\n"
    assert answers[3].text == f"0 added, 3 already there in {tmp_path / 'new'}\n"
    for folder in (mine, tmp_path / "new"):
        assert vcd("library", "verify", "--library", folder).code == 0
        assert vcd("query", clip, "--library", folder, "--format", "csv").text == asked
