"""What runs a network."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vcd.describe.card import Precision

Batch = NDArray[np.float32] | NDArray[np.uint8]


class Engine(Protocol):
    """Runs a network that takes one batch of pictures and gives one batch of vectors."""

    takes_bytes: bool
    """What the network wants. True: uint8 (N, H, W, 3) as it is, False: float32 (N, 3, H, W), normalised."""

    def run(self, batch: Batch) -> NDArray[np.float32]:
        """A batch -> float32 (N, D). Raises `ModelError` when the network refuses it."""
        ...


class OnnxEngine(Engine, Protocol):
    """An engine for ONNX files."""

    def __init__(self, content: bytes, origin: str, precision: Precision, threads: int) -> None:
        """Raises `ModelError` when the file, which comes from `origin`, is no network that the engine can run."""

    @staticmethod
    def precisions() -> tuple[Precision, ...]:
        """Those that this machine has. Raises `MissingExtra` when the engine is not installed."""
        ...
