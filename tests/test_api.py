"""vcd from Python."""

from pathlib import Path

import pytest

import vcd
from tests.conftest import MakeFilm
from tests.made import reencode
from vcd.config import load_config
from vcd.errors import ConfigError, LibraryError
from vcd.report import COLUMNS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, made_film: MakeFilm) -> Path:
    """A library of one film, and a clip of it with a name that HTML must not believe."""
    folder = tmp_path_factory.mktemp("api")
    film = made_film(12)
    done = vcd.index(film, folder / "library")
    assert (len(done.added), done.problems) == (1, ())
    reencode(film, folder / "<b>clip.mp4", 2, 10)
    (folder / "notes.mp4").write_text("no film")
    return folder


def test_a_query_gives_segments_rows_and_a_table(folder: Path) -> None:
    answer = vcd.query([folder / "<b>clip.mp4", str(folder / "notes.mp4")], folder / "library", "fast")

    assert len(answer) == len(list(answer)) == len(answer.rows()) == 1
    row = answer.rows()[0]
    assert set(COLUMNS) < set(row)
    assert (row["q_start"], row["r_start"]) == pytest.approx((0, 2), abs=0.3)
    assert [problem.path for problem in answer.problems] == [str(folder / "notes.mp4")]
    shown = answer._repr_html_()
    assert "&lt;b&gt;clip.mp4" in shown
    assert "<b>" not in shown


def test_two_files_are_compared_and_drawn(folder: Path, made_film: MakeFilm) -> None:
    answer = vcd.compare(folder / "<b>clip.mp4", made_film(12), load_config("default"), plot=folder / "why.png")

    assert len(answer) == 1
    assert (folder / "why.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(LibraryError):
        vcd.query("clip.mp4", tmp_path)
    with pytest.raises(ConfigError, match="did you mean 'fast'"):
        vcd.query("clip.mp4", tmp_path, "fats")
    with pytest.raises(AttributeError, match="no attribute 'search_for'"):
        _ = vcd.search_for
    assert {"index", "query", "compare"} <= set(dir(vcd))
