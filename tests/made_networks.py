"""Small ONNX networks with known weights, and cards for them."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 16


def make_network(path: Path, dimension: int = 8, broken: str = "") -> Path:
    """Flatten, multiply with fixed random weights; `broken` "nan" makes every output NaN."""
    weights = np.random.default_rng(0).normal(size=(3 * SIDE * SIDE, dimension)).astype(np.float32)
    if broken == "nan":
        weights[:] = np.nan
    nodes = [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["y"])]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", dimension])]
    graph = helper.make_graph(nodes, "made", inputs, outputs, [numpy_helper.from_array(weights, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return path


def make_card(folder: Path, network: Path | None = None, **changes: object) -> Path:
    """A card beside the network, its hash right unless it is changed."""
    folder.mkdir(parents=True, exist_ok=True)
    network = network or make_network(folder / "net.onnx")
    values: dict[str, object] = {
        "name": "made",
        "dimension": 8,
        "unrelated_similarity": 0.5,
        "weights": network.name,
        "sha256": hashlib.sha256(network.read_bytes()).hexdigest(),
        "input_px": SIDE,
    }
    values.update(changes)
    lines = [f"{key} = {_toml(value)}" for key, value in values.items() if value is not None]
    card = folder / "card.toml"
    card.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return card


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def make_background(path: Path, rows: int = 20, dimension: int = 8) -> Path:
    """Unit rows, stored as float16."""
    vectors = np.random.default_rng(1).normal(size=(rows, dimension))
    np.save(path, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
