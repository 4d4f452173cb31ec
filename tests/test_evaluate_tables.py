"""vcd.evaluate.tables: what is read from files, and how bad cells are named; the command on top."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from vcd.cli.evaluate import evaluate as command
from vcd.errors import DataError
from vcd.evaluate import Row, Truth, evaluate_files, read_predictions, read_truth
from vcd.types import Span

HEADER = "query,reference,q_start,q_end,r_start,r_end"
TRUTH = f"{HEADER},edit,strength\na.mp4,film.mp4,0,10,100,110,crop,2\nb.mp4,,,,,,,\n"
FACTS = Truth((Row("a.mp4", "film.mp4", Span(0, 10), Span(100, 110), edit="crop", strength="2"),), ("b.mp4",))
FOUND = Row("a.mp4", "film.mp4", Span(0, 10), Span(100, 110), score=0.75)


def file(folder: Path, text: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def predictions(folder: Path, text: str | bytes, name: str = "rows.csv") -> tuple[Row, ...]:
    return read_predictions(file(folder, text, name), FACTS)


def test_truth_holds_copies_and_queries_without_one(tmp_path: Path) -> None:
    assert read_truth(file(tmp_path, TRUTH)) == FACTS


@pytest.mark.parametrize("row", ["b.mp4", "b.mp4,", "b.mp4,,0,60,,", "b.mp4, ,x,y,z,-"])
def test_of_a_query_without_a_copy_nothing_else_is_read(tmp_path: Path, row: str) -> None:
    assert read_truth(file(tmp_path, f"{HEADER}\n{row}\n")).queries_without_copy == ("b.mp4",)


def test_columns_stand_in_any_order_and_others_are_ignored(tmp_path: Path) -> None:
    text = "speed,score,r_end,r_start,q_end,q_start,reference,verified,query\n"
    text += "1.2,0.75,110.000,100,10, 0 ,film.mp4,,a.mp4\n"
    assert predictions(tmp_path, text) == (FOUND,)


def test_without_a_score_column_every_score_is_one(tmp_path: Path) -> None:
    assert predictions(tmp_path, f"{HEADER}\na.mp4,film.mp4,0,10,100,110\n")[0].score == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_windows_line_ends_byte_order_marks_quotes_and_blank_lines_are_fine(tmp_path: Path, end: str) -> None:
    lines = ["\ufeff" + HEADER + ",score", "", '"a.mp4","film.mp4",0,10,100,110,0.75', "  ", ""]
    assert predictions(tmp_path, end.join(lines)) == (FOUND,)


def test_names_keep_their_commas_spaces_and_signs(tmp_path: Path) -> None:
    text = f'{HEADER}\n"é, 2 .mp4"," film\nof two lines",0,0,5,5\n'
    (row,) = read_truth(file(tmp_path, text)).copies
    assert (row.query, row.reference) == ("é, 2 .mp4", " film\nof two lines")


CELLS = {"query": "a.mp4", "reference": "film.mp4", "q_start": 0, "q_end": 10, "r_start": 100, "r_end": 110}


def test_the_json_report_of_vcd_is_read(tmp_path: Path) -> None:
    report = {"version": 1, "segments": [{**CELLS, "score": 0.75, "verified": None}], "problems": [{}]}
    assert predictions(tmp_path, json.dumps(report), "rows.json") == (FOUND,)


def test_the_json_lines_of_vcd_are_read_without_the_problems(tmp_path: Path) -> None:
    lines = [{**CELLS, "score": 0.75}, {"problem": True, "path": "c.mp4", "reason": "is empty"}]
    text = "\n".join(json.dumps(line) for line in lines) + "\n\n"
    assert predictions(tmp_path, text, "rows.jsonl") == (FOUND,)


def test_a_line_separator_inside_a_name_does_not_end_a_json_line(tmp_path: Path) -> None:
    text = json.dumps({**CELLS, "reference": "film\u2028.mp4"}, ensure_ascii=False)
    assert predictions(tmp_path, text, "rows.jsonl")[0].reference == "film\u2028.mp4"


def test_no_rows_are_fine_everywhere(tmp_path: Path) -> None:
    assert read_truth(file(tmp_path, HEADER)) == Truth(())
    assert predictions(tmp_path, HEADER + "\n") == ()
    assert predictions(tmp_path, '{"version": 1, "segments": []}', "rows.json") == ()
    assert predictions(tmp_path, "", "rows.jsonl") == ()


GOOD = "a.mp4,film.mp4,0,10,100,110"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "row 1, column query: the header has no such column"),
        ("query,reference,q_start,q_end,r_start\n", "row 1, column r_end: the header has no such column"),
        (f"{HEADER},query\n", "row 1, column query: the header has this column twice"),
        (f"{HEADER}\n{GOOD}\na.mp4,film.mp4,0,x,1,2", "row 3, column q_end: 'x' is no finite number"),
        (f"{HEADER}\n\n\na.mp4,film.mp4,nan,1,1,2", "row 4, column q_start: 'nan' is no finite number"),
        (f"{HEADER}\na.mp4,film.mp4,0,1,1,inf", "row 2, column r_end: 'inf' is no finite number"),
        (f"{HEADER}\na.mp4,film.mp4,0,1_0,1,2", "row 2, column q_end: '1_0' is no finite number"),
        (f"{HEADER}\na.mp4,film.mp4,0,1e10,1,2", "row 2, column q_end: 1e+10 is not a time in seconds"),
        (f"{HEADER}\na.mp4,film.mp4,0,1,1,", "row 2, column r_end: is missing"),
        (f"{HEADER}\na.mp4,film.mp4,0,1", "row 2, column r_start: is missing"),
        (f"{HEADER},score\n{GOOD},high", "row 2, column score: 'high' is no finite number"),
        (f"{HEADER},score\n{GOOD},", "row 2, column score: is missing"),
        (f"{HEADER}\na.mp4,film.mp4,5,1,1,2", "row 2, column q_end: 1 is before q_start (5)"),
        (f"{HEADER}\na.mp4,film.mp4,1,1,3,2", "row 2, column r_end: 2 is before r_start (3)"),
        (f"{HEADER}\n{GOOD},7", "row 2: has 7 cells, the header 6"),
        (f"{HEADER}\n,film.mp4,0,1,1,2", "row 2, column query: is empty"),
        (f"{HEADER}\na.mp4,,0,1,1,2", "row 2, column reference: is empty"),
        (f"{HEADER}\nc.mp4,film.mp4,0,1,1,2", "row 2, column query: the truth has no query 'c.mp4'"),
        (f"{HEADER},score\n{GOOD},1\n{GOOD},0.5", "row 3: repeats row 2"),
        (f'{HEADER}\na.mp4,"film\n1",0,x,1,2', "row 2, column q_end: 'x' is no finite number"),
        (f'{HEADER}\na.mp4,"film\n1",0,1,1,2\na.mp4,f,x,1,1,2', "row 4, column q_start: 'x'"),
        (f'{HEADER}\n"a.mp4,film.mp4,0,1,1,2\n', "row 2: is not CSV: unexpected end of data"),
        (HEADER.encode() + b"\n" + GOOD.encode() + b"\n\xff", "row 3: is not UTF-8 text"),
    ],
)
def test_a_bad_cell_is_named_by_file_row_and_column(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(DataError) as caught:
        predictions(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'rows.csv'}, {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEADER}\n{GOOD}\n{GOOD}", "row 3: repeats row 2"),
        (f"{HEADER}\nb,,,,,\nb,,,,,", "row 3: repeats row 2"),
        (
            f"{HEADER}\nb,,,,,\nb,film,0,1,0,1",
            "row 3, column reference: 'b' has a copy here and none in row 2",
        ),
        (
            f"{HEADER}\nb,film,0,1,0,1\nb,,,,,",
            "row 2, column reference: 'b' has a copy here and none in row 3",
        ),
        (f"{HEADER}\n ,,,,,", "row 2, column query: is empty"),
        (f"{HEADER}\nb,film,0,1,0,", "row 2, column r_end: is missing"),
    ],
)
def test_a_truth_that_contradicts_itself_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_truth(file(tmp_path, text))
    assert str(caught.value) == f"{tmp_path / 'rows.csv'}, {message}"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("rows.json", '{"version": 1,\n"segments": [}', ", row 2: is not JSON: Expecting value"),
        ("rows.json", "[]", ", row 1: is not an object"),
        ("rows.json", "[" * 100_000, ", row 1: is not JSON"),
        ("rows.json", '{"version": 2, "segments": []}', ", column version: 2 is unknown; 1 is known"),
        ("rows.json", '{"version": 1}', ", column segments: is not a list"),
        ("rows.json", '{"version": 1, "segments": [7]}', ", row 1: is not an object"),
        ("rows.jsonl", '\n{"query": "a.mp4"}', ", row 2, column reference: is missing"),
        ("rows.jsonl", "\n\n{", ", row 3: is not JSON"),
        ("rows.jsonl", json.dumps({**CELLS, "query": 7}), ", row 1, column query: 7 is not text"),
        (
            "rows.jsonl",
            json.dumps({**CELLS, "q_end": True}),
            ", row 1, column q_end: True is no finite number",
        ),
        ("rows.jsonl", json.dumps({**CELLS, "q_end": [1]}), ", row 1, column q_end: [1] is no finite number"),
        ("rows.jsonl", json.dumps({**CELLS, "r_end": float("inf")}), ", row 1, column r_end: inf is no"),
        ("rows.jsonl", json.dumps({**CELLS, "r_end": 10**400}), ", row 1, column r_end: 1000"),
        (
            "rows.jsonl",
            json.dumps({**CELLS, "score": 1}) + "\n" + json.dumps({**CELLS, "q_end": 9}),
            ", row 2, column score: is missing",
        ),
    ],
)
def test_bad_json_is_named_too(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        predictions(tmp_path, text, name)
    assert str(caught.value).startswith(f"{tmp_path / name}{message}")


def test_a_missing_file_and_a_folder_are_said_to_be_that(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no\.csv: there is no such file"):
        evaluate_files(tmp_path / "no.csv", file(tmp_path, TRUTH))
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_truth(tmp_path)


# -- the command ------------------------------------------------------------------------------------------


@pytest.fixture
def app() -> Typer:
    made = Typer()
    made.command()(command)
    return made


def arguments(folder: Path) -> list[str]:
    found = file(folder, f"{HEADER},score\n{GOOD},0.5\n", "found.csv")
    return [str(found), str(file(folder, TRUTH, "truth.csv"))]


def test_the_command_prints_plain_tables(tmp_path: Path, app: Typer) -> None:
    result = CliRunner().invoke(app, arguments(tmp_path))
    assert result.exit_code == 0, result.output
    assert result.stdout.isascii()
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["segment", "micro-AP", "(VSC2022)", "1.0000"] in lines
    assert ["false", "alarm", "rate", "(VCSL)", "0.0000"] in lines
    assert ["crop", "1", *["1.0000"] * 8, "0.0000", "-"] in lines
    assert ["no", "copy", "1", *["-"] * 9, "0.0000"] in lines


def test_the_command_prints_json_with_null_for_what_is_undefined(tmp_path: Path, app: Typer) -> None:
    result = CliRunner().invoke(app, [*arguments(tmp_path), "--format", "json", "--quiet"])
    numbers = json.loads(result.stdout)
    assert numbers["f1_3s"] == 1
    assert numbers["by_edit"]["no copy"]["f1_3s"] is None
    assert numbers["by_strength"]["2"]["segment_micro_ap"] == pytest.approx(1)


def test_the_command_lets_a_bad_file_surface(tmp_path: Path, app: Typer) -> None:
    result = CliRunner().invoke(app, [str(tmp_path / "no.csv"), arguments(tmp_path)[1]])
    assert isinstance(result.exception, DataError)
    assert result.stdout == ""
