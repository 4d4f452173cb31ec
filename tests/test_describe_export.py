"""A model -> an ONNX file and its card."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made import picture
from tests.made_networks import make_background, make_card, make_deep_network, sha256
from vcd.describe import load_card, make_describer
from vcd.describe.card import ModelCard, read_card
from vcd.describe.export import card_toml, export_model
from vcd.errors import ConfigError, ModelError

PICTURES = [picture(scene, 0.0) for scene in range(3)]


def make_full_card(folder: Path) -> Path:
    """A card with everything that one may have."""
    network = make_deep_network(folder / "net.onnx")
    other = make_deep_network(folder / "small.onnx", halved=True)
    noise = make_background(folder / "noise.npy")
    (folder / "CARD.md").write_text("# Made\nLimits: all.\n", encoding="utf-8")
    return make_card(
        folder, network, input_px=32, mean=[0.5] * 3, int8_weights=other.name, int8_sha256=sha256(other),
        background=noise.name, background_sha256=sha256(noise), text="CARD.md", licence="none",
    )  # fmt: skip


def test_an_exported_model_is_the_model(tmp_path: Path) -> None:
    card = make_full_card(tmp_path / "a")
    exported = export_model(load_card(str(card)), tmp_path / "b" / "mine.onnx")

    assert exported == tmp_path / "b" / "mine.toml"
    assert sorted(path.name for path in exported.parent.iterdir()) == [
        "mine.background.npy", "mine.int8.onnx", "mine.md", "mine.onnx", "mine.toml",
    ]  # fmt: skip
    for precision in ("fp32", "int8"):
        before, after = (make_describer(str(path), precision=precision) for path in (card, exported))
        np.testing.assert_array_equal(before.describe(PICTURES), after.describe(PICTURES))
        np.testing.assert_array_equal(before.background, after.background)
    assert load_card(str(card)).identity == load_card(str(exported)).identity
    assert (tmp_path / "b" / "mine.md").read_text(encoding="utf-8") == "# Made\nLimits: all.\n"


def test_an_export_over_itself_changes_nothing(tmp_path: Path) -> None:
    card = make_card(tmp_path)
    before = (tmp_path / "net.onnx").read_bytes()
    exported = export_model(load_card(str(card)), tmp_path / "net.onnx")

    assert (tmp_path / "net.onnx").read_bytes() == before
    assert load_card(str(exported)).identity == load_card(str(card)).identity


@pytest.mark.parametrize(
    ("changes", "name", "error"),
    [
        ({"sha256": "0" * 64}, "new.onnx", ModelError),
        ({"background": "none.npy", "background_sha256": "0" * 64}, "new.onnx", ModelError),
        ({"text": "none.md"}, "new.onnx", ModelError),
        ({}, "new.pt", ConfigError),
    ],
)
def test_what_cannot_be_exported_leaves_nothing(
    tmp_path: Path, changes: dict[str, object], name: str, error: type[Exception]
) -> None:
    card = make_card(tmp_path / "a", **changes)

    with pytest.raises(error):
        export_model(load_card(str(card)), tmp_path / "b" / name)
    assert not (tmp_path / "b").exists()


def test_a_model_without_a_network_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="regional-dct has no network"):
        export_model(load_card("regional-dct"), tmp_path / "new.onnx")


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


@given(
    name=TEXT, description=TEXT, similarity=NUMBER, mean=st.tuples(NUMBER, NUMBER, NUMBER),
    precision=st.sampled_from(["fp32", "bf16"]),
)  # fmt: skip
def test_a_card_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, name: str, description: str, similarity: float, mean: tuple, precision
) -> None:
    folder = tmp_path_factory.mktemp("card")
    card = ModelCard(
        name=name, dimension=8, unrelated_similarity=similarity, description=description, weights="net.onnx",
        sha256="0" * 64, mean=mean, precision=precision, folder=str(folder.resolve()),
    )  # fmt: skip
    (folder / "card.toml").write_bytes(card_toml(card).encode())

    assert read_card(folder / "card.toml") == card
