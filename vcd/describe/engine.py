"""Running an ONNX network."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vcd.describe.weights import read_checked
from vcd.errors import ModelError


class Engine(Protocol):
    """Runs a network that takes one batch of pictures and gives one batch of vectors."""

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (N, 3, H, W) -> float32 (N, D)."""
        ...


class OnnxRuntime:
    """onnxruntime on the CPU."""

    def __init__(self, path: Path, sha256: str, threads: int = 1) -> None:
        """Raises `ModelError` when the file is missing, has another hash, or is no network."""
        content = read_checked(path, sha256)
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        self._errors = (state.Fail, state.InvalidArgument, state.InvalidProtobuf, state.InvalidGraph,
                        state.RuntimeException, state.NotImplemented)  # fmt: skip
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except self._errors as error:
            raise ModelError(f"{path}: is not a network that onnxruntime can run: {error}") from error
        if len(self._session.get_inputs()) != 1:
            raise ModelError(f"{path}: the network must have exactly one input")
        self._path = path
        self._input = self._session.get_inputs()[0].name

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            output = self._session.run(None, {self._input: batch})[0]
        except self._errors as error:
            raise ModelError(f"{self._path}: the network refused its input {batch.shape}: {error}") from error
        return np.asarray(output, dtype=np.float32)
