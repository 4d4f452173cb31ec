"""`--report` of `vcd query` and `vcd compare`, on tiny films."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import Call, MakeFilm


def test_a_query_writes_a_page_with_pictures_of_both_sides(
    vcd: Call, clip: Path, library: Path, tmp_path: Path
) -> None:
    asked = vcd("query", clip, "--library", library, "--format", "csv", "--report", tmp_path / "why.html")
    page = (tmp_path / "why.html").read_text(encoding="utf-8")

    assert asked.code == 0
    assert len(asked.rows) == 1
    assert page.count("<article") == 1
    assert page.count('alt="Query at') >= 3
    assert page.count('alt="Reference at') == 3
    assert "data:image/png" in page
    assert "a.mp4" in page
    assert "No pictures" not in page
    assert sorted(path.name for path in tmp_path.iterdir()) == ["why.html"]


def test_a_reference_that_is_gone_leaves_the_row_and_says_why(
    vcd: Call, clip: Path, films: Path, tmp_path: Path
) -> None:
    (tmp_path / "films").mkdir()
    shutil.copy(films / "a.mp4", tmp_path / "films" / "a.mp4")
    vcd("index", tmp_path / "films", "--library", tmp_path / "library")
    (tmp_path / "films" / "a.mp4").unlink()
    asked = vcd("query", clip, "--library", tmp_path / "library", "--report", tmp_path / "why.html")
    page = (tmp_path / "why.html").read_text(encoding="utf-8")

    assert asked.code == 0
    assert page.count("<article") == 1
    assert "No pictures: cannot be read: No such file or directory" in page
    assert "data:image/png" in page, "the library still knows how alike they were"


def test_compare_writes_a_page_too_and_one_without_a_copy(
    vcd: Call, clip: Path, made_film: MakeFilm, tmp_path: Path
) -> None:
    for reference, articles in ((made_film(12), 1), (made_film(12, first=60), 0)):
        compared = vcd("compare", clip, reference, "--report", tmp_path / "why.html")
        page = (tmp_path / "why.html").read_text(encoding="utf-8")

        assert compared.code == 0
        assert page.count("<article") == articles
        assert ("No copy found in 1 file" in page) == (not articles)


def test_a_page_that_cannot_be_written_is_told_before_the_work(vcd: Call, clip: Path, tmp_path: Path) -> None:
    asked = vcd("query", clip, "--library", tmp_path / "none", "--report", tmp_path / "no" / "why.html")

    assert asked.code == 1
    assert "why.html: cannot be written: there is no folder" in asked.err


@pytest.mark.parametrize("command", ["query", "compare"])
def test_an_answer_stands_when_the_disk_is_full_for_its_page(
    vcd: Call, clip: Path, films: Path, library: Path, command: str
) -> None:
    other = ["--library", library] if command == "query" else [films / "a.mp4"]
    asked = vcd(command, clip, *other, "--format", "json", "--report", "/dev/full")

    assert asked.code == 3
    assert len(asked.json["segments"]) == 1
    reason = "the report is missing: cannot be written: No space left on device"
    assert asked.json["problems"] == [{"path": "/dev/full", "reason": reason}]
    assert f"/dev/full: {reason}" in asked.err
