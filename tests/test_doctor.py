"""`vcd doctor`: what it says of a machine that is well, and of one that is not."""

from pathlib import Path

import pytest

from tests.conftest import Call
from vcd import doctor

CHECKS = [
    "system", "packages", "decoders", "video", "model", "folder for unfinished files", "new library", "library",
]  # fmt: skip


def test_a_sound_machine_passes(vcd: Call, tmp_path: Path) -> None:
    answer = vcd("doctor", "--library", tmp_path / "none" / "yet", "--format", "json")

    assert answer.code == 0, answer.text
    assert [row["check"] for row in answer.json] == CHECKS
    assert "make one with `vcd index" in answer.json[-1]["found"]
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_work_is_named_and_the_rest_is_tried(vcd: Call, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(
        'name = "bad"\ndimension = 8\nunrelated_similarity = 0.5\nweights = "gone.onnx"\n'
    )
    (tmp_path / "my.toml").write_text(f'[describe]\nmodel = "{tmp_path}/bad.toml"\n')
    library = tmp_path / "library"
    library.mkdir()
    (library / "catalog.sqlite").write_bytes(b"no catalog")

    answer = vcd("doctor", "--library", library, "--config", tmp_path / "my.toml", "--format", "json")

    assert answer.code == 1
    assert [row["check"] for row in answer.json if not row["works"]] == ["model", "library"]


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, vcd: Call, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 10**18)

    answer = vcd("doctor", "--library", tmp_path / "library")

    assert answer.code == 1
    assert "make room" in answer.text
