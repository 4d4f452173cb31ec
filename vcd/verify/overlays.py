"""Pictures of a query -> where something lies over all of them: logos, subtitles that stay, borders, templates."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.types import Picture

STILL = 4.0
"""Standard deviation over time, of 255, below which a place does not change."""
LIVELY = 12.0
"""Where half of the picture changes by less than this, all of it is quiet, and nothing can be told apart."""
FEW = 4
"""Pictures that say too little about change."""


def find_free_area(pictures: Sequence[Picture]) -> NDArray[np.uint8] | None:
    """uint8 (H, W), 255 where the pictures change over time and 0 where something stays; None when nothing stays.

    The pictures have one size.
    """
    if len(pictures) < FEW or len({picture.shape for picture in pictures}) > 1:
        return None
    stack = np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures]).astype(np.float32)
    change = cv2.blur(stack.std(axis=0), (5, 5))
    still = change < STILL
    if float(np.median(change[~still] if still.any() and not still.all() else change)) < LIVELY or not still.any():
        return None
    covered = cv2.dilate(still.astype(np.uint8), np.ones((7, 7), dtype=np.uint8))
    return np.asarray(255 * (1 - covered), dtype=np.uint8)
