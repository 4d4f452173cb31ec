"""Evidence of a segment -> the probability that it is a copy.

A logistic curve over the evidence. Its coefficients are set by hand from what true and chance alignments of the
built-in describer score; they are not yet fitted to a corpus.
"""

import numpy as np
from numpy.typing import NDArray

HALF_GAIN = 1.1
"""Sum of gains at which a run is as likely chance as copy."""
HALF_STILL = 0.62
"""Similarity at which a single pair of pictures is as likely chance as copy."""
STILL_STEEPNESS = 28.0


def score_run(gain: float, similarities: NDArray[np.float64], floor: float) -> float:
    """Grows with the evidence's sum and with how clearly the supporting frames stand out."""
    support = similarities[similarities > floor]
    if not len(support):
        return 0.0
    margin = (float(np.median(support)) - floor) / (1 - floor)
    return float(_logistic(3.0 * np.log(max(gain, 1e-6) / HALF_GAIN) + 4.0 * (margin - 0.3)))


def score_still(similarity: float, quality: float) -> float:
    """One pair of pictures has nothing but its similarity."""
    return float(_logistic(STILL_STEEPNESS * (similarity - HALF_STILL)) * min(1.0, 2 * quality))


def _logistic(x: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(x, -30, 30))))
