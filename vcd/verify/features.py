"""Two pictures -> the similarity transform that lays one over the other, from local features.

SIFT (Lowe, IJCV 2004) with the square-root normalisation of Arandjelovic and Zisserman (CVPR 2012), or ORB (Rublee et
al., ICCV 2011); nearest neighbours that pass the ratio test and choose each other; RANSAC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.types import Picture

LIMIT = 600
"""Features of a picture, strongest first."""
RATIO = 0.8
ENOUGH_FEATURES = 20
"""A picture with fewer says nothing, for or against."""
WITHIN_PX = 4.0
"""A feature that lands this near its partner follows the transform."""
ENOUGH_INLIERS = 10
"""Features that must follow a transform for it to be more than chance."""
MIN_INLIER_RATIO = 0.25
SCALES = 0.15, 7.0
"""A reference is shown no smaller and no larger than this."""
SEED = 7
"""Of RANSAC, so that the same pictures give the same transform."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Local features (F of them) of one picture."""

    points: NDArray[np.float32]
    """float32 (F, 2), x and y in pixels."""
    vectors: NDArray[np.float32]
    """float32 (F, D); the greater the dot product, the more alike."""

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """How a reference's picture lies in a query's."""

    matrix: NDArray[np.float64]
    """float64 (2, 3), from pixels of the reference to those of the query: rotation, one scale, shift."""
    inliers: int


Finder = Callable[[Picture, NDArray[np.uint8] | None], Features]
"""A picture and where to look (None: everywhere) -> its features."""


def find_sift(picture: Picture, mask: NDArray[np.uint8] | None) -> Features:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    points, vectors = cv2.SIFT_create(nfeatures=LIMIT, contrastThreshold=0.02).detectAndCompute(grey, mask)
    if vectors is None:
        return _nothing(128)
    roots = np.sqrt(vectors / np.maximum(vectors.sum(axis=1, keepdims=True), 1e-6))
    return Features(_coordinates(points), roots.astype(np.float32))


def find_orb(picture: Picture, mask: NDArray[np.uint8] | None) -> Features:
    """Bits become -1 and 1, scaled so that a dot product is 1 less the share of different bits, twice."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    points, vectors = cv2.ORB_create(nfeatures=LIMIT, fastThreshold=10).detectAndCompute(grey, mask)
    if vectors is None:
        return _nothing(256)
    bits = np.unpackbits(vectors, axis=1).astype(np.float32)
    return Features(_coordinates(points), (2 * bits - 1) / np.float32(np.sqrt(bits.shape[1])))


FINDERS: Mapping[str, Finder] = {"sift": find_sift, "orb": find_orb}


def find_overlay(query: Features, reference: Features) -> Overlay | None:
    """None when no transform is followed by enough features."""
    q_rows, r_rows = match_features(query, reference)
    if len(q_rows) < ENOUGH_INLIERS:
        return None
    cv2.setRNGSeed(SEED)
    matrix, kept = cv2.estimateAffinePartial2D(
        reference.points[r_rows], query.points[q_rows],
        method=cv2.RANSAC, ransacReprojThreshold=WITHIN_PX, maxIters=2000, confidence=0.995,
    )  # fmt: skip
    if matrix is None:
        return None
    inliers = int(kept.sum())
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if inliers < max(ENOUGH_INLIERS, MIN_INLIER_RATIO * len(q_rows)) or not SCALES[0] <= scale <= SCALES[1]:
        return None
    # Many features on one spot, such as a logo, fix nothing.
    spread_px = query.points[q_rows[kept.ravel().astype(bool)]].std(axis=0)
    return Overlay(matrix, inliers) if float(spread_px.min()) > 2 * WITHIN_PX else None


def match_features(query: Features, reference: Features) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of both sides that are each other's nearest, and much nearer than the second nearest."""
    if len(query) < 2 or len(reference) < 2:
        none = np.zeros(0, dtype=np.int64)
        return none, none
    distances = np.sqrt(np.maximum(0, 2 - 2 * (query.vectors @ reference.vectors.T)))
    two = np.partition(distances, 1, axis=1)[:, :2]
    nearest, back = distances.argmin(axis=1), distances.argmin(axis=0)
    rows = np.arange(len(query))
    kept = (two[:, 0] < RATIO * two[:, 1]) & (back[nearest] == rows)
    return rows[kept], nearest[kept]


def _coordinates(points: Any) -> NDArray[np.float32]:
    return np.array([point.pt for point in points], dtype=np.float32).reshape(-1, 2)


def _nothing(dimension: int) -> Features:
    return Features(np.zeros((0, 2), dtype=np.float32), np.zeros((0, dimension), dtype=np.float32))
