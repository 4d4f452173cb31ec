"""The colours of a picture, wherever they are in it."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.describe.card import ModelCard
from vcd.types import Picture

BINS = 8
"""Of each of red, green and blue."""


class ColourHistogram:
    """The root of a joint histogram of red, green and blue: the dot product is the Bhattacharyya coefficient."""

    card = ModelCard(name="colour-histogram", dimension=BINS**3, unrelated_similarity=0.0, licence="Apache-2.0",
                     description="Colour histogram, 8 x 8 x 8 bins", source="built in")  # fmt: skip

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        rows = np.zeros((len(pictures), BINS**3), dtype=np.float32)
        for row, picture in zip(rows, pictures, strict=True):
            counts = cv2.calcHist([picture], [0, 1, 2], None, [BINS] * 3, [0, 256] * 3).ravel()
            row[:] = np.sqrt(counts / counts.sum())
        return rows
