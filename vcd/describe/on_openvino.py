"""Networks on OpenVINO."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd.describe.card import Precision
from vcd.describe.engine import Batch
from vcd.errors import ModelError

TYPES = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
"""What is computed where the network itself does not say: a quantised one says it for most of its layers."""


class OpenVino:
    """OpenVINO on the CPU."""

    def __init__(self, content: bytes, origin: str, precision: Precision, threads: int, output: str = "") -> None:
        """With `output`, the name of a value inside the network, it gives that one, for pictures of any size."""
        core = _core()
        settings = {
            # Left to itself OpenVINO takes bf16 where the processor has it.
            "INFERENCE_PRECISION_HINT": TYPES[precision],
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            # Pinned, the threads of two processes would share one core.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            model = core.read_model(content)
            if output:
                model = _cut(model, output)
            self._request = core.compile_model(model, "CPU", settings).create_infer_request()
        except RuntimeError as error:
            raise ModelError(f"{origin}: is not a network that openvino can run: {_reason(error)}") from error
        if len(model.inputs) != 1:
            raise ModelError(f"{origin}: the network must have exactly one input")
        self._origin = origin
        self.takes_bytes = model.inputs[0].element_type.to_dtype() == np.uint8

    @staticmethod
    def precisions() -> tuple[Precision, ...]:
        has_bf16 = "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        return ("fp32", "bf16", "int8") if has_bf16 else ("fp32", "int8")

    def run(self, batch: Batch) -> NDArray[np.float32]:
        try:
            output = self._request.infer([batch], share_inputs=True)[0]
        except RuntimeError as error:
            shape = batch.shape
            raise ModelError(f"{self._origin}: the network refused its input {shape}: {_reason(error)}") from error
        return np.array(output, dtype=np.float32)  # a copy: the next run writes over it


def _cut(model: Any, output: str) -> Any:
    """The part of the network that leads to a value; raises `RuntimeError` when it has none of that name."""
    import openvino

    found = model.add_outputs(output)[0].get_node()
    if found.get_type_name() == "Result":
        found = found.input_value(0).get_node()
    part = openvino.Model([found.output(0)], model.get_parameters())
    part.reshape([-1, 3, -1, -1])
    return part


def _core() -> Any:
    import openvino  # takes a while

    return openvino.Core()


def _reason(error: RuntimeError) -> str:
    """Without the lines that say where in OpenVINO's source it arose."""
    lines = [line.strip() for line in str(error).splitlines()]
    return " ".join(line for line in lines if line and not line.startswith("Exception from"))
