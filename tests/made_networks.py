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


def make_deep_network(path: Path, as_bytes: bool = False, halved: bool = False) -> Path:
    """Two convolutions with a residual, a mean over the map, a projection to 8; pictures of any size.

    `as_bytes`: takes uint8 (N, H, W, 3). `halved`: the weights are kept as float16 behind a cast.
    """
    random = np.random.default_rng(0)
    shapes = {"w1": (16, 3, 3, 3), "w2": (16, 16, 3, 3), "w3": (16, 8)}
    kept, nodes = [], []
    for name, shape in shapes.items():
        values = (random.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        kept.append(numpy_helper.from_array(values.astype(np.float16), f"{name}h") if halved else
                    numpy_helper.from_array(values, name))  # fmt: skip
        if halved:
            nodes.append(helper.make_node("Cast", [f"{name}h"], [name], to=TensorProto.FLOAT))
    if as_bytes:
        kept.append(numpy_helper.from_array(np.float32(128), "scale"))
        nodes += [
            helper.make_node("Cast", ["x"], ["number"], to=TensorProto.FLOAT),
            helper.make_node("Transpose", ["number"], ["turned"], perm=[0, 3, 1, 2]),
            helper.make_node("Div", ["turned", "scale"], ["picture"]),
        ]
    nodes += [
        helper.make_node("Conv", ["picture" if as_bytes else "x", "w1"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w2"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["b", "c"], ["d"]),
        helper.make_node("Relu", ["d"], ["e"]),
        helper.make_node("GlobalAveragePool", ["e"], ["f"]),
        helper.make_node("Flatten", ["f"], ["g"]),
        helper.make_node("MatMul", ["g", "w3"], ["y"]),
    ]
    taken = (TensorProto.UINT8, ["n", "h", "w", 3]) if as_bytes else (TensorProto.FLOAT, ["n", 3, "h", "w"])
    return _save(path, nodes, [helper.make_tensor_value_info("x", *taken)], kept)


def _save(path: Path, nodes: list, inputs: list, kept: list, ir_version: int = 9) -> Path:
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "d"])]
    graph = helper.make_graph(nodes, "made", inputs, outputs, kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=ir_version)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def make_odd_network(path: Path, odd: str) -> Path:
    """A network that no engine can use: "of a later version", or with "two inputs"."""
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", "d"]) for name in "xz"]
    if odd == "two inputs":
        return _save(path, [helper.make_node("Add", ["x", "z"], ["y"])], inputs, [])
    nodes = [helper.make_node("NoSuchLayer", ["x"], ["y"])]
    return _save(path, nodes, inputs[:1], [], ir_version=9999)


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


def make_background(path: Path, rows: int = 40, dimension: int = 8) -> Path:
    """Unit rows, stored as float16."""
    vectors = np.random.default_rng(1).normal(size=(rows, dimension))
    np.save(path, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
