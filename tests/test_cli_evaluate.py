"""`vcd evaluate` reads what `vcd query` writes, and answers like the other commands."""

import json
from pathlib import Path

import pytest

from tests.conftest import Call
from vcd.report import render
from vcd.types import Problem, Report, Segment, Span

RIGHT = Segment("clip, one.mp4", "film.mp4", Span(0, 6), Span(4, 10), score=0.9)
WRONG = Segment("two.mp4", "film.mp4", Span(0, 6), Span(30, 36), score=0.7, speed=0.5)
TRUTH = """query,reference,q_start,q_end,r_start,r_end
"clip, one.mp4",film.mp4,0,6,4,10
two.mp4,,,,,
"""


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "truth.csv"
    path.write_text(TRUTH)
    return path


def test_the_output_of_a_query_is_scored_the_same_in_each_format(vcd: Call, truth: Path, tmp_path: Path) -> None:
    report = Report((RIGHT, WRONG), (Problem("bad.mp4", "is empty"),), usable=2)
    scores = []
    for name in ("csv", "json", "jsonl"):
        predictions = tmp_path / f"predictions.{name}"
        predictions.write_bytes(render(report, name))
        answer = vcd("evaluate", predictions, truth, "--format", "json")
        assert (answer.code, answer.err) == (0, "")
        scores.append(answer.json)

    assert scores[0] == scores[1] == scores[2]
    assert json.dumps(scores[0]) != "{}"


def test_the_scores_are_shown_as_a_table(vcd: Call, truth: Path, tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_bytes(render(Report((RIGHT,), (), usable=2), "csv"))
    answer = vcd("evaluate", tmp_path / "predictions.csv", truth)

    assert (answer.code, answer.err) == (0, "")
    assert "\x1b" not in answer.text


@pytest.mark.parametrize("content", [None, "", "no,such,columns\n1,2,3\n", TRUTH.replace("10", "ten"), "\0\0"])
def test_a_bad_table_gives_1_and_one_line_that_names_it(
    vcd: Call, truth: Path, tmp_path: Path, content: str | None
) -> None:
    predictions = tmp_path / "predictions.csv"
    if content is not None:
        predictions.write_text(content)
    answer = vcd("evaluate", predictions, truth)

    assert (answer.code, answer.out) == (1, b"")
    assert answer.err.startswith(f"vcd: {predictions}")
    assert answer.err.count("\n") == 1
