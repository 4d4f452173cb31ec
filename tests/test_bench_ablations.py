"""The ablations: the shipped network cut open is the shipped network, and a row says what the vectors say."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ablations.curve import draw
from benchmarks.ablations.learnt import measure_steps
from benchmarks.ablations.pooled import fitted
from benchmarks.ablations.scoring import ALL, EDITS, Described, row
from benchmarks.ablations.sheet import ablation_sheet
from benchmarks.engines.rounds import made_pictures
from benchmarks.images.corpus import Corpus
from benchmarks.machine import ROOT
from vcd.describe import load_card, make_describer
from vcd.describe.describer import unit_rows


def described(noise: float, flat: bool = False) -> Described:
    """Twenty references, of which ten have copies that differ from them by `noise`; five queries have no original."""
    rng = np.random.default_rng(0)

    def some(count: int) -> np.ndarray:
        return unit_rows(rng.normal(size=(count, 16)).astype(np.float32))

    references = some(20)
    if flat:
        references[3] = 0
    copies = unit_rows(references[:10] + noise * some(10)) * references[:10].any(axis=1, keepdims=True)
    return Described(references, {edit: np.concatenate([copies, some(5)]) for edit in EDITS}, some(100))


def test_copies_that_are_equal_are_all_found_and_other_pictures_are_not() -> None:
    assert row(described(0), 10)["recall_at_p90"] == dict.fromkeys([*EDITS, ALL], 1.0)
    assert row(described(100), 10)["micro_ap"] < 0.5


def test_what_shows_nothing_shows_nothing_after_whitening() -> None:
    whitened = fitted(described(0.1, flat=True), 8)

    assert whitened.references.shape == (20, 8)
    assert not whitened.references[3].any()
    np.testing.assert_allclose(np.linalg.norm(np.delete(whitened.references, 3, 0), axis=1), 1, atol=1e-5)


def test_fewer_numbers_are_the_first_ones_made_long_again() -> None:
    whole = described(0.1)

    np.testing.assert_allclose(whole.truncated(4).references, unit_rows(whole.references[:, :4]), atol=1e-6)


def test_the_network_cut_open_gives_what_it_gives_whole() -> None:
    pytest.importorskip("openvino")
    from benchmarks.ablations.cut import CutNetwork

    card, pictures = load_card("vcd-rmac"), made_pictures(4)
    network = CutNetwork(card, 1)
    before, after = network.vectors(network.maps(pictures, card.input_px, network.places)[-1])
    larger = network.vectors(network.maps(pictures, 2 * card.input_px, network.places[-1:])[0])[1]

    assert [place.channels for place in network.places] == [64, 64, 128, 128, 256, 256]
    assert ((after * make_describer("vcd-rmac").describe(pictures)).sum(axis=1) > 0.999).all()
    assert before.shape == larger.shape == after.shape


def test_a_model_without_its_step_is_refused(tmp_path: Path) -> None:
    nothing = Corpus(tmp_path, "", 0, 0, 0, 0)
    with pytest.raises(ValueError, match="its step"):
        measure_steps(["vcd-rmac"], nothing, print)


def test_the_curves_of_the_shipped_training_are_drawn(tmp_path: Path) -> None:
    log = ROOT / "benchmarks" / "results" / "training.jsonl"
    steps = [json.loads(line)["step"] for line in log.read_text(encoding="utf-8").splitlines()]
    rows = [{"step": 1500, **row(described(0.3), 10)}, {"step": 7300, **row(described(0.1), 10)}]

    assert steps == sorted(set(steps))
    assert steps[-1] == 7300
    assert draw(log, rows, tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_sheet_has_a_line_for_every_row() -> None:
    one = {"label": "as it is", **row(described(0.1), 10)}
    facts = {"copied": 10, "foreign": 5, "references": 20, "background": 100}
    recipe = {"steps": 5, "pairs": 4, "small_px": 32, "widths": [8, 8, 16], "dimension": 16}
    sheet = ablation_sheet(
        {"corpus": facts, "pooled": {"pooling": [one, one]}, "trained": {"recipe": recipe, "rows": [one]}}
    )

    assert sheet.count("| as it is |") == 3
    assert "10 edited pictures" in sheet
