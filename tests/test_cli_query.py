"""`vcd query` and `vcd compare`: what they find and how they answer, on tiny films."""

import io
import json
import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import Call, MakeFilm, Outcome
from tests.made import make_video, picture, steady
from tests.made_images import make_image
from vcd.report import COLUMNS

SMALL = (160, 90)
HEADER = ",".join(COLUMNS)


def times(row: dict[str, str]) -> list[float]:
    return [float(row[column]) for column in ("q_start", "q_end", "r_start", "r_end")]


def two_stretches(path: Path) -> Path:
    """Seconds 2 to 8 of a.mp4, then seconds 4 to 10 of b.mkv."""

    def show(t_s: float) -> object:
        first, at_s = (0, t_s + 2) if t_s < 6 else (20, t_s - 2)
        return picture(first + int((at_s + 1e-9) // 2), at_s, SMALL)

    return make_video(path, steady(12, 5), show=show, size=SMALL)


@pytest.fixture(scope="module")
def found(program: Call, clip: Path, library: Path) -> Outcome:
    """The real program asked for one clip, as JSON."""
    return program("query", clip, "--library", library, "--format", "json")


# --- What is found.


def test_a_copy_is_found_to_the_second(found: Outcome, clip: Path) -> None:
    [row] = found.json["segments"]

    assert found.code == 0
    assert (row["query"], row["reference"], row["mirrored"]) == (str(clip), "a.mp4", False)
    assert [row["q_start"], row["q_end"], row["r_start"], row["r_end"]] == pytest.approx([0, 6, 4, 10], abs=0.5)
    assert row["speed"] == pytest.approx(1, abs=0.05)


def test_results_and_nothing_else_are_on_stdout_and_nothing_on_stderr(found: Outcome) -> None:
    assert json.loads(found.out)["problems"] == []
    assert found.err == ""


def test_the_answer_says_what_made_it(found: Outcome, library: Path) -> None:
    made_with = found.json["made_with"]

    assert made_with["library"] == str(library)
    assert made_with["references"] == 3
    assert {"vcd", "config", "model"} <= set(made_with)


@pytest.fixture(scope="module")
def stills(vcd: Call, library: Path, made_film: MakeFilm, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """An image of a film, a film of an image, and an image of an image, asked for at once."""
    folder = tmp_path_factory.mktemp("stills")
    frame = make_image(folder / "frame.png", 3, 7.0, size=SMALL)
    film = shutil.copy(made_film(4, first=40), folder / "film.mp4")
    return vcd("query", frame, film, make_image(folder / "picture.jpg", 40), "--library", library, "--format", "csv")


def row_of(outcome: Outcome, name: str) -> dict[str, str]:
    [row] = [row for row in outcome.rows if Path(row["query"]).name == name]
    return row


def test_an_image_of_a_film_is_found_at_its_moment(stills: Outcome) -> None:
    row = row_of(stills, "frame.png")

    assert row["reference"] == "a.mp4"
    assert times(row) == pytest.approx([0, 0, 7, 7], abs=1.5)
    assert row["q_start"] == row["q_end"] == "0.000"
    assert row["r_start"] == row["r_end"]


def test_a_film_of_an_image_is_found(stills: Outcome) -> None:
    row = row_of(stills, "film.mp4")

    assert row["reference"] == "still.png"
    assert (row["r_start"], row["r_end"]) == ("0.000", "0.000")
    assert 0 <= float(row["q_start"]) <= float(row["q_end"]) <= 2.5


def test_an_image_of_an_image_is_found(stills: Outcome) -> None:
    row = row_of(stills, "picture.jpg")

    assert row["reference"] == "still.png"
    assert times(row) == [0, 0, 0, 0]


# --- Formats and files.


def test_csv_has_the_columns_of_the_contract_and_three_decimals(vcd: Call, clip: Path, library: Path) -> None:
    answer = vcd("query", clip, "--library", library, "--format", "csv", "--exit-code")

    assert answer.code == 10  # a copy was found
    header, line, end = answer.text.split("\n")
    assert (header, end) == (HEADER, "")
    assert line.startswith(f"{clip},a.mp4,0.000,")
    assert line.endswith(",false,")


def test_parquet_and_jsonl_tell_the_same_as_json(vcd: Call, found: Outcome, clip: Path, library: Path) -> None:
    lines = vcd("query", clip, "--library", library, "--format", "jsonl")
    table = vcd("query", clip, "--library", library, "--format", "parquet")

    assert [json.loads(line) for line in lines.text.splitlines()] == found.json["segments"]
    assert pq.read_table(io.BytesIO(table.out)).to_pylist() == found.json["segments"]


def test_a_name_chooses_the_format_of_a_file(vcd: Call, clip: Path, library: Path, tmp_path: Path) -> None:
    answer = vcd("query", clip, "--library", library, "--output", tmp_path / "out.csv")

    assert (answer.code, answer.out, answer.err) == (0, b"", "")
    assert (tmp_path / "out.csv").read_text().startswith(HEADER + "\n")


def test_a_format_that_is_asked_for_wins_over_the_name(vcd: Call, clip: Path, library: Path, tmp_path: Path) -> None:
    answer = vcd("query", clip, "--library", library, "--output", tmp_path / "out.csv", "--format", "json", "--quiet")

    assert (answer.code, answer.out, answer.err) == (0, b"", "")
    assert len(json.loads((tmp_path / "out.csv").read_bytes())["segments"]) == 1


def test_nothing_found_is_an_answer_too(vcd: Call, made_film: MakeFilm, library: Path) -> None:
    answer = vcd("query", made_film(4, first=60), "--library", library, "--exit-code")

    assert (answer.code, answer.text, answer.err) == (0, "no copy found\n", "")


# --- Which rows are shown.


def test_top_keeps_the_best_rows_of_each_query(vcd: Call, library: Path, tmp_path: Path) -> None:
    mixed = two_stretches(tmp_path / "mixed.mp4")
    both = vcd("query", mixed, "--library", library, "--format", "csv").rows
    best = vcd("query", mixed, "--library", library, "--format", "csv", "--top", 1).rows

    assert sorted(row["reference"] for row in both) == ["a.mp4", "sub/b.mkv"]
    assert best == both[:1]


def test_min_score_leaves_out_less_probable_rows(vcd: Call, found: Outcome, clip: Path, library: Path) -> None:
    [row] = found.json["segments"]
    assert row["score"] < 1
    above = vcd("query", clip, "--library", library, "--min-score", row["score"] + 0.0001)

    assert (above.code, above.text) == (0, "no copy found\n")


# --- Where queries come from.


def test_a_folder_stands_for_the_media_in_it(vcd: Call, clip: Path, library: Path, tmp_path: Path) -> None:
    (tmp_path / "clips" / "more").mkdir(parents=True)
    shutil.copy(clip, tmp_path / "clips" / "more" / "clip.MP4")
    (tmp_path / "clips" / "notes.txt").write_text("no film")
    answer = vcd("query", tmp_path / "clips", "--library", library, "--format", "csv")

    assert (answer.code, answer.err) == (0, "")
    assert [Path(row["query"]).name for row in answer.rows] == ["clip.MP4"]


def test_queries_of_two_folders_are_told_apart(vcd: Call, clip: Path, library: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copy(clip, tmp_path / name / "clip.mp4")
    answer = vcd("query", tmp_path / "one", tmp_path / "two", "--library", library, "--format", "csv")

    assert [row["query"] for row in answer.rows] == [f"{tmp_path}/one/clip.mp4", f"{tmp_path}/two/clip.mp4"]


def test_a_list_of_files_may_have_odd_names_and_line_ends(vcd: Call, clip: Path, library: Path, tmp_path: Path) -> None:
    names = ["plain.mp4", "line\u2028separator\x0b.mp4", " spaces .mp4", "电影.mp4"]
    paths = [str(tmp_path / name) for name in names]
    for path in paths:
        shutil.copy(clip, path)
    (tmp_path / "list.txt").write_bytes("\ufeff".encode() + "\r\n\n".join(paths).encode() + b"\r\n")
    answer = vcd("query", "--files-from", tmp_path / "list.txt", "--library", library, "--format", "csv")

    assert (answer.code, answer.err) == (0, "")
    assert sorted(row["query"] for row in answer.rows) == sorted(paths)


def test_a_list_of_files_may_hold_names_that_are_no_utf8(vcd: Call, clip: Path, library: Path, tmp_path: Path) -> None:
    path = os.fsdecode(bytes(tmp_path) + b"/not-utf8-\xff.mp4")
    (tmp_path / "list.txt").write_bytes(os.fsencode(path) + b"\n" + bytes(clip))
    answer = vcd("query", "--files-from", tmp_path / "list.txt", "--library", library, "--format", "json")

    assert answer.code == 3
    assert [Path(problem["path"]).name[:9] for problem in answer.json["problems"]] == ["not-utf8-"]
    assert [row["query"] for row in answer.json["segments"]] == [str(clip)]


def test_a_list_may_come_from_stdin_and_adds_to_the_arguments(
    vcd: Call, clip: Path, library: Path, made_film: MakeFilm, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = made_film(6, first=20, from_s=4)
    monkeypatch.chdir(clip.parent)
    answer = vcd(
        "query", clip, "--files-from", "-", "--library", library, "--format", "csv", stdin=bytes(other) + b"\n"
    )

    assert {row["query"]: row["reference"] for row in answer.rows} == {str(clip): "a.mp4", str(other): "sub/b.mkv"}


def test_a_relative_path_is_shown_as_it_was_given(
    vcd: Call, clip: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clip.parent)
    [row] = vcd("query", f"./{clip.name}", clip.name, "--library", library, "--format", "csv").rows

    assert row["query"] in {clip.name, f"./{clip.name}"}


# --- Compare.


def test_compare_finds_the_same_without_a_library(vcd: Call, clip: Path, films: Path) -> None:
    answer = vcd("compare", clip, films / "a.mp4", "--format", "csv", "--exit-code")

    [row] = answer.rows
    assert (answer.code, answer.err) == (10, "")
    assert (row["query"], row["reference"]) == (str(clip), str(films / "a.mp4"))
    assert times(row) == pytest.approx([0, 6, 4, 10], abs=0.5)


def test_compare_of_unrelated_films_finds_nothing(vcd: Call, clip: Path, films: Path) -> None:
    answer = vcd("compare", clip, films / "sub" / "b.mkv", "--exit-code")

    assert (answer.code, answer.text) == (0, "no copy found\n")


def test_compare_takes_files_and_no_folders(vcd: Call, clip: Path, films: Path) -> None:
    answer = vcd("compare", clip, films)

    assert (answer.code, answer.err) == (1, f"problem: {films}: is a folder; give one file\n")
