"""Perceptual hashes as vectors of +1 and -1: a dot product is bits - 2 * Hamming distance, and exact in float32."""

from collections.abc import Callable, Sequence

import imagehash
import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image

from vcd.types import Picture

Hash = Callable[[Picture], NDArray[np.bool_]]


class Hashes:
    """A hash of each picture."""

    def __init__(self, compute: Hash) -> None:
        self._compute = compute

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """float32 (N, bits), +1 or -1."""
        return np.stack([np.where(self._compute(picture), 1, -1) for picture in pictures]).astype(np.float32)


def dhash(picture: Picture) -> NDArray[np.bool_]:
    return _flat(imagehash.dhash(Image.fromarray(picture)))


def ahash(picture: Picture) -> NDArray[np.bool_]:
    return _flat(imagehash.average_hash(Image.fromarray(picture)))


def whash(picture: Picture) -> NDArray[np.bool_]:
    return _flat(imagehash.whash(Image.fromarray(picture)))


def pdq(picture: Picture) -> NDArray[np.bool_]:
    """256 bits. Source: Meta, "PDQ & TMK + PDQF", through the package pdqhash."""
    found, _ = pdqhash.compute(np.ascontiguousarray(picture))
    return np.asarray(found, dtype=np.bool_)


def _flat(found: imagehash.ImageHash) -> NDArray[np.bool_]:
    return np.asarray(found.hash, dtype=np.bool_).ravel()
