"""A perceptual hash as unit vectors: each bit becomes +1 or -1 over the root of their number.

The dot product of two such vectors is 1 - 2 h / n for a Hamming distance h of n bits: the same order of pictures as
the distance gives, on the scale of a cosine.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.images.hashes import pdq
from vcd.describe.card import ModelCard
from vcd.describe.phash import as_unit_rows
from vcd.types import Picture

PDQ_BITS = 256


class Pdq:
    """The 256-bit PDQ hash of Meta, by the package pdqhash around Meta's own code (Davis and Rosen, 2019)."""

    card = ModelCard(name="pdq", dimension=PDQ_BITS, unrelated_similarity=0.0, licence="MIT",
                     description="PDQ, 256 bits", source="https://pypi.org/project/pdqhash")  # fmt: skip

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        rows = [pdq(picture) for picture in pictures]
        return as_unit_rows(np.array(rows, dtype=bool).reshape(len(pictures), PDQ_BITS))
