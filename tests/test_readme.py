"""What the documents say is so."""

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

import vcd
from tests.made import reencode
from vcd import __version__
from vcd.cli.main import app
from vcd.report import render
from vcd.types import Report, Segment, Span

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "indexes/README.md")), *PAGES]
MADE = {"commands.md", "settings.md", "library.md", "model.md", "benchmarks.md"}
"""Pages of the documentation that are made when it is built."""
FRAMES = ("pandas", "polars")
"""Packages that recipes use and nothing else needs."""
BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands(document: Path) -> list[list[str]]:
    """The `vcd` commands in the code blocks, without their comments; `a | b` names two."""
    found = []
    for block in BLOCK.findall(document.read_text(encoding="utf-8")):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["vcd"]:
                if "|" in words:
                    bar = words.index("|")
                    found += [[*words[: bar - 1], words[bar - 1]], [*words[: bar - 1], words[bar + 1]]]
                else:
                    found.append(words)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / link).exists() or (document in PAGES and link in MADE), link


@pytest.fixture
def place(tmp_path: Path, made_film, monkeypatch) -> Path:
    """A folder with the files that the documents speak of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vcd.serve.run.serve", lambda *_, **__: None)  # it does not end; test_serve.py really starts it
    for folder in ("refs", "uploads"):
        (tmp_path / folder).mkdir()
    film = made_film(12)
    (tmp_path / "film.mp4").write_bytes(film.read_bytes())
    (tmp_path / "refs" / "film.mp4").write_bytes(film.read_bytes())
    reencode(film, tmp_path / "clip.mp4", 2, 10)
    (tmp_path / "uploads" / "clip.mp4").write_bytes((tmp_path / "clip.mp4").read_bytes())
    header = "query,reference,q_start,q_end,r_start,r_end\n"
    for name in ("truth.csv", "predictions.csv"):
        (tmp_path / name).write_text(header + "clip.mp4,film.mp4,0,8,2,10\n")
    return tmp_path


def test_every_command_of_readme_does_what_it_says(place: Path) -> None:
    """In the order of README."""
    ran = 0
    for words in commands(ROOT / "README.md"):
        result = CliRunner().invoke(app, words[1:])
        expected = 10 if "--exit-code" in words else 0
        assert result.exit_code == expected, (words, result.output, result.exception)
        ran += 1

    assert ran >= 10


def test_the_make_targets_and_scripts_of_the_documents_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = "".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)

    for target in set(re.findall(r"make ([a-z-]+)\b", text)) - {"a", "it"}:
        if re.search(rf"`make {target}`|^make {target}", text, re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for script in re.findall(r"scripts/([a-z]+)", text):
        assert (ROOT / "scripts" / script).exists(), script


def test_every_command_of_the_program_is_in_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__
        assert f"vcd {name}" in text or f"make {name}" in text, name
    for group in app.registered_groups:
        assert f"vcd {group.name}" in text, group.name


def test_the_changelog_speaks_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert "## [Unreleased]" in text or f"## [{__version__}]" in text


def test_the_demo_in_readme_is_the_output_of_the_demo() -> None:
    """Pasted by `scripts/readme`; the truth in it is that of the code."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pasted = text.split("<!-- demo:begin -->")[1].split("<!-- demo:end -->")[0]

    assert "Beside the truth" in pasted
    assert pasted.count("clockwork-fair.mp4") >= 2
    assert "not found" not in pasted


@pytest.mark.slow
def test_every_command_of_the_documentation_does_what_it_says(place: Path) -> None:
    for page in [ROOT / "docs" / "index.md", *(page for page in PAGES if page.name != "index.md")]:
        for words in commands(page):
            if words[1] == "demo":  # has tests of its own
                continue
            result = CliRunner().invoke(app, words[1:])
            assert result.exit_code == 0, (page.name, words, result.output, result.exception)


@pytest.mark.slow
def test_every_program_of_the_documentation_runs(place: Path) -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    vcd.index("refs", "library")
    asked = CliRunner().invoke(app, ["query", "uploads", "--library", "library", "--output", "found.parquet"])
    assert asked.exit_code == 0
    programs = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(programs) >= 4
    for program in programs:
        if any(f"import {name}" in program and find_spec(name) is None for name in ("opentimelineio", *FRAMES)):
            continue  # tested where it is installed
        (place / "program.py").write_text(program)
        done = subprocess.run([sys.executable, "program.py"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), program

    assert "-ss 0.0 -to 8.0 -i clip.mp4" in (place / "cut.sh").read_text()
    assert "00:00:02:00 00:00:10:00 00:00:00:00 00:00:08:00" in (place / "found.edl").read_text()


@pytest.mark.parametrize("package", FRAMES)
def test_the_recipe_for_parquet_sums_up_what_a_query_wrote(place: Path, package: str) -> None:
    pytest.importorskip(package, reason=f"{package} is not installed")
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    (program,) = re.findall(rf"^```python\n(import {package}\n.*?)^```", text, re.DOTALL | re.MULTILINE)
    found = [
        Segment("clip.mp4", name, Span(start_s, start_s + 4), Span(0, 4), score)
        for name, start_s, score in (("a.mp4", 0, 0.9), ("b.mp4", 4, 0.95), ("b.mp4", 8, 0.8))
    ]
    (place / "found.parquet").write_bytes(render(Report(tuple(found), (), 1), "parquet"))
    (place / "program.py").write_text(program)
    done = subprocess.run([sys.executable, "program.py"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    expected = {"pandas": [["b.mp4", "8.0"], ["a.mp4", "4.0"]], "polars": [["clip.mp4", "b.mp4", "4.0", "8.0"]]}
    rows = [re.sub("[│┆]", " ", line).split() for line in done.stdout.splitlines()]
    assert [row[:4] for row in rows if {"a.mp4", "b.mp4"} & set(row)] == expected[package]


@pytest.mark.slow
def test_the_documentation_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="the extra docs is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "site"],
        cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    reference = (tmp_path / "site" / "commands" / "index.html").read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"vcd {command.name or command.callback.__name__}" in reference
    assert "min_score" in (tmp_path / "site" / "settings" / "index.html").read_text(encoding="utf-8")
