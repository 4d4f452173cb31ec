"""The benchmark of engines on a tiny network: what it measures, computes and writes."""

from pathlib import Path

import pytest

from benchmarks.engines.__main__ import calibration_pictures, find_ways, main, summarise, with_int8
from benchmarks.engines.rounds import Speed, Way
from benchmarks.results import read_results
from tests.made_networks import make_card

ORT, OV = Way("onnxruntime", "fp32", 1, 2), Way("openvino", "bf16", 1, 2)


def test_ratios_compare_measurements_of_one_round() -> None:
    """The machine is ten times as slow in the second round."""
    rounds = [(0, ORT, Speed(1, 100, 80)), (0, OV, Speed(2, 200, 120)), (1, ORT, Speed(1, 10, 8)),
              (1, OV, Speed(2, 20, 12)), (2, ORT, Speed(1, 100, 80)), (2, OV, Speed(2, 300, 200))]  # fmt: skip
    first, second = summarise(rounds)

    assert (first["way"], first["network_ratio"], first["describe_ratio"]) == ("openvino bf16", 2.0, 1.5)
    assert (first["network_per_s"], first["describe_per_s"], first["load_s"]) == (200, 120, 2)
    assert (second["way"], second["network_ratio"]) == ("onnxruntime fp32", 1.0)


def test_what_cannot_be_measured_is_named_with_its_reason(tmp_path: Path) -> None:
    there, left_out = find_ways(make_card(tmp_path))

    assert {(way.engine, way.precision) for way in there} >= {("onnxruntime", "fp32")}
    assert "has no int8 weights" in left_out["onnxruntime int8"]
    assert "no bf16" in left_out["onnxruntime bf16"]


def test_int8_weights_are_made_where_a_model_has_none(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    folder = tmp_path / "int8"
    folder.mkdir()
    card, made = with_int8(make_card(tmp_path), folder, calibration_pictures(None)[:8])

    assert "not shipped" in made
    assert {way.precision for way in find_ways(card)[0]} >= {"fp32", "int8"}
    assert with_int8(card, tmp_path, []) == (card, "the model's own")


@pytest.mark.slow
def test_a_run_writes_what_it_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("openvino")
    card, output = make_card(tmp_path), tmp_path / "engines.json"
    main([str(card), "--rounds", "1", "--batch", "2", "--seconds", "0.01", "--pictures", "4", "--output", str(output)])
    results = read_results(output)

    assert {row["way"] for row in results["medians"]} >= {"onnxruntime fp32", "openvino fp32"}
    assert all(row["describe_per_s"] > 0 for row in results["medians"])
    assert next(row for row in results["agreement"] if row["name"] == "openvino fp32")["cosine_min"] > 0.9999
    assert results["model"]["identity"].startswith("made@")
    assert str(output) in capsys.readouterr().out
