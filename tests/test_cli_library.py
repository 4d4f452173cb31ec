"""`vcd library`, and libraries that are damaged, locked, or made by another model or format: a clear refusal."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.conftest import Call, MakeFilm
from vcd.config import LibraryConfig
from vcd.library import LibraryWriter


@pytest.fixture
def mine(library: Path, tmp_path: Path) -> Path:
    """The library, to be changed."""
    return Path(shutil.copytree(library, tmp_path / "library"))


# --- Looking at it.


def test_list_names_every_reference_in_each_format(vcd: Call, library: Path) -> None:
    listed = {name: vcd("library", "list", "--library", library, "--format", name) for name in ("table", "json", "csv")}

    assert {answer.code for answer in listed.values()} == {0}
    wanted = ["a.mp4", "still.png", "sub/b.mkv"]
    assert [row["path"] for row in listed["json"].json] == wanted
    assert [row["path"] for row in listed["csv"].rows] == wanted
    assert [line.split()[0] for line in listed["table"].text.splitlines()[1:]] == wanted


def test_info_says_what_is_in_it(vcd: Call, library: Path) -> None:
    info = vcd("library", "info", "--library", library, "--format", "json").json
    text = vcd("library", "info", "--library", library).text

    assert (info["references"], info["problems"], info["format"]) == (3, [], 1)
    chosen = next(row["name"] for row in vcd("models", "list", "--format", "json").json if row["chosen"])
    assert info["model"].startswith(f"{chosen}@")
    assert "references: 3\n" in text
    assert "problems: 0\n" in text


def test_verify_of_a_sound_library_gives_0(vcd: Call, library: Path) -> None:
    answer = vcd("library", "verify", "--library", library)

    assert (answer.code, answer.text, answer.err) == (0, f"{library}: no faults found\n", "")


def test_removed_references_are_found_no_more(vcd: Call, mine: Path, clip: Path) -> None:
    answer = vcd("library", "remove", "a.mp4", "nonsense.mp4", "--library", mine)

    assert (answer.code, answer.text) == (3, f"1 removed from {mine}\n")
    assert answer.err.startswith("problem: nonsense.mp4: ")
    assert [row["path"] for row in vcd("library", "list", "--library", mine, "--format", "csv").rows] == [
        "still.png", "sub/b.mkv",
    ]  # fmt: skip
    assert vcd("query", clip, "--library", mine).text == "no copy found\n"


def test_removing_nothing_gives_1(vcd: Call, mine: Path) -> None:
    answer = vcd("library", "remove", "nonsense.mp4", "--library", mine)

    assert (answer.code, answer.text) == (1, f"0 removed from {mine}\n")


def test_an_empty_library_is_listed_as_empty(vcd: Call, mine: Path) -> None:
    vcd("library", "remove", "a.mp4", "still.png", "sub/b.mkv", "--library", mine)

    listed = [vcd("library", "list", "--library", mine, "--format", name).text for name in ("table", "json", "csv")]
    assert listed == ["empty\n", "[]\n", ""]


# --- Refusals that say what to do.


def damage_catalog(library: Path) -> None:
    (library / "catalog.sqlite").write_bytes(b"This is no database.\n" * 1000)


def set_format(library: Path) -> None:
    with sqlite3.connect(library / "catalog.sqlite") as db:
        db.execute("UPDATE settings SET value = '99' WHERE key = 'format'")
    db.close()


@pytest.mark.parametrize(("change", "text"), [(damage_catalog, "catalog"), (set_format, "the library is of format 99")])
@pytest.mark.parametrize(
    "command",
    [["index", "CLIP"], ["query", "CLIP"], ["library", "list"], ["library", "info"], ["library", "remove", "a"]],
)
def test_a_catalog_that_cannot_be_used_is_refused(
    vcd: Call, mine: Path, clip: Path, change: object, text: str, command: list[str]
) -> None:
    assert callable(change)
    change(mine)
    answer = vcd(*[clip if word == "CLIP" else word for word in command], "--library", mine)

    assert (answer.code, answer.out) == (1, b"")
    assert answer.err.count("\n") == 1
    assert answer.err.startswith(f"vcd: {mine}")
    assert text in answer.err


def damage_vectors(library: Path) -> None:
    for path in (library / "vectors").iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)


def lose_vectors(library: Path) -> None:
    for path in (library / "vectors").iterdir():
        path.unlink()


@pytest.mark.parametrize("damage", [damage_catalog, damage_vectors, lose_vectors])
def test_verify_of_a_damaged_library_gives_1_and_the_findings(vcd: Call, mine: Path, damage: object) -> None:
    assert callable(damage)
    damage(mine)
    answer = vcd("library", "verify", "--library", mine)

    assert (answer.code, answer.err) == (1, "")
    assert answer.text.startswith(str(mine))
    assert "no faults" not in answer.text


@pytest.mark.parametrize("damage", [damage_vectors, lose_vectors])
def test_a_query_of_damaged_vectors_is_refused(vcd: Call, mine: Path, clip: Path, damage: object) -> None:
    assert callable(damage)
    damage(mine)
    answer = vcd("query", clip, "--library", mine)

    assert (answer.code, answer.out) == (1, b"")
    assert answer.err.count("\n") == 1
    assert "vcd library verify" in answer.err


def test_a_library_that_is_being_written_is_locked_for_writers_only(vcd: Call, mine: Path, clip: Path) -> None:
    with LibraryWriter(mine, LibraryConfig()):
        written = [vcd("index", clip, "--library", mine), vcd("library", "remove", "a.mp4", "--library", mine)]
        read = [vcd("library", "list", "--library", mine), vcd("query", clip, "--library", mine)]

    for answer in written:
        assert (answer.code, answer.out) == (1, b"")
        assert answer.err.count("\n") == 1
        assert "is writing to the library; wait until it is done" in answer.err
    assert [answer.code for answer in read] == [0, 0]


def test_a_library_that_cannot_be_seen_as_one_is_refused(vcd: Call, tmp_path: Path, made_film: MakeFilm) -> None:
    answer = vcd("query", made_film(2), "--library", made_film(2))

    assert (answer.code, answer.out) == (1, b"")
    assert answer.err.startswith(f"vcd: {made_film(2)}: ")
    assert answer.err.count("\n") == 1
