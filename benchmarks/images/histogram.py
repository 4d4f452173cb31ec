"""Colour histogram: hue and saturation, and brightness, of the whole picture."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.types import Picture

BINS = (16, 4, 4)
"""Of hue, saturation and value."""


class Histogram:
    """Square roots of the shares of the bins: a dot product is the Bhattacharyya coefficient, in [0, 1]."""

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """float32 (N, 256), rows of length 1."""
        return np.stack([_histogram(picture) for picture in pictures])


def _histogram(picture: Picture) -> NDArray[np.float32]:
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, list(BINS), [0, 180, 0, 256, 0, 256]).ravel()
    return np.asarray(np.sqrt(counts / counts.sum()), dtype=np.float32)
