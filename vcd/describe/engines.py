"""The engines there are, by name."""

from collections.abc import Mapping
from typing import Literal

from vcd.describe.card import ModelCard, Precision
from vcd.describe.engine import Engine, OnnxEngine
from vcd.describe.on_onnxruntime import OnnxRuntime, OnnxRuntimeCuda
from vcd.describe.on_openvino import OpenVino
from vcd.describe.weights import read_checked
from vcd.errors import SetupError, UnknownName

ENGINES: Mapping[str, type[OnnxEngine]] = {
    "onnxruntime": OnnxRuntime,
    "onnxruntime-cuda": OnnxRuntimeCuda,
    "openvino": OpenVino,
}
CORE_ENGINE = "openvino"
"""What "auto" means: the faster one on the built-in network (`benchmarks/engines`). It is the dependency of the core
install in pyproject.toml, the other one an extra."""


def make_engine(
    card: ModelCard, engine: str = "auto", precision: Literal["auto"] | Precision = "auto", threads: int = 1
) -> Engine:
    """An engine with the card's network loaded.

    Raises `ModelError` for bad weights, `MissingExtra` for an engine that is not installed, `SetupError` for a
    precision that engine, processor or model do not have.
    """
    if engine not in {"auto", *ENGINES}:
        raise UnknownName("engine", engine, ["auto", *ENGINES])
    if card.needs_torch:
        return _make_torch(card, engine, precision, threads)
    kind = ENGINES[CORE_ENGINE if engine == "auto" else engine]
    chosen = _choose_precision(card, kind, precision)
    name, sha256 = (card.int8_weights, card.int8_sha256) if chosen == "int8" else (card.weights, card.sha256)
    path = card.path(name)
    return kind(read_checked(path, sha256), str(path), chosen, threads)


def _choose_precision(card: ModelCard, kind: type[OnnxEngine], wanted: Literal["auto"] | Precision) -> Precision:
    """What is wanted, or an error; "auto" is the card's where the engine has it here, else fp32."""
    offered = kind.precisions()
    if wanted == "auto":
        return card.precision if card.precision in offered else "fp32"
    if wanted not in offered:
        raise SetupError(f"{kind.__name__} has no {wanted} on this machine, only {', '.join(offered)}")
    if wanted == "int8" and not card.int8_weights:
        raise SetupError(f"model {card.name} has no int8 weights; set describe.precision to auto")
    return wanted


def _make_torch(card: ModelCard, engine: str, precision: str, threads: int) -> Engine:
    if engine != "auto" or precision not in {"auto", "fp32"}:
        raise SetupError(
            f"model {card.name} runs on torch in fp32; `vcd models export` makes an ONNX file of it that runs on "
            "other engines"
        )
    from vcd.describe.on_torch import Torch  # torch is slow to import, and optional
    from vcd.describe.torch_models import load_module

    return Torch(load_module(card), str(card.path(card.weights)), threads)
