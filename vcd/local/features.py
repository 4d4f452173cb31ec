"""A picture -> its local features.

SIFT (Lowe, IJCV 2004) with the square-root normalisation of Arandjelovic and Zisserman (CVPR 2012), or ORB (Rublee et
al., ICCV 2011). Features on letters weigh little: two pictures with the same words on them are not the same picture.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.local.text import find_text
from vcd.view import Picture

LIMIT = 600
"""Features of a picture, strongest first."""
RATIO = 0.8
WITHIN_PX = 4.0
TEXT_WEIGHT = 0.1
"""Of a feature on text: a page of print, with hundreds, still says something; a caption does not."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Local features (F of them) of one picture."""

    points: NDArray[np.float32]
    """float32 (F, 2), x and y in pixels."""
    vectors: NDArray[np.float32]
    """float32 (F, D); the greater the dot product, the more alike."""
    weights: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    """float32 (F,), how much each says, in (0, 1]; ones where nothing is given."""
    ratio: float = RATIO
    """The best partner must be nearer than this share of the distance of the second best."""
    within_px: float = WITHIN_PX
    """A feature that lands this near its partner follows the transform."""

    def __post_init__(self) -> None:
        if not len(self.weights):
            object.__setattr__(self, "weights", np.ones(len(self.points), dtype=np.float32))
        if not len(self.points) == len(self.vectors) == len(self.weights):
            raise ValueError(f"{len(self.points)} points, {len(self.vectors)} vectors, {len(self.weights)} weights")

    def __len__(self) -> int:
        return len(self.points)


Finder = Callable[[Picture, NDArray[np.uint8] | None], Features]
"""A picture and where to look (None: everywhere) -> its features."""


def find_sift(picture: Picture, mask: NDArray[np.uint8] | None) -> Features:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    text = find_text(picture)
    sift = cv2.SIFT_create(contrastThreshold=0.02)
    found = sift.detect(grey, mask)
    if not found:
        return _nothing(128)
    # Letters, which are the strongest, must not take the places of all else.
    strength = weigh(text, _coordinates(found)) * np.array([point.response for point in found])
    points, vectors = sift.compute(grey, [found[row] for row in np.argsort(-strength, kind="stable")[:LIMIT]])
    roots = np.sqrt(vectors / np.maximum(vectors.sum(axis=1, keepdims=True), 1e-6))
    at = _coordinates(points)
    return Features(at, roots.astype(np.float32), weigh(text, at))


def find_orb(picture: Picture, mask: NDArray[np.uint8] | None) -> Features:
    """Bits become -1 and 1, scaled so that a dot product is 1 less the share of different bits, twice."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    points, vectors = cv2.ORB_create(nfeatures=LIMIT, fastThreshold=10).detectAndCompute(grey, mask)
    if vectors is None:
        return _nothing(256)
    bits = np.unpackbits(vectors, axis=1).astype(np.float32)
    at = _coordinates(points)
    return Features(at, (2 * bits - 1) / np.float32(np.sqrt(bits.shape[1])), weigh(find_text(picture), at))


FINDERS: Mapping[str, Finder] = {"sift": find_sift, "orb": find_orb}
"""Those that need no network."""


def weigh(text: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 (F,): `TEXT_WEIGHT` for what lies on text (`find_text`), 1 for all else."""
    height, width = text.shape
    columns = np.clip(points[:, 0].round().astype(np.int64), 0, width - 1)
    rows = np.clip(points[:, 1].round().astype(np.int64), 0, height - 1)
    return np.where(text[rows, columns] > 0, TEXT_WEIGHT, 1).astype(np.float32)


def _coordinates(points: Any) -> NDArray[np.float32]:
    return np.array([point.pt for point in points], dtype=np.float32).reshape(-1, 2)


def _nothing(dimension: int) -> Features:
    return Features(np.zeros((0, 2), dtype=np.float32), np.zeros((0, dimension), dtype=np.float32))
