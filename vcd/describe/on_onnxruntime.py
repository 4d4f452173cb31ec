"""Networks on onnxruntime."""

import numpy as np
from numpy.typing import NDArray

from vcd.describe.card import Precision
from vcd.describe.engine import Batch
from vcd.errors import MissingExtra, ModelError, SetupError


class OnnxRuntime:
    """onnxruntime on the CPU. It has no bf16 there."""

    provider = "CPUExecutionProvider"

    def __init__(self, content: bytes, origin: str, precision: Precision, threads: int) -> None:  # noqa: ARG002
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that wait by spinning slow down the other processes of a busy machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4
        self._errors = (state.Fail, state.InvalidArgument, state.InvalidProtobuf, state.InvalidGraph,
                        state.RuntimeException, state.NotImplemented)  # fmt: skip
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=[self.provider])
        except self._errors as error:
            raise ModelError(f"{origin}: is not a network that onnxruntime can run: {error}") from error
        if self.provider not in self._session.get_providers():
            raise SetupError(f"onnxruntime could not start its {self.provider}: are driver and CUDA libraries there?")
        if len(self._session.get_inputs()) != 1:
            raise ModelError(f"{origin}: the network must have exactly one input")
        self._origin = origin
        self._input = self._session.get_inputs()[0].name
        self.takes_bytes = self._session.get_inputs()[0].type == "tensor(uint8)"

    @staticmethod
    def precisions() -> tuple[Precision, ...]:
        _installed()
        return ("fp32", "int8")

    def run(self, batch: Batch) -> NDArray[np.float32]:
        try:
            output = self._session.run(None, {self._input: batch})[0]
        except self._errors as error:
            raise ModelError(f"{self._origin}: the network refused its input {batch.shape}: {error}") from error
        return np.asarray(output, dtype=np.float32)


class OnnxRuntimeCuda(OnnxRuntime):
    """onnxruntime on an NVIDIA GPU; needs the package onnxruntime-gpu in place of onnxruntime."""

    provider = "CUDAExecutionProvider"

    @staticmethod
    def precisions() -> tuple[Precision, ...]:
        if OnnxRuntimeCuda.provider not in _installed():
            raise SetupError("this onnxruntime has no CUDA; install onnxruntime-gpu in its place")
        return ("fp32",)


def _installed() -> list[str]:
    """The execution providers of the installed package."""
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtra("onnxruntime", "onnxruntime") from error
    return list(onnxruntime.get_available_providers())
