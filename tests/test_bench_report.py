"""Results -> plots, the page, and the tables of README."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import benchmarks.__main__ as program
from benchmarks.report import page
from benchmarks.report.matrix import average
from benchmarks.report.page import PLOTS, write_report
from benchmarks.report.results import Results, latest_folder
from benchmarks.report.style import spread
from benchmarks.results import read_results, write_results
from benchmarks.tables import update_file, video_tables
from tests.made_results import make_results


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_results(tmp_path_factory.mktemp("results") / "quick", edits=("blur", "crop", "chain-2"), each=2)


@pytest.mark.parametrize("name", PLOTS)
def test_every_plot_is_a_picture_of_some_size(name: str, made: Path, tmp_path: Path) -> None:
    draw: Callable[[Results, Path], None] = PLOTS[name][0]
    draw(Results.read(made), tmp_path / "plot.png")

    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.format == "PNG"
        assert picture.width >= 600
        assert picture.height >= 300
        assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 50
    assert [path.name for path in tmp_path.iterdir()] == ["plot.png"]


def changed(name: str, folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    found = read_results(folder / f"{name}.json")
    change(found)
    write_results(folder / f"{name}.json", found)


def test_a_run_that_found_nothing_can_be_drawn(tmp_path: Path) -> None:
    folder = make_results(tmp_path / "full", edits=("blur",), each=1, silent=0)
    for path in folder.glob("*.json"):
        if "ends_s" in read_results(path):
            changed(
                path.stem,
                folder,
                lambda r: r.update(ends_s=[None] * 3, reliability={"bins": [], "ece": None, "rows": 0}),
            )
            changed(path.stem, folder, lambda r: r["overall"].update(f1_3s=None, micro_ap=None))
    (folder / "pdq.json").unlink()

    assert {path.name for path in write_report(folder)} == {*(f"{name}.png" for name in PLOTS), "README.md"}


def test_without_the_last_steps_the_report_shows_the_first(tmp_path: Path, made: Path) -> None:
    for name in ("corpus", "vcd-default", "pdq"):
        write_results(tmp_path / f"{name}.json", read_results(made / f"{name}.json"))

    written = {path.stem for path in write_report(tmp_path)}
    assert written == {"matrix", "pareto", "ends", "trust", "README"}


def test_results_of_other_code_are_not_shown(tmp_path: Path) -> None:
    folder = make_results(tmp_path, edits=("blur",), each=1)
    changed("pdq", folder, lambda result: result.update(state="older"))

    text = page.page(Results.read(folder), [])
    assert "| PDQ + vcd's voting |" not in text
    assert "| pHash + vcd's voting |" in text


def test_the_page_names_every_method_plot_and_edit(made: Path) -> None:
    text = page.page(Results.read(made), list(PLOTS))

    for name in ("PDQ + vcd's voting", "vPDQ (no times)", "lecture's rule set", "temporal network", "**vcd default**"):
        assert f"| {name} |" in text
    for edit in ("blur", "crop", "chain-2"):
        assert f"| {edit} |" in text
    assert all(f"(plots/{name}.png)" in text for name in PLOTS)
    assert "the full run" in text
    assert "18 copies" in text


def test_a_method_without_times_has_no_score_for_them(made: Path) -> None:
    table = page.accuracy_table(Results.read(made)).splitlines()
    cells = next(line for line in table if "vPDQ" in line).split("|")

    assert [cell.strip() for cell in cells[2:7]] == ["-"] * 5
    assert float(cells[7]) > 0


def test_each_copy_counts_the_same_in_an_average() -> None:
    cells = {"blur": {"mild": {"copies": 3, "f1_3s": 1.0}, "hard": {"copies": 1, "f1_3s": 0.0}},
             "crop": {"hard": {"copies": 4, "f1_3s": None}}}  # fmt: skip

    assert average(cells, "blur", "f1_3s") == 0.75
    assert average(cells, None, "f1_3s", "hard") == 0.0
    assert average(cells, "crop", "f1_3s") != average(cells, "crop", "f1_3s")


def test_labels_are_spread_without_changing_their_order() -> None:
    wanted = [0.5, 0.52, 0.1, 0.51, 0.9]
    placed = spread(wanted, 0.05)

    assert sorted(range(5), key=lambda i: placed[i]) == sorted(range(5), key=lambda i: wanted[i])
    ordered = sorted(placed)
    assert all(b - a >= 0.05 - 1e-6 for a, b in pairwise(ordered))
    assert placed[2] == 0.1
    assert placed[4] == 0.9


def test_readme_shows_the_full_run_where_there_is_one(tmp_path: Path, made: Path) -> None:
    readme = tmp_path / "README.md"
    text = "".join(f"<!-- {name}:begin -->\n<!-- {name}:end -->\n" for name in ("videos", "aligners"))
    readme.write_text(text, encoding="utf-8")

    assert update_file(readme, made.parent)
    assert "benchmarks/results/quick/README.md" in readme.read_text(encoding="utf-8")
    assert not update_file(readme, made.parent)
    assert latest_folder(tmp_path) is None
    assert video_tables(tmp_path) == {}
    write_results(tmp_path / "full" / "corpus.json", {})
    assert latest_folder(tmp_path) == tmp_path / "full"


def test_a_readme_without_markers_stays_as_it_is(tmp_path: Path, made: Path) -> None:
    (tmp_path / "README.md").write_text("# vcd\n", encoding="utf-8")

    assert not update_file(tmp_path / "README.md", made.parent)


class TestProgram:
    def test_draws_again_what_was_measured(self, made: Path, capsys: pytest.CaptureFixture[str]) -> None:
        program.main(["--report", "--results", str(made)])

        assert str(made / "README.md") in capsys.readouterr().out

    def test_says_what_is_wrong(self, tmp_path: Path) -> None:
        with pytest.raises(SystemExit, match="no corpus"):
            program.main(["--corpus", str(tmp_path), "--work", str(tmp_path), "--results", str(tmp_path / "r")])
        with pytest.raises(SystemExit, match="ended with exit code"):
            program.main(["--media", str(tmp_path / "none"), "--work", str(tmp_path), "--results", str(tmp_path / "r")])

    @pytest.mark.parametrize(("arguments", "ran"), [([], 1), (["--videos-only"], 0)])
    def test_still_images_are_a_step_where_there_are_some(
        self, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], ran: int
    ) -> None:
        called: list[Sequence[object]] = []
        monkeypatch.setattr(program, "_run", called.append)
        monkeypatch.setattr(program, "read_corpus", lambda folder: folder)
        monkeypatch.setattr(program.Steps, "run", lambda _: None)
        monkeypatch.setattr(program.importlib.util, "find_spec", lambda name: name == "benchmarks.images")
        (tmp_path / "eval").mkdir()
        common = ["--media", str(tmp_path), "--work", str(tmp_path / "work"), "--results", str(made)]
        program.main([*common, *arguments, "--corpus", str(tmp_path)])

        assert [call[0] for call in called] == ["benchmarks.images"] * ran
        assert all("--quick" in call and made / "images.json" in call for call in called)

    def test_the_quick_run_is_on_dev_and_the_full_one_on_test(self) -> None:
        assert (program._parse([]).split, program._parse(["--full"]).split) == ("dev", "test")
        assert program._parse(["--split", "test"]).split == "test"

    def test_clips_and_films_are_looked_for_where_media_keep_them(self, tmp_path: Path) -> None:
        assert program._corpus_arguments(tmp_path, Path("out"), "quick", "dev")[:2] == [tmp_path, Path("out")]
        for name in ("clips", "long"):
            (tmp_path / "videos" / name).mkdir(parents=True)
        arguments = program._corpus_arguments(tmp_path, Path("out"), "full", "test")
        assert arguments[:4] == [tmp_path / "videos/clips", Path("out"), "--films", tmp_path / "videos/long"]
        assert arguments[4:] == ["--split", "test", "--size", "full"]
