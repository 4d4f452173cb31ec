"""Whether what moves in the query moves in the reference alike: tells a copy from the same set-up filmed twice.

A set agrees with itself whenever it is filmed, so features on it prove nothing; people and cameras never move twice in
the same way. Compared is the change from one picture to the next, laid over each other.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.types import Picture

MOVES = 10.0
"""Change of luminance, of 255, that is more than noise and compression."""
ENOUGH = 0.004
"""Share of the common area that must move in the livelier picture."""
BLUR_PX = 5


@dataclass(frozen=True, slots=True)
class Change:
    """Products of the changes of both sides, summed over the places where something moves."""

    both: float
    query: float
    reference: float


def compare_motion(
    query: tuple[Picture, Picture],
    reference: tuple[Picture, Picture],
    matrix: NDArray[np.float64],
    free: NDArray[np.uint8] | None,
) -> Change | None:
    """None when nothing moves there; `matrix` lays the reference over the query, `free` is where nothing covers it."""
    height, width = query[0].shape[:2]
    laid = [cv2.warpAffine(_grey(picture), matrix, (width, height)) for picture in reference]
    seen = cv2.warpAffine(np.ones(reference[0].shape[:2], dtype=np.uint8), matrix, (width, height)) > 0
    seen = cv2.erode(seen.astype(np.uint8), np.ones((9, 9), dtype=np.uint8)) > 0
    if free is not None:
        seen &= free > 0
    q_change = (_grey(query[1]) - _grey(query[0])) * seen
    r_change = (laid[1] - laid[0]) * seen
    moving = np.maximum(np.abs(q_change), np.abs(r_change)) > MOVES
    if not seen.any() or moving.sum() < ENOUGH * seen.sum():
        return None
    q, r = q_change[moving], r_change[moving]
    return Change(float(q @ r), float(q @ q), float(r @ r))


def correlate(changes: list[Change]) -> float:
    """Of all changes together, -1 to 1; each moment counts alike. 0 when there are none."""
    shares = [change.both / max(1e-6, float(np.sqrt(change.query * change.reference))) for change in changes]
    return float(np.clip(np.median(shares), -1, 1)) if shares else 0.0


def _grey(picture: Picture) -> NDArray[np.float32]:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), BLUR_PX / 2), dtype=np.float32)
