"""Colours of a picture, wherever they are in it: blind to layout, so a turned or rearranged copy looks the same."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.describe.card import ModelCard
from vcd.types import Picture

BINS = (16, 4, 4)
"""Of hue, saturation and value."""

CARD = ModelCard(
    name="colour-histogram",
    dimension=BINS[0] * BINS[1] * BINS[2],
    unrelated_similarity=0.97,
    description="Colour histogram: roots of the shares of 16 x 4 x 4 bins of hue, saturation and value.",
    licence="Apache-2.0",
    source="built in",
)


class ColourHistogram:
    """Square roots of the shares of the bins: a dot product is the Bhattacharyya coefficient, in [0, 1]."""

    card = CARD
    background = np.zeros((0, CARD.dimension), dtype=np.float32)

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """float32 (N, 256), rows of length 1."""
        rows = [np.zeros((0, CARD.dimension), dtype=np.float32), *(_histogram(picture)[None] for picture in pictures)]
        return np.concatenate(rows)


def _histogram(picture: Picture) -> NDArray[np.float32]:
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, list(BINS), [0, 180, 0, 256, 0, 256]).ravel()
    return np.asarray(np.sqrt(counts / counts.sum()), dtype=np.float32)
