"""Two pictures' local features -> the similarity transform that lays one picture over the other.

Nearest neighbours that pass the ratio test and choose each other; RANSAC.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.local.features import FINDERS as FINDERS
from vcd.local.features import Features as Features
from vcd.local.features import Finder as Finder

ENOUGH_FEATURES = 20
"""A picture with fewer says nothing, for or against."""
ENOUGH_INLIERS = 10
"""Features that must follow a transform for it to be more than chance."""
MIN_INLIER_RATIO = 0.25
SCALES = 0.15, 7.0
"""A reference is shown no smaller and no larger than this."""
FIRM = 0.5
"""Features with less weight, those on text, do not shape the transform where there are enough others."""
MIN_SPREAD_PX = 8.0
SEED = 7
"""Of RANSAC, so that the same pictures give the same transform."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """How a reference's picture lies in a query's."""

    matrix: NDArray[np.float64]
    """float64 (2, 3), from pixels of the reference to those of the query: rotation, one scale, shift."""
    inliers: int
    """Features that follow the transform, by their weights."""


def find_overlay(query: Features, reference: Features) -> Overlay | None:
    """None when no transform is followed by enough features."""
    q_rows, r_rows = match_features(query, reference)
    weights = np.minimum(query.weights[q_rows], reference.weights[r_rows])
    firm = weights > FIRM
    used = firm if firm.sum() >= ENOUGH_INLIERS else np.ones(len(weights), dtype=bool)
    if used.sum() < ENOUGH_INLIERS:
        return None
    cv2.setRNGSeed(SEED)
    matrix, kept = cv2.estimateAffinePartial2D(
        reference.points[r_rows[used]], query.points[q_rows[used]],
        method=cv2.RANSAC, ransacReprojThreshold=query.within_px, maxIters=2000, confidence=0.995,
    )  # fmt: skip
    if matrix is None:
        return None
    inside = kept.ravel().astype(bool)
    inliers = round(float(weights[used][inside].sum()))
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    least = max(ENOUGH_INLIERS, MIN_INLIER_RATIO * float(weights[used].sum()))
    if inliers < least or not SCALES[0] <= scale <= SCALES[1]:
        return None
    # Many features on one spot, such as a logo, fix nothing.
    spread_px = query.points[q_rows[used][inside]].std(axis=0)
    return Overlay(matrix, inliers) if float(spread_px.min()) > MIN_SPREAD_PX else None


def match_features(query: Features, reference: Features) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of both sides that are each other's nearest, and much nearer than the second nearest."""
    if len(query) < 2 or len(reference) < 2:
        none = np.zeros(0, dtype=np.int64)
        return none, none
    distances = np.sqrt(np.maximum(0, 2 - 2 * (query.vectors @ reference.vectors.T)))
    two = np.partition(distances, 1, axis=1)[:, :2]
    nearest, back = distances.argmin(axis=1), distances.argmin(axis=0)
    rows = np.arange(len(query))
    kept = (two[:, 0] < query.ratio * two[:, 1]) & (back[nearest] == rows)
    return rows[kept], nearest[kept]
