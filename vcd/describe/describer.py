"""What every descriptor model must do; the contract test runs over all of them."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vcd.describe.card import ModelCard
from vcd.types import Picture


class Describer(Protocol):
    """Turns pictures into vectors whose dot product says how alike they look."""

    card: ModelCard

    @property
    def background(self) -> NDArray[np.float32]:
        """float32 (B, D), unit rows: pictures that are in no library, for score normalisation; B may be 0."""
        ...

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """float32 (N, D), one row of length 1 for each picture, or of zeros for one without content.

        A row depends on its own picture alone. Pictures may differ in size.
        """
        ...


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row to length 1; an all-zero row (a flat picture) stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 1e-6, norms, 1) * (norms > 1e-6), dtype=np.float32)
