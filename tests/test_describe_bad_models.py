"""Models that cannot be used: each is a clear error of `vcd index`, and nothing is written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Call
from tests.made_images import make_image
from tests.made_networks import make_card, make_network, make_odd_network


def damaged(folder: Path) -> Path:
    network = make_network(folder / "net.onnx")
    card = make_card(folder, network)
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 0xFF
    network.write_bytes(content)
    return card


def cut_off(folder: Path) -> Path:
    network = make_network(folder / "net.onnx")
    network.write_bytes(network.read_bytes()[:40])
    return make_card(folder, network)


def of_a_later_version(folder: Path) -> Path:
    return make_card(folder, make_odd_network(folder / "net.onnx", "of a later version"))


def with_another_hash(folder: Path) -> Path:
    return make_card(folder, sha256="0" * 64)


def with_another_dimension(folder: Path) -> Path:
    return make_card(folder, dimension=9)


def that_gives_no_numbers(folder: Path) -> Path:
    return make_card(folder, make_network(folder / "net.onnx", broken="nan"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (damaged, "SHA-256"), (cut_off, "is not a network"), (of_a_later_version, "is not a network"),
        (with_another_hash, "SHA-256"), (with_another_dimension, "promises"), (that_gives_no_numbers, "not finite"),
    ],
)  # fmt: skip
def test_a_bad_model_is_said_and_leaves_no_library(
    vcd: Call, tmp_path: Path, make: Callable[[Path], Path], words: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    shown, library = make_image(tmp_path / "shown.jpg", 3), tmp_path / "library"
    settings = tmp_path / "mine.toml"
    settings.write_text(f'[describe]\nmodel = "{make(folder)}"\n', encoding="utf-8")

    answer = vcd("index", shown, "--library", library, "--config", settings)

    assert answer.code == 1
    assert words in answer.err
    assert "Traceback" not in answer.err
    assert not list(library.glob("vectors/*"))
    assert not library.exists() or vcd("library", "list", "--library", library, "--format", "json").json == []
