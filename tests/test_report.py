"""The output formats: exact texts, and round trips for whatever a file name or a number may be."""

import csv
import io
import json
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from vcd.report import COLUMNS, FORMATS, format_of_file, render
from vcd.report.rows import MORE
from vcd.report.table import render_table
from vcd.types import MIRRORED, WHOLE, Problem, Rectangle, Report, Segment, Span, View

SEGMENT = Segment("clip.mp4", "film.mp4", Span(1, 6.0004), Span(61.9996, 67.5), score=0.98764, speed=1.1)
ODD_NAMES = [
    "a,b.mp4",
    'the "best" of.mp4',
    "two\nlines.mp4",
    "carriage\rreturn.mp4",
    "[bold]film[/bold] :smile:.mp4",
    "\x1b[2Jclear.mp4",
    "电影 🎬\u3000é.mp4",
    "next\x85line\u2028end.mp4",
    "not-utf8-\udcff.mp4",
    " spaces .mp4",
    "=1+1.mp4",
]


def report(*segments: Segment, problems: tuple[Problem, ...] = ()) -> Report:
    return Report(segments, problems, usable=1, made_with={"vcd": "1.2", "references": 3})


def rows_of(text: bytes) -> list[dict[str, Any]]:
    """A CSV as Python's own reader sees it."""
    return list(csv.DictReader(io.StringIO(text.decode("utf-8", "surrogateescape"), newline="")))


# --- Exact texts.


def test_csv_is_exactly_this() -> None:
    mirrored = replace(SEGMENT, reference="other.mp4", view=MIRRORED, verified=True, score=0.5, speed=-1.0)
    checked = replace(mirrored, view=WHOLE, verified=False, reference_span=Span(0, 3600))

    assert render(report(SEGMENT, mirrored, checked), "csv").decode() == (
        "query,reference,q_start,q_end,r_start,r_end,score,speed,mirrored,verified\n"
        "clip.mp4,film.mp4,1.000,6.000,62.000,67.500,0.9876,1.1000,false,\n"
        "clip.mp4,other.mp4,1.000,6.000,0.000,3600.000,0.5000,-1.0000,false,false\n"
        "clip.mp4,other.mp4,1.000,6.000,62.000,67.500,0.5000,-1.0000,true,true\n"
    )


def test_a_part_and_a_turn_are_said_in_every_format_but_csv() -> None:
    inset = View("picture in picture", Rectangle(0.1, 0.2, 0.5, 0.6), quarter_turns=1)
    found = report(replace(SEGMENT, view=inset))

    [row] = json.loads(render(found, "json"))["segments"]
    assert (row["view"], row["region"]) == ("picture in picture, rotated 90°", [0.1, 0.2, 0.5, 0.6])
    assert "picture in picture, rotated 90°" in render(found, "table").decode()
    [stored] = pq.read_table(io.BytesIO(render(found, "parquet"))).to_pylist()
    assert (stored["view"], stored["region"]) == (row["view"], row["region"])


def test_csv_of_nothing_is_the_header() -> None:
    assert render(report(), "csv").decode() == ",".join(COLUMNS) + "\n"


def test_json_is_exactly_this() -> None:
    problem = Problem("bad.mp4", "is empty")

    assert json.loads(render(report(SEGMENT, problems=(problem,)), "json")) == {
        "version": 1,
        "segments": [
            {
                "query": "clip.mp4", "reference": "film.mp4", "q_start": 1.0, "q_end": 6.0, "r_start": 62.0,
                "r_end": 67.5, "score": 0.9876, "speed": 1.1, "mirrored": False, "verified": None, "refined": False,
                "view": "whole", "region": None, "found_by": "descriptors",
            }
        ],
        "problems": [{"path": "bad.mp4", "reason": "is empty"}],
        "made_with": {"vcd": "1.2", "references": 3},
    }  # fmt: skip


def test_json_names_the_columns_in_the_order_of_csv() -> None:
    [row] = json.loads(render(report(SEGMENT), "json"))["segments"]

    assert tuple(row) == (*COLUMNS, *MORE)


def test_jsonl_has_a_segment_a_line_and_problems_last() -> None:
    text = render(report(SEGMENT, SEGMENT, problems=(Problem("two\nlines.mp4", "is empty"),)), "jsonl")

    lines = [json.loads(line) for line in text.decode().removesuffix("\n").split("\n")]
    assert [line.get("problem") for line in lines] == [None, None, True]
    assert lines[2] == {"problem": True, "path": "two\nlines.mp4", "reason": "is empty"}
    assert lines[0] == json.loads(render(report(SEGMENT), "json"))["segments"][0]


def test_a_moment_in_a_table_is_one_time_and_a_stretch_is_two() -> None:
    still = replace(SEGMENT, query_span=Span(0, 0), reference_span=Span(3723.44, 3723.44), speed=1.0)
    text = render(report(SEGMENT, still), "table").decode()

    assert "0:01.0 - 0:06.0" in text
    assert "1:02.0 - 1:07.5" in text
    assert "speed 1.10" in text
    assert "1:02:03.4" in text


def test_a_table_without_rows_says_so() -> None:
    assert render(report(problems=(Problem("a", "b"),)), "table") == b"no copy found\n"


def test_a_table_does_not_speak_of_what_could_not_be_asked() -> None:
    assert render(Report((), (Problem("a", "b"),), usable=0), "table") == b""


def test_a_parquet_file_holds_rows_problems_and_what_made_it() -> None:
    unknown = replace(SEGMENT, verified=True, refined=True)
    table = pq.read_table(
        io.BytesIO(render(report(SEGMENT, unknown, problems=(Problem("bad.mp4", "is empty"),)), "parquet"))
    )

    assert table.column_names == [*COLUMNS, *MORE]
    assert table.to_pylist() == json.loads(render(report(SEGMENT, unknown), "json"))["segments"]
    metadata = {key.decode(): json.loads(value) for key, value in table.schema.metadata.items()}
    assert metadata["problems"] == [{"path": "bad.mp4", "reason": "is empty"}]
    assert metadata["made_with"] == {"vcd": "1.2", "references": 3}


def test_an_empty_parquet_file_has_the_same_columns() -> None:
    full, empty = (pq.read_schema(io.BytesIO(render(r, "parquet"))) for r in (report(SEGMENT), report()))

    assert full == empty


# --- Numbers.


def test_a_tiny_negative_time_is_no_negative_zero() -> None:
    text = render(report(replace(SEGMENT, query_span=Span(-0.0001, 1))), "csv").decode()

    assert ",0.000,1.000," in text


@given(st.floats(0, 1e6), st.floats(0, 1e5), st.floats(0, 1))
def test_times_have_three_decimals_whatever_they_are(start_s: float, length_s: float, score: float) -> None:
    segment = replace(SEGMENT, query_span=Span(start_s, start_s + length_s), score=score)
    [row] = rows_of(render(report(segment), "csv"))

    assert row["q_start"] == f"{start_s:.3f}"
    assert row["q_end"] == f"{start_s + length_s:.3f}"
    assert float(row["score"]) == pytest.approx(score, abs=5.1e-5)


# --- Order.


def test_rows_are_sorted_by_query_falling_score_reference_and_start() -> None:
    wanted = [
        replace(SEGMENT, query="a", score=0.9, reference="x", query_span=Span(0, 1)),
        replace(SEGMENT, query="a", score=0.9, reference="x", query_span=Span(5, 6), reference_span=Span(1, 2)),
        replace(SEGMENT, query="a", score=0.9, reference="x", query_span=Span(5, 6), reference_span=Span(3, 4)),
        replace(SEGMENT, query="a", score=0.9, reference="y", query_span=Span(0, 1)),
        replace(SEGMENT, query="a", score=0.8, reference="a", query_span=Span(0, 1)),
        replace(SEGMENT, query="b", score=1.0, reference="a", query_span=Span(0, 1)),
    ]
    expected = rows_of(render(report(*wanted), "csv"))
    assert [(r["query"], r["score"], r["reference"]) for r in expected] == [
        (s.query, f"{s.score:.4f}", s.reference) for s in wanted
    ]
    for seed in range(5):
        mixed = random.Random(seed).sample(wanted, len(wanted))
        for name in FORMATS:
            assert render(report(*mixed), name) == render(report(*wanted), name)


def test_scores_that_show_as_equal_are_equal_in_the_order() -> None:
    later = replace(SEGMENT, reference="b", score=0.90004)
    first = replace(SEGMENT, reference="a", score=0.90001)

    assert [row["reference"] for row in rows_of(render(report(later, first), "csv"))] == ["a", "b"]


def test_starts_that_show_as_equal_are_equal_in_the_order() -> None:
    later = replace(SEGMENT, query_span=Span(1.0001, 6), reference_span=Span(9, 14))
    first = replace(SEGMENT, query_span=Span(1.0004, 6), reference_span=Span(2, 7))

    assert [row["r_start"] for row in rows_of(render(report(later, first), "csv"))] == ["2.000", "9.000"]


# --- Names.


@pytest.mark.parametrize("name", ODD_NAMES)
def test_csv_json_and_jsonl_give_a_name_back(name: str) -> None:
    given = report(replace(SEGMENT, query=name), problems=(Problem(name, f"{name} is empty"),))

    assert [row["query"] for row in rows_of(render(given, "csv"))] == [name]
    assert json.loads(render(given, "json"))["segments"][0]["query"] == name
    assert json.loads(render(given, "json"))["problems"] == [{"path": name, "reason": f"{name} is empty"}]
    lines = render(given, "jsonl").decode("utf-8").removesuffix("\n").split("\n")
    assert [json.loads(line).get("query", json.loads(line).get("path")) for line in lines] == [name, name]


@given(st.text(st.characters(), min_size=1))
def test_csv_gives_any_text_back(name: str) -> None:
    name = name.encode("utf-8", "replace").decode("utf-8")
    [row] = rows_of(render(report(replace(SEGMENT, query=name)), "csv"))

    assert (row["query"], row["reference"]) == (name, "film.mp4")


def test_a_name_that_is_no_utf8_is_its_own_bytes_in_csv() -> None:
    name = os.fsdecode(b"not-utf8-\xff.mp4")

    assert b"\nnot-utf8-\xff.mp4," in render(report(replace(SEGMENT, query=name)), "csv")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_parquet_gives_a_name_back_as_utf8(name: str) -> None:
    table = pq.read_table(io.BytesIO(render(report(replace(SEGMENT, query=name)), "parquet")))

    assert table.column("query").to_pylist() == [name.replace("\udcff", "\\udcff")]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_table_has_one_line_a_segment_and_does_nothing_to_a_terminal(name: str) -> None:
    lines = render(report(replace(SEGMENT, query=name)), "table").decode("utf-8").split("\n")

    assert len(lines) == 3  # header, row, end
    assert "\x1b" not in lines[1]
    assert "\r" not in lines[1]
    assert "film.mp4" in lines[1]


def test_a_table_shows_a_name_as_it_is() -> None:
    name = "[bold]film[/bold] :smile: 电影.mp4"

    assert name in render(report(replace(SEGMENT, query=name)), "table").decode()


def test_a_table_does_not_cut_a_long_name() -> None:
    name = "n" * 300 + ".mp4"

    assert render(report(replace(SEGMENT, query=name)), "table").decode().count("n") >= 300


def test_a_table_for_a_file_has_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Terminal())

    assert b"\x1b" in render(report(SEGMENT), "table")
    assert b"\x1b" not in render(report(SEGMENT), "table", for_file=True)
    assert b"\x1b" in render_table(Table("a", header_style="bold"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a.json", "json"), ("a.JSONL", "jsonl"), ("dir.json/a.csv", "csv"), ("a.parquet", "parquet"),
        ("a.txt", "table"), ("a", "table"), (".json", "table"), ("a.csv.gz", "table"),
    ],
)  # fmt: skip
def test_a_files_name_chooses_the_format(file: str, name: str) -> None:
    assert format_of_file(Path(file)) == name
