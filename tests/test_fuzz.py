"""Files that chance has damaged, and the fuzz run over more of them: every file is accounted for."""

import json
from pathlib import Path

import pytest

from benchmarks import fuzz
from tests.made_mutated import make_mutants, make_originals
from vcd.media import open_media
from vcd.pipeline import Indexed
from vcd.types import Problem

NASTY = 100
"""So many files in the suite; `python -m benchmarks.fuzz` takes as many as you like."""


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_originals(tmp_path_factory.mktemp("whole"))


def test_what_is_damaged_was_whole(originals: list[Path]) -> None:
    """Else nothing behind the first look at a file would ever be reached."""
    for path in originals:
        assert list(open_media(path, fuzz.settings(lenient=False).media).glances(2))


@pytest.mark.parametrize("first", [0, fuzz.BATCH], ids=["refused when truncated", "used as far as they go"])
def test_every_damaged_file_is_indexed_or_named(tmp_path: Path, originals: list[Path], first: int) -> None:
    tally = fuzz.Tally()

    fuzz.run_batch(originals, tmp_path, first, NASTY // 2, 3, tally)

    assert tally.files == NASTY // 2
    assert 5 <= tally.indexed <= NASTY // 2 - 5
    assert tally.findings == []


def test_files_of_one_seed_are_the_same_again(tmp_path: Path, originals: list[Path]) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    one = make_mutants(originals, folders[0], 40, seed=1)
    later = make_mutants(originals, folders[1], 10, seed=1, first=30)
    other = make_mutants(originals, folders[2], 40, seed=2)

    assert [path.read_bytes() for path in one[30:]] == [path.read_bytes() for path in later]
    assert sum(a.read_bytes() == b.read_bytes() for a, b in zip(one, other, strict=True)) < 4


def test_a_lost_file_fails_the_run(tmp_path: Path) -> None:
    paths = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    tally = fuzz.Tally()

    with pytest.raises(fuzz.LostFiles, match=r"b\.mp4"):
        tally.count(paths, Indexed(("a.mp4",), (), (), ()), 1.0)
    assert tally.files == 0


def test_findings_are_told_from_plain_refusals(tmp_path: Path) -> None:
    reasons = {
        "a.mp4": "crashed the process that read it (SIGSEGV)",
        "b.mp4": "took longer than 30 s and was given up",
        "c.mp4": "is truncated: holds 3 of 12 frames",
        "d.mp4": "is truncated: holds 11 of 12 frames",
    }
    problems = tuple(Problem(str(tmp_path / name), reason) for name, reason in reasons.items())
    tally = fuzz.Tally()

    tally.count([tmp_path / name for name in reasons], Indexed((), (), (), problems), 1.0)
    found = fuzz.summary(tally, 0, [0.0])

    assert found["findings"] == {"crashed": 1, "hung": 1, "flooded": 0, "not foreseen": 0}
    assert found["reasons"]["is truncated"] == 2
    assert (found["files"], found["indexed"], found["refused"]) == (4, 0, 4)
    assert json.loads(json.dumps(found)) == found
    again = fuzz.summary(fuzz.Tally.of(found | {"commits": ["abc"]}), 0, [0.0])
    assert {**again, "date": ""} == {**found, "date": "", "commits": ["abc"]}


def test_a_run_in_pieces_is_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "BATCH", 4)
    monkeypatch.setattr(fuzz.os, "nice", lambda _: 0)
    result = tmp_path / "fuzz.json"

    fuzz.main(["4", "--seed", "5", "--output", str(result)])
    fuzz.main(["8", "--seed", "5", "--output", str(result), "--resume"])
    in_pieces = json.loads(result.read_text())
    fuzz.main(["8", "--seed", "5", "--output", str(result)])
    at_once = json.loads(result.read_text())

    for key in ("command", "files", "indexed", "reasons", "findings"):
        assert in_pieces[key] == at_once[key]
    with pytest.raises(SystemExit):
        fuzz.main(["9", "--seed", "6", "--output", str(result), "--resume"])
