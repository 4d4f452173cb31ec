"""Pictures that show the same: of each group only one may stay, or a right answer would count as a wrong one.

Real collections hold one photo cropped in two ways, and screenshots of one page. Candidates are pairs alike in layout
or in colours; a pair is confirmed by local features that agree on one shift, scale and turn, which none of the measured
describers decides. Not found: a picture changed in both layout and colours, as by a crop of its grey version.
"""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.describe import make_describer
from vcd.describe.histogram import ColourHistogram
from vcd.types import Picture

ALIKE_LAYOUT, ALIKE_COLOURS = 0.6, 0.9
"""Cosine of `regional-dct` and of `ColourHistogram` from which a pair is looked at."""
SAME_LAYOUT = 0.9
"""Cosine of `regional-dct` that is enough alone: a smooth picture has no local features."""
LEAST_AGREEING = 20
"""Local features on one similarity transform; what chance brings together has about ten."""
FEATURES, RATIO, REACH_PX = 500, 0.75, 4.0
"""Local features a picture; Lowe's ratio test; how exactly they must agree."""

Found = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Places float32 (n, 2) and descriptors float32 (n, 128)."""


def distinct(pictures: Sequence[Picture]) -> list[int]:
    """Numbers of the pictures to keep, rising: each that is no twin of one kept before it."""
    vectors = make_describer("regional-dct").describe(pictures)
    colours = ColourHistogram().describe(pictures)
    layout, colour = vectors @ vectors.T, colours @ colours.T
    looked_at = (layout >= ALIKE_LAYOUT) | (colour >= ALIKE_COLOURS)

    @cache
    def features(number: int) -> Found:
        return find_features(pictures[number])

    kept: list[int] = []
    for number in range(len(pictures)):
        candidates = [other for other in kept if looked_at[number, other]]
        if not any(
            layout[number, other] >= SAME_LAYOUT or agreeing(features(number), features(other)) >= LEAST_AGREEING
            for other in candidates
        ):
            kept.append(number)
    return kept


def find_features(picture: Picture) -> Found:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    points, vectors = cv2.SIFT_create(nfeatures=FEATURES).detectAndCompute(grey, None)
    if vectors is None:
        return np.zeros((0, 2), dtype=np.float32), np.zeros((0, 128), dtype=np.float32)
    return np.array([point.pt for point in points], dtype=np.float32), vectors


def agreeing(one: Found, other: Found) -> int:
    """How many features of one picture lie in the other where a single similarity transform puts them."""
    if min(len(one[0]), len(other[0])) < LEAST_AGREEING:
        return 0
    pairs = cv2.BFMatcher().knnMatch(one[1], other[1], k=2)
    good = [best for best, second in pairs if best.distance < RATIO * second.distance]
    if len(good) < LEAST_AGREEING:
        return 0
    places = (one[0][[match.queryIdx for match in good]], other[0][[match.trainIdx for match in good]])
    _, inside = cv2.estimateAffinePartial2D(*places, ransacReprojThreshold=REACH_PX)
    return 0 if inside is None else int(inside.sum())
