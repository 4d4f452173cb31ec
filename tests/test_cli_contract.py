"""What other programs rely on: the commands, their options, their exit codes, and what wrong usage gives."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

import vcd as package
from tests.conftest import Call
from vcd.cli.main import app
from vcd.cli.options import Format
from vcd.report import FORMATS


def flatten(command: Any, name: str = "") -> dict[str, Any]:
    """Every command that does something, by its words: ``library list``."""
    if not hasattr(command, "commands"):
        return {name: command}
    return {
        words: leaf
        for word, child in command.commands.items()
        for words, leaf in flatten(child, f"{name} {word}").items()
    }


COMMANDS = {name.strip(): command for name, command in flatten(typer.main.get_command(app)).items()}
LIBRARY = {
    "dedupe", "doctor", "index", "query", "serve",
    *(f"library {n}" for n in ("list", "info", "remove", "verify", "compact", "merge", "export", "import")),
}  # fmt: skip
ARGUMENTS = {
    "compare": ["a", "b"], "evaluate": ["a", "b"], "library remove": ["a"], "library merge": ["a"],
    "library export": ["a"], "library import": ["a"], "index": ["a"], "query": ["a"],
    "train": ["a"],
    "models info": ["a"], "models fetch": ["a"], "models export": ["a", "b.onnx"],
}  # fmt: skip


def options(name: str) -> set[str]:
    return {option for parameter in COMMANDS[name].params for option in parameter.opts}


@pytest.mark.parametrize("name", ["", "library", "models", *COMMANDS])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_answers_for_help(vcd: Call, name: str, option: str) -> None:
    answer = vcd(*name.split(), option)

    assert (answer.code, answer.err) == (0, "")
    assert f"Usage: vcd {name}".strip() in answer.text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_what_its_options_do(name: str) -> None:
    assert COMMANDS[name].help
    assert [parameter.name for parameter in COMMANDS[name].params if not parameter.help and parameter.opts] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_config_and_quiet(name: str) -> None:
    assert options(name) >= {"--config", "--quiet"}


def test_what_uses_a_library_takes_library_with_one_default() -> None:
    assert {name for name in COMMANDS if "--library" in options(name)} == LIBRARY
    defaults = {p.default for name in LIBRARY for p in COMMANDS[name].params if p.name == "library"}
    assert {Path(default) for default in defaults} == {Path("indexes/default")}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("index", {"--workers", "--files-from", "--engine"}),
        (
            "query",
            {"--format", "--output", "--min-score", "--top", "--files-from", "--exit-code", "--workers", "--verify"},
        ),
        ("compare", {"--format", "--output", "--min-score", "--top", "--exit-code", "--verify", "--plot", "--report"}),
    ],
)
def test_commands_have_the_options_of_the_contract(name: str, wanted: set[str]) -> None:
    assert options(name) >= wanted


def test_the_formats_are_those_of_the_contract() -> None:
    assert get_args(Format) == tuple(FORMATS) == ("table", "json", "jsonl", "csv", "parquet")


def test_the_version_is_that_of_the_package(vcd: Call) -> None:
    assert package.__version__ == importlib.metadata.version("vcd")
    assert vcd("--version").text == f"vcd {package.__version__} (model vcd-rmac, library format 1)\n"


def test_the_script_is_installed(program: Call) -> None:
    script = Path(sys.executable).with_name("vcd")
    assert subprocess.run([script, "--version"], capture_output=True, check=True).stdout == program("--version").out


# --- Wrong usage: 2.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["query", "a", "--nonsense"], "No such option: --nonsense"),
        (["index"], "give at least one path, or --files-from"),
        (["query"], "give at least one path, or --files-from"),
        (["compare", "a"], "Missing argument 'REFERENCE'"),
        (["library", "remove"], "Missing argument 'NAME..."),
        (["query", "a", "--format", "xml"], "'xml' is not one of 'table', 'json', 'jsonl', 'csv', 'parquet'"),
        (["query", "a", "--min-score", "2"], "Invalid value for '--min-score'"),
        (["query", "a", "--min-score", "nan"], "Invalid value for '--min-score'"),
        (["compare", "a", "b", "--min-score", "nan"], "Invalid value for '--min-score'"),
        (["query", "a", "--min-score", "high"], "Invalid value for '--min-score'"),
        (["query", "a", "--top", "-1"], "Invalid value for '--top'"),
        (["index", "a", "--workers", "0"], "Invalid value for '--workers'"),
        (["index", "--files-from", "none.txt"], "none.txt cannot be read: No such file or directory"),
        (["query", "--files-from", "."], ". cannot be read: Is a directory"),
        (["query", "--files-from", "-"], "give at least one path, or --files-from"),
    ],
)
def test_wrong_usage_gives_2_and_says_why(vcd: Call, arguments: list[str], message: str) -> None:
    answer = vcd(*arguments)

    assert (answer.code, answer.out) == (2, b"")
    assert message in unboxed(answer.err)


def unboxed(text: str) -> str:
    """The text of a message that was wrapped into a box."""
    return " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())


@pytest.mark.parametrize("name", ["", "library", "models"])
def test_no_command_gives_the_help_and_2(vcd: Call, name: str) -> None:
    answer = vcd(*name.split())

    assert answer.code == 2
    assert "Usage: " in answer.text + answer.err


# --- Nothing can be done: 1.


@pytest.mark.parametrize("name", COMMANDS)
def test_bad_settings_give_1_and_say_why(vcd: Call, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer = vcd(*name.split(), *ARGUMENTS.get(name, []), "--config", "fats")

    assert (answer.code, answer.out) == (1, b"")
    assert answer.err == "vcd: unknown preset 'fats'; did you mean 'fast'?\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sorted(LIBRARY - {"index", "doctor", "library merge", "library import"}))
def test_no_library_gives_1_and_says_how_to_make_one(vcd: Call, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    answer = vcd(*name.split(), *ARGUMENTS.get(name, []), "--library", folder)

    assert (answer.code, answer.out) == (1, b"")
    assert answer.err == f"vcd: {folder}: there is no library here; make one with: vcd index PATH --library {folder}\n"
    assert not folder.exists()


def test_settings_of_a_file_are_used(vcd: Call, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('preset = "fast"\n[describe]\nmodel = "none-such"\n')
    answer = vcd("models", "list", "--config", tmp_path / "my.toml")

    assert answer.code == 1
    assert answer.err.startswith("vcd: unknown model 'none-such'; ")


def test_an_output_that_cannot_be_written_is_refused_before_the_work(vcd: Call, tmp_path: Path) -> None:
    answer = vcd("query", "a", "--library", tmp_path / "none", "--output", tmp_path / "missing" / "out.csv")

    assert (answer.code, answer.out) == (1, b"")
    assert "out.csv: cannot be written: there is no folder" in answer.err


@pytest.mark.parametrize("number", [0, 1])
def test_compare_of_a_bad_file_gives_1_and_the_problem(vcd: Call, clip: Path, tmp_path: Path, number: int) -> None:
    bad = tmp_path / "bad.mp4"
    bad.touch()
    pair = [clip, clip]
    pair[number] = bad
    answer = vcd("compare", *pair, "--format", "json")

    assert (answer.code, answer.err) == (1, f"problem: {bad}: is empty\n")
    assert answer.json["segments"] == []
    assert answer.json["problems"] == [{"path": str(bad), "reason": "is empty"}]
