"""Networks on torch, on the CPU."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd.describe.engine import Batch
from vcd.errors import ModelError


class Torch:
    """A torch module that takes normalised pictures."""

    takes_bytes = False

    def __init__(self, module: Any, origin: str, threads: int) -> None:
        self._module = module.eval()
        self._origin = origin
        self._threads = threads

    def run(self, batch: Batch) -> NDArray[np.float32]:
        import torch

        torch.set_num_threads(self._threads)
        try:
            with torch.inference_mode():
                output = self._module(torch.from_numpy(batch))
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise ModelError(f"{self._origin}: the network refused its input {batch.shape}: {reason}") from error
        if not isinstance(output, torch.Tensor):
            raise ModelError(f"{self._origin}: the network gave a {type(output).__name__}, not one batch of vectors")
        return np.asarray(output.float().numpy(), dtype=np.float32)
