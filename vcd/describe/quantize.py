"""A network in fp32 -> the same in int8, with the ranges of its maps seen on real pictures. Needs the package onnx."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vcd.describe.card import ModelCard
from vcd.describe.network import make_batch
from vcd.describe.weights import read_checked
from vcd.errors import ConfigError, MissingExtra
from vcd.types import Picture

BATCH = 16
LAYERS = ["Conv", "Add", "Relu", "MaxPool"]
"""What computes in int8. Pooling, projection and whitening behind the maps stay as they are: they cost little time, and
errors there are errors of the vectors."""


def quantize(card: ModelCard, target: Path, pictures: Sequence[Picture]) -> None:
    """Write the card's ONNX network in int8 (static, weights by channel) to `target`; a few hundred training pictures
    are enough to calibrate it. Then name it in the card: int8_weights, int8_sha256.
    """
    if card.needs_torch or not card.weights:
        raise ConfigError(f"model {card.name} is no ONNX file; `vcd models export` makes one")
    content = read_checked(card.path(card.weights), card.sha256)
    try:
        import onnx  # noqa: F401
        from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions
        from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "torch") from error
    with TemporaryDirectory() as folder:
        plain, unfinished = Path(folder, "plain.onnx"), target.with_name(f".{target.name}.part")
        options = SessionOptions()
        options.log_severity_level = 3
        # Weights kept as float16 lie behind a cast that the quantiser does not look through.
        options.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(plain)
        session = InferenceSession(content, options, providers=["CPUExecutionProvider"])
        takes_bytes = session.get_inputs()[0].type == "tensor(uint8)"
        quantize_static(
            plain, unfinished, _Calibration(session.get_inputs()[0].name, _batches(card, pictures, takes_bytes)),
            quant_format=QuantFormat.QDQ, op_types_to_quantize=LAYERS, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
        )  # fmt: skip
        unfinished.replace(target)


def _batches(card: ModelCard, pictures: Sequence[Picture], as_bytes: bool) -> Iterator[Any]:
    for start in range(0, len(pictures), BATCH):
        yield make_batch(card, pictures[start : start + BATCH], as_bytes)


class _Calibration:
    """Batches the way that onnxruntime's quantiser asks for them (`CalibrationDataReader`)."""

    def __init__(self, name: str, batches: Iterator[Any]) -> None:
        self._name = name
        self._batches = batches

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {self._name: batch}
