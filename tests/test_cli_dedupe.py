"""`vcd dedupe`: what it prints, remembers and exits with, on tiny films and pictures."""

import io
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import Call, MakeFilm, Outcome
from tests.made_images import make_image

COLUMNS = "group,holder,held,relation,share_of_held,share_of_holder,shared_s,score"


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, made_film: MakeFilm, vcd: Call) -> Path:
    """The library of a film, the same bytes again, a part of it, another film, a picture and a smaller copy of it."""
    folder = tmp_path_factory.mktemp("mixed")
    shutil.copy(made_film(12), folder / "film.mp4")
    shutil.copy(made_film(12), folder / "film again.mp4")
    shutil.copy(made_film(5, from_s=4), folder / "part.mp4")
    shutil.copy(made_film(12, first=20), folder / "other.mp4")
    make_image(folder / "picture.png", 40)
    make_image(folder / "picture-small.jpg", 40, size=(200, 112), quality=70)
    library = tmp_path_factory.mktemp("library")
    assert vcd("index", folder, "--library", library).code == 0
    return library


@pytest.fixture(scope="module")
def answer(mixed: Path, program: Call) -> Outcome:
    """The real program, asked for JSON."""
    return program("dedupe", "--library", mixed, "--format", "json", "--clusters", "2")


def test_a_folder_of_mixed_media_gives_the_groups_that_a_person_sees(answer: Outcome) -> None:
    groups = [sorted([group["best"], *(m["path"] for m in group["members"])]) for group in answer.json["groups"]]

    assert (answer.code, answer.err) == (0, "")
    assert groups == [["film again.mp4", "film.mp4", "part.mp4"], ["picture-small.jpg", "picture.png"]]
    assert [group["best"] for group in answer.json["groups"]][1] == "picture.png"


def test_json_says_how_much_is_shared_and_where(answer: Outcome) -> None:
    [pair] = [p for p in answer.json["pairs"] if p["held"] == "part.mp4" and p["holder"] == "film again.mp4"]
    [segment] = pair["segments"]

    assert (pair["relation"], pair["group"]) == ("part", 1)
    assert pair["share_of_held"] == pytest.approx(1, abs=0.1)
    assert pair["share_of_holder"] == pytest.approx(5 / 12, abs=0.08)
    times = [segment[name] for name in ("q_start", "q_end", "r_start", "r_end")]
    assert times == pytest.approx([0, 5, 4, 9], abs=1)
    assert answer.json["stretches"] == answer.json["problems"] == []
    assert sum(map(len, answer.json["clusters"])) == 5


def test_every_format_says_the_same_pairs(mixed: Path, vcd: Call, answer: Outcome, tmp_path: Path) -> None:
    wanted = [(pair["holder"], pair["held"], pair["relation"]) for pair in answer.json["pairs"]]
    csv = vcd("dedupe", "--library", mixed, "--format", "csv")
    jsonl = vcd("dedupe", "--library", mixed, "--format", "jsonl")
    file = tmp_path / "found.parquet"
    assert vcd("dedupe", "--library", mixed, "--output", file).out == b""

    assert csv.text.splitlines()[0] == COLUMNS
    assert [(row["holder"], row["held"], row["relation"]) for row in csv.rows] == wanted
    lines = [json.loads(line) for line in jsonl.text.splitlines()]
    assert [(row["holder"], row["held"], row["relation"]) for row in lines if row["kind_of_row"] == "pair"] == wanted
    assert sum(row["kind_of_row"] == "group" for row in lines) == 2
    table = pq.read_table(io.BytesIO(file.read_bytes()))
    assert [(row["holder"], row["held"], row["relation"]) for row in table.to_pylist()] == wanted
    assert json.loads(table.schema.metadata[b"duplicates"])["groups"] == answer.json["groups"]


def test_the_table_names_the_best_of_each_group(mixed: Path, vcd: Call) -> None:
    lines = vcd("dedupe", "--library", mixed).text.splitlines()

    assert lines[0] == "2 groups of 5 files among 6 files"
    [best] = [line for line in lines if "best: 320 x 180" in line]
    assert best.split()[:2] == ["2", "picture.png"]
    assert any("part.mp4" in line and "% held" in line for line in lines)


def test_what_is_no_duplicate_is_remembered(mixed: Path, vcd: Call, tmp_path: Path) -> None:
    mine = shutil.copytree(mixed, tmp_path / "mine")
    noted = vcd("dedupe", "--library", mine, "--not-duplicate", "picture.png", "picture-small.jpg")
    answer = vcd("dedupe", "--library", mine)

    assert (noted.code, noted.text.count("\n")) == (0, 1)
    assert (mine / "not-duplicates.csv").read_text() == "file,other\npicture-small.jpg,picture.png\n"
    assert answer.text.startswith("1 group of 3 files among 6 files; 1 pair left out as no duplicates\n")
    assert vcd("library", "verify", "--library", mine).code == 0


def test_a_name_that_is_none_is_refused(mixed: Path, vcd: Call) -> None:
    answer = vcd("dedupe", "--library", mixed, "--not-duplicate", "picture.png", "nonsense.png")

    assert (answer.code, answer.out, answer.err.count("\n")) == (1, b"", 1)
    assert "nonsense.png" in answer.err
    assert not (mixed / "not-duplicates.csv").exists()


def test_exit_codes(mixed: Path, library: Path, vcd: Call, tmp_path: Path) -> None:
    assert vcd("dedupe", "--library", mixed, "--exit-code").code == 10
    nothing = vcd("dedupe", "--library", library, "--exit-code")
    assert (nothing.code, nothing.text) == (0, "no duplicates among 3 files\n")
    missing = vcd("dedupe", "--library", tmp_path / "none")
    assert (missing.code, missing.out) == (1, b"")
    assert vcd("dedupe", "--library", mixed, "--min-coverage", "2").code == 2


def test_nothing_of_the_library_changes(mixed: Path, vcd: Call) -> None:
    def content() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(mixed.rglob("*")) if path.is_file()}

    before = content()
    vcd("dedupe", "--library", mixed, "--clusters", "3")
    assert content() == before


def test_a_page_shows_a_picture_of_every_file_of_a_group(mixed: Path, vcd: Call, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    before = {path: path.read_bytes() for path in mixed.rglob("*") if path.is_file()}

    shown = vcd("dedupe", "--library", mixed, "--clusters", "2", "--report", page)

    text = page.read_text()
    groups, clusters = text.split("Files that look alike")
    assert shown.code == 0, shown.err
    assert groups.count("<figure>") == groups.count("data:image/jpeg;base64,/9j/") == 5
    assert clusters.count("<figure>") == 5, "of the same bytes one"
    assert "the same bytes" in groups
    assert "<script" not in text
    assert before == {path: path.read_bytes() for path in mixed.rglob("*") if path.is_file()}
