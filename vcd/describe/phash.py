"""The 64-bit pHash as a describer: bits of the sign of low DCT frequencies (Zauner, 2010), as ImageHash makes them.

Each bit becomes +1/8 or -1/8: the dot product of two vectors is 1 - 2 h / 64 for a Hamming distance of h bits, the
same order of pictures as the distance gives, on the scale of a cosine.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vcd.describe.card import ModelCard
from vcd.errors import MissingExtra
from vcd.types import Picture

BITS = 64

CARD = ModelCard(
    name="phash",
    dimension=BITS,
    unrelated_similarity=0.313,
    description="pHash of the package ImageHash, 64 bits.",
    licence="BSD-2-Clause (ImageHash)",
    source="https://pypi.org/project/ImageHash",
)


class PHash:
    """Needs the package imagehash."""

    card = CARD
    background = np.zeros((0, BITS), dtype=np.float32)

    def __init__(self) -> None:
        """Raises `MissingExtra`."""
        try:
            import imagehash  # optional
        except ModuleNotFoundError as error:
            raise MissingExtra("imagehash", "hashes") from error
        self._phash: Any = imagehash.phash

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        bits = np.array([self._phash(Image.fromarray(p)).hash.ravel() for p in pictures], dtype=bool)
        return as_unit_rows(bits.reshape(len(pictures), BITS))


def as_unit_rows(bits: NDArray[np.bool_]) -> NDArray[np.float32]:
    """bool (N, B) -> float32 (N, B) of length 1."""
    return np.where(bits, 1.0, -1.0).astype(np.float32) / np.float32(np.sqrt(max(1, bits.shape[1])))
