"""`nearest` answers as comparing with all vectors does, whatever state the index is in."""

import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made_library import (
    CONFIG,
    EXACT,
    add,
    assert_holds,
    assert_nearest,
    film,
    films,
    make_library,
    open_writer,
    unit_rows,
)
from vcd.config import LibraryConfig
from vcd.library import Library, LibraryWriter, check_library, saved_index
from vcd.library.compact import compact
from vcd.library.vectors import kind_for
from vcd.types import Descriptors

Made = dict[str, Descriptors]


def manifest_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "index" / "manifest.json").read_text())
    return found


def volumes_of(folder: Path) -> list[dict[str, Any]]:
    return list(manifest_of(folder)["volumes"])


def index_files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "index").iterdir())


def update(folder: Path) -> None:
    """What every run of `vcd index` ends with."""
    with LibraryWriter(folder, CONFIG) as writer:
        writer.update_index()


def frames_not_in_index(folder: Path) -> int:
    return Library(folder, CONFIG).frames_not_in_index()


def edit_manifest(folder: Path, **values: Any) -> None:
    """Of its only volume, where it is not of the whole."""
    manifest = manifest_of(folder)
    (volume,) = manifest["volumes"]
    for name, value in values.items():
        (volume if name in volume else manifest)[name] = value
    (folder / "index" / "manifest.json").write_text(json.dumps(manifest))


def index_as_it_is(folder: Path, made: Made) -> None:
    assert frames_not_in_index(folder) == 0


def no_index(folder: Path, made: Made) -> None:
    shutil.rmtree(folder / "index")
    assert frames_not_in_index(folder) == sum(map(len, made.values()))


def index_behind(folder: Path, made: Made) -> None:
    with open_writer(folder) as writer:
        for seed in (30, 31):
            made[f"new-{seed}.mp4"] = film(f"new-{seed}.mp4", seed)
            add(writer, made[f"new-{seed}.mp4"])
    assert frames_not_in_index(folder) == 12


def index_with_dead_rows(folder: Path, made: Made) -> None:
    """Two of twelve: the index stays in use."""
    with open_writer(folder) as writer:
        rows = writer.media()
        writer.remove(rows[2:3])
        made["film-05.mp4"] = film("film-05.mp4", 40, frames=9)
        add(writer, made["film-05.mp4"], replaces=rows[5])
    del made["film-02.mp4"]
    assert frames_not_in_index(folder) == 9


def index_mostly_dead(folder: Path, made: Made) -> None:
    """Two of twelve living: the index is not worth asking."""
    with open_writer(folder) as writer:
        writer.remove(writer.media()[2:])
    for name in sorted(made)[2:]:
        del made[name]
    assert frames_not_in_index(folder) == 12


def index_all_dead(folder: Path, made: Made) -> None:
    with open_writer(folder) as writer:
        writer.remove(writer.media())
    made.clear()


def index_of_other_settings(folder: Path, made: Made) -> None:
    with LibraryWriter(folder, replace(CONFIG, links=8, effort_build=16)) as writer:
        writer.update_index()
    assert volumes_of(folder)[0]["settings"] == {"index": "hnsw", "links": 8, "effort_build": 16}
    assert frames_not_in_index(folder) == 0


def index_of_volumes(folder: Path, made: Made) -> None:
    """Two of them, with removed frames in each, and a film that neither holds."""
    with open_writer(folder) as writer:
        for seed, frames in ((50, 5), (51, 1)):
            made[f"new-{seed}.mp4"] = film(f"new-{seed}.mp4", seed, frames)
            add(writer, made[f"new-{seed}.mp4"])
        writer.update_index()
        writer.remove([row for row in writer.media() if row.path in ("film-03.mp4", "new-51.mp4")])
        made["last.mp4"] = film("last.mp4", 52, 2)
        add(writer, made["last.mp4"])
    del made["film-03.mp4"], made["new-51.mp4"]
    assert [sum(part[1] for part in volume["parts"]) for volume in volumes_of(folder)] == [72, 6]
    assert frames_not_in_index(folder) == 2


STATES = [
    index_as_it_is,
    no_index,
    index_behind,
    index_of_volumes,
    index_with_dead_rows,
    index_mostly_dead,
    index_all_dead,
    index_of_other_settings,
]


@pytest.mark.parametrize("state", STATES)
def test_the_answer_is_whole_in_every_state_of_the_index(
    folder: Path, made: Made, state: Callable[[Path, Made], None]
) -> None:
    state(folder, made)
    assert_holds(folder, made)
    assert check_library(folder, CONFIG) == []
    update(folder)
    assert_holds(folder, made)
    assert frames_not_in_index(folder) == 0
    assert check_library(folder, CONFIG) == []


def damaged_index(folder: Path) -> None:
    """A link of the graph leads out of it: FAISS would follow it."""
    path = next((folder / "index").glob("vectors-*"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def truncated_index(folder: Path) -> None:
    path = next((folder / "index").glob("vectors-*"))
    path.write_bytes(path.read_bytes()[:-100])


def missing_index(folder: Path) -> None:
    next((folder / "index").glob("vectors-*")).unlink()


def index_is_a_folder(folder: Path) -> None:
    path = next((folder / "index").glob("vectors-*"))
    path.unlink()
    path.mkdir()


def damaged_rows(folder: Path) -> None:
    path = next((folder / "index").glob("rows-*"))
    content = bytearray(path.read_bytes())
    content[-8] ^= 0x01
    path.write_bytes(content)


def truncated_rows(folder: Path) -> None:
    path = next((folder / "index").glob("rows-*"))
    path.write_bytes(path.read_bytes()[:200])


def missing_rows(folder: Path) -> None:
    next((folder / "index").glob("rows-*")).unlink()


def manifest_is(text: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / "index" / "manifest.json").write_bytes(text)

    return damage


def manifest_with(**values: Any) -> Callable[[Path], None]:
    return lambda folder: edit_manifest(folder, **values)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a flipped byte in the index": damaged_index,
    "a truncated index": truncated_index,
    "a missing index": missing_index,
    "a folder for an index": index_is_a_folder,
    "a flipped byte in the rows": damaged_rows,
    "truncated rows": truncated_rows,
    "missing rows": missing_rows,
    "an empty manifest": manifest_is(b""),
    "a binary manifest": manifest_is(bytes(range(256))),
    "a manifest that is a list": manifest_is(b"[1, 2]"),
    "a manifest that is null": manifest_is(b"null"),
    "a manifest that says nothing": manifest_is(b"{}"),
    "a manifest of another format": manifest_with(format=99),
    "a manifest without parts": manifest_with(parts=[]),
    "a manifest with half parts": manifest_with(parts=[[1, 2]]),
    "a manifest with parts of words": manifest_with(parts=[["a", "b", "c", "d"]]),
    "a manifest with less than no rows": manifest_with(parts=[[1, -6, 9, ""], [2, 78, 9, ""]]),
    "a manifest that names no file": manifest_with(index=None),
    "a manifest that names another file": manifest_with(rows="rows-999999.npy"),
    "a manifest that names a folder": manifest_with(
        index=".", seals={".": [0, "", ""], "rows-000001.npy": [0, "", ""]}
    ),
    "a manifest without settings": manifest_with(settings=3),
    "a manifest with volumes of words": manifest_with(volumes=["a"]),
    "a manifest whose volumes share parts": lambda folder: edit_manifest(
        folder, volumes=2 * manifest_of(folder)["volumes"]
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_index_is_told_not_used_and_made_anew(
    folder: Path, made: Made, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    damage(folder)
    with caplog.at_level(logging.WARNING):
        assert_holds(folder, made)
    (finding,) = check_library(folder, CONFIG)
    for text in (finding, caplog.text):
        assert str(folder / "index") in text
        assert f"delete that folder and run: vcd index PATH --library {folder}" in text

    shutil.rmtree(folder / "index")
    update(folder)
    assert check_library(folder, CONFIG) == []
    assert frames_not_in_index(folder) == 0
    assert_holds(folder, made)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_index_is_made_anew_even_where_nobody_deleted_it(
    folder: Path, made: Made, damage: Callable[[Path], None]
) -> None:
    damage(folder)
    update(folder)
    assert check_library(folder, CONFIG) == []
    assert frames_not_in_index(folder) == 0
    assert_holds(folder, made)


def test_no_flipped_bit_of_a_manifest_changes_an_answer(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(4, frames=3))
    path = tmp_path / "index" / "manifest.json"
    whole = path.read_bytes()
    expected = Library(tmp_path, CONFIG).nearest(unit_rows(999, 2), 20)
    random = np.random.default_rng(0)
    for place in random.choice(len(whole), 60, replace=False):
        content = bytearray(whole)
        content[place] ^= 1 << random.integers(8)
        path.write_bytes(content)
        found = Library(tmp_path, CONFIG).nearest(unit_rows(999, 2), 20)
        np.testing.assert_array_equal(found.media_ids, expected.media_ids)
        np.testing.assert_array_equal(found.times_s, expected.times_s)
    path.write_bytes(whole)
    assert_holds(tmp_path, made)


def test_an_index_that_names_a_removed_part_does_not_cover_a_new_one(tmp_path: Path) -> None:
    """Also where ids come again, as they do when somebody puts an old catalog back."""
    made = make_library(tmp_path, films(3))
    shutil.copytree(tmp_path, tmp_path / "copy")
    with open_writer(tmp_path) as writer:
        add(writer, film("old.mp4", 20))
        writer.update_index()
    old = volumes_of(tmp_path)[0]["parts"][-1]
    for name in ("catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
        if (tmp_path / "copy" / name).exists():
            shutil.copy(tmp_path / "copy" / name, tmp_path / name)
    made["new.mp4"] = film("new.mp4", 21)
    with open_writer(tmp_path) as writer:
        row = add(writer, made["new.mp4"])
    assert row.part_id == old[0]
    assert_holds(tmp_path, made)
    update(tmp_path)
    assert_holds(tmp_path, made)
    assert check_library(tmp_path, CONFIG) == []


def test_an_index_is_made_when_nothing_is_new(tmp_path: Path) -> None:
    make_library(tmp_path, films(3))
    shutil.rmtree(tmp_path / "index")
    update(tmp_path)
    assert frames_not_in_index(tmp_path) == 0
    assert index_files(tmp_path) == ["manifest.json", "rows-000001.npy", "vectors-000001.faiss"]


def test_an_index_that_is_up_to_date_is_left_as_it_is(tmp_path: Path) -> None:
    make_library(tmp_path, films(3))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "index").iterdir()}
    update(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "index").iterdir()} == before


def test_an_index_grows_by_what_is_new_and_old_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_library(tmp_path, films(3))
    made["new.mp4"] = film("new.mp4", 21)
    with open_writer(tmp_path) as writer:
        add(writer, made["new.mp4"])
        monkeypatch.setattr("vcd.library.grow.INDEXES", {"hnsw": lambda *_: pytest.fail("built anew")})
        writer.update_index()
    assert index_files(tmp_path) == ["manifest.json", "rows-000002.npy", "vectors-000002.faiss"]
    assert_holds(tmp_path, made)


def test_an_index_of_other_settings_is_built_anew_by_the_next_writer(tmp_path: Path) -> None:
    make_library(tmp_path, films(3))
    with LibraryWriter(tmp_path, replace(CONFIG, links=8)) as writer:
        writer.update_index()
    assert volumes_of(tmp_path)[0]["settings"]["links"] == 8


def test_an_exact_library_needs_no_index(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(3), EXACT)
    assert_holds(tmp_path, made, EXACT)
    assert_holds(tmp_path, made, CONFIG)
    assert check_library(tmp_path, EXACT) == []


def sizes(folder: Path) -> list[int]:
    """Frames of the volumes, those of removed films too, largest first."""
    return sorted((len(volume) for volume in saved_index.read_manifest(folder)), reverse=True)


def test_what_is_new_leaves_a_large_volume_as_it_is_and_takes_in_small_ones(tmp_path: Path) -> None:
    made = make_library(tmp_path, [film("large.mp4", 0, frames=500)])
    large = {path: path.stat().st_mtime_ns for path in (tmp_path / "index").glob("*-000001.*")}
    found = []
    for seed in range(1, 31):
        made[f"{seed}.mp4"] = film(f"{seed}.mp4", seed, frames=2)
        with open_writer(tmp_path) as writer:
            add(writer, made[f"{seed}.mp4"])
            writer.update_index()
        found.append(sizes(tmp_path))
    assert found[0] == [500, 2]
    assert found[7] == [500, 16]
    assert found[8] == [500, 18]
    assert found[9] == [500, 18, 2]
    assert max(map(len, found)) == 3
    assert {path: path.stat().st_mtime_ns for path in large} == large
    assert_holds(tmp_path, made)
    with open_writer(tmp_path) as writer:
        compact(writer)
    assert sizes(tmp_path) == [560]
    assert_holds(tmp_path, made)
    assert check_library(tmp_path, CONFIG) == []


def test_a_volume_that_cannot_be_used_is_made_anew_and_the_others_stay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = make_library(tmp_path, films(12))
    made["new.mp4"] = film("new.mp4", 21)
    with open_writer(tmp_path) as writer:
        add(writer, made["new.mp4"])
        writer.update_index()
    for number, missing in ((2, 6), (1, 72)):
        path = tmp_path / "index" / f"vectors-{number:06d}.faiss"
        path.write_bytes(path.read_bytes()[:-1])
        assert frames_not_in_index(tmp_path) == missing
        assert len(check_library(tmp_path, CONFIG)) == 1
        assert_holds(tmp_path, made)
        update(tmp_path)
        assert frames_not_in_index(tmp_path) == 0
        assert check_library(tmp_path, CONFIG) == []
        assert_holds(tmp_path, made)
    assert "bytes instead of" in caplog.text


def test_a_base_that_is_damaged_in_its_middle_is_made_anew_when_it_is_added_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a large volume reads its two ends only; adding to it reads it whole."""
    monkeypatch.setattr("vcd.library.volume.CHECKED_WHOLE_BYTES", 0)
    monkeypatch.setattr("vcd.library.volume.END_BYTES", 64)
    made = make_library(tmp_path, films(3))
    path = tmp_path / "index" / "rows-000001.npy"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    made["new.mp4"] = film("new.mp4", 21)
    with open_writer(tmp_path) as writer:
        add(writer, made["new.mp4"])
        writer.update_index()
    assert sizes(tmp_path) == [24]
    assert check_library(tmp_path, CONFIG) == []
    assert_holds(tmp_path, made)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_added_and_removed_in_whatever_order_all_is_found_and_volumes_stay_few(
    tmp_path: Path, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    made: Made = {}
    for step in range(25):
        with open_writer(tmp_path) as writer:
            rows = writer.media()
            if rows and chance.random() < 0.3:
                gone = rows[chance.integers(len(rows))]
                writer.remove([gone])
                del made[gone.path]
            for number in range(int(chance.integers(0, 3))):
                one = film(f"{step}-{number}.mp4", 100 * step + number, frames=int(2 ** chance.integers(0, 7)))
                made[one.name] = one
                add(writer, one)
            if chance.random() < 0.8:
                writer.update_index()
        assert check_library(tmp_path, CONFIG) == []
        assert len(sizes(tmp_path)) <= 4
        assert all(larger > 8 * smaller for larger, smaller in pairwise(sizes(tmp_path)))
    assert_holds(tmp_path, made)
    update(tmp_path)
    assert_holds(tmp_path, made)


@pytest.mark.parametrize(
    ("rows", "kind"), [(1, "exact"), (49_999, "exact"), (50_000, "hnsw"), (1_000_000, "hnsw"), (1_000_001, "ivf-sq8")]
)
def test_auto_chooses_by_the_number_of_frames(rows: int, kind: str) -> None:
    assert kind_for(LibraryConfig(), rows) == kind
    assert kind_for(LibraryConfig(index="ivf-pq"), rows) == ("ivf-pq" if rows >= 1000 else "exact")


def test_a_library_that_grows_past_a_limit_changes_its_kind_of_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With limits of 20 and 1,100 frames for 50,000 and 1 million."""
    monkeypatch.setattr("vcd.library.vectors.EXACT_UNDER", 20)
    monkeypatch.setattr("vcd.library.vectors.HNSW_TO", 1100)
    auto = replace(CONFIG, index="auto")
    made = make_library(tmp_path, [film("0.mp4", 0, frames=10)], auto)
    kinds = []
    for seed, frames in ((1, 200), (2, 3), (3, 1500), (4, 30)):
        made[f"{seed}.mp4"] = film(f"{seed}.mp4", seed, frames)
        with open_writer(tmp_path, auto) as writer:
            add(writer, made[f"{seed}.mp4"])
            writer.update_index()
        kinds.append(sorted((volume.kind, len(volume)) for volume in saved_index.read_manifest(tmp_path)))
        assert check_library(tmp_path, auto) == []
        for one in made.values():
            found = Library(tmp_path, auto).nearest(one.vectors[:5], 1)
            np.testing.assert_array_equal(found.times_s[:, 0], one.times_s[:5])
    assert kinds == [
        [("hnsw", 210)],
        [("exact", 3), ("hnsw", 210)],
        [("ivf-sq8", 1713)],
        [("hnsw", 30), ("ivf-sq8", 1713)],
    ]
    assert_holds(tmp_path, made, EXACT)


def test_names_that_are_not_ours_do_not_disturb_saving(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    made = {"a.mp4": film("a.mp4", 1)}
    with open_writer(tmp_path / "lib") as writer:
        (tmp_path / "lib" / "index").mkdir()
        for name in ("vectors-.faiss", "vectors-old.faiss", "rows-x.npy", "vectors"):
            (tmp_path / "lib" / "index" / name).write_text("mine")
        add(writer, made["a.mp4"])
        writer.update_index()
    assert "vectors-old.faiss" in index_files(tmp_path / "lib")
    assert_holds(tmp_path / "lib", made)


@pytest.mark.parametrize("state", [index_as_it_is, no_index, index_behind])
def test_equal_frames_come_by_reference_and_time(tmp_path: Path, state: Callable[[Path, Made], None]) -> None:
    vectors = np.repeat(unit_rows(5, 1), 4, axis=0)
    same = [replace(film(name, seed, frames=4), vectors=vectors) for seed, name in enumerate(("a", "b", "c"))]
    made = make_library(tmp_path, [*same, *films(6)])
    state(tmp_path, made)
    library = Library(tmp_path, CONFIG)
    found = library.nearest(vectors[:1], 12)
    ids = {row.path: row.id for row in library.media}
    expected = [(ids[one.name], time_s) for one in same for time_s in one.times_s.tolist()]
    assert list(zip(found.media_ids[0].tolist(), found.times_s[0].tolist(), strict=True)) == sorted(expected)


def test_even_the_most_unlike_frame_comes_before_nothing(folder: Path, made: Made) -> None:
    index_behind(folder, made)
    for name in ("film-03.mp4", "new-30.mp4"):
        assert_nearest(Library(folder, CONFIG), made, -made[name].vectors, 84)
        assert_nearest(Library(folder, CONFIG), made, -made[name].vectors, 100)


def test_the_index_of_a_larger_library_finds_nearly_all(tmp_path: Path) -> None:
    made = make_library(tmp_path, films(40, frames=40))
    library = Library(tmp_path, CONFIG)
    assert library.frames_not_in_index() == 0
    exact = Library(tmp_path, EXACT)
    queries = np.concatenate([one.vectors[::20] for one in made.values()])
    assert_nearest(exact, made, queries[:2], 50)
    found, wanted = library.nearest(queries, 20), exact.nearest(queries, 20)
    assert (found.similarities >= wanted.similarities[:, -1:] - 1e-4).mean() > 0.97


def test_a_part_that_is_damaged_keeps_no_other_out_of_the_index(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_library(tmp_path, films(3), EXACT)
    (tmp_path / "vectors" / "part-000002.parquet").write_bytes(b"broken")
    with caplog.at_level(logging.WARNING):
        update(tmp_path)
    assert "part-000002.parquet" in caplog.text
    assert "vcd library verify" in caplog.text
    assert [part[0] for part in volumes_of(tmp_path)[0]["parts"]] == [1, 3]
    written = (tmp_path / "index" / "manifest.json").stat().st_mtime_ns
    update(tmp_path)
    assert (tmp_path / "index" / "manifest.json").stat().st_mtime_ns == written


def test_a_reader_takes_the_new_index_when_the_one_it_read_about_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_library(tmp_path, films(3))
    read = saved_index.read_manifest
    calls = []

    def read_then_be_overtaken(folder: Path) -> Any:
        manifest = read(folder)
        calls.append(manifest)
        if len(calls) == 1:
            monkeypatch.setattr(saved_index, "read_manifest", read)
            with open_writer(folder) as writer:
                add(writer, film("new.mp4", 21))
                writer.update_index()
            monkeypatch.setattr(saved_index, "read_manifest", read_then_be_overtaken)
        return manifest

    library = Library(tmp_path, CONFIG)
    monkeypatch.setattr(saved_index, "read_manifest", read_then_be_overtaken)
    assert library.frames_not_in_index() == 0
    assert len(calls) == 3  # the old one, a look whether it is still that, the new one
    assert len(library) == 3
    assert set(library.nearest(unit_rows(1, 3), 30).media_ids.ravel().tolist()) == {1, 2, 3, -1}
