"""Evidence of a segment -> the probability that it is a copy.

A logistic regression on five measures of evidence, fitted to 1,344 candidate segments (143 of them true) of 150 clips
that were cut from real films, edited (recompression, size, crop, logo, subtitle, gamma, mirror, letterbox, speed) and
spliced between foreign material. Fitted on one half of the sources and checked on the other it kept 46 of 51 true
segments at 0.5 with no false one, and its probabilities agreed with the observed shares. It holds for the built-in
model; others shift it.
"""

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from vcd.align.extent import Run, along
from vcd.align.line import Line
from vcd.types import Descriptors

SHIFT_S = 4.0
"""A copy stops looking alike when one side is shifted by this much; a look-alike scene does not."""
MEMORY = 64
"""Frames of a run that a frame is compared with to see whether it shows anything new."""

INTERCEPT = -5.17
WEIGHTS = (0.73, 1.26, 6.4, 6.09, -5.57)
"""Of the fields of `Evidence`, in order."""
HALF_STILL = 0.68
"""Similarity at which a single pair of pictures is as likely chance as copy."""
STILL_STEEPNESS = 28.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a run being a copy."""

    log_gain: float
    """Logarithm of the sum of gains along the run."""
    log_news: float
    """Logarithm of the same sum with each frame weighed by how much it differs from the run's earlier ones: one
    static shot is one piece of evidence, however long."""
    margin: float
    """How far the supporting frames stand out of unrelated pictures: 0 not at all, 1 identical; their median."""
    sharpness: float
    """Mean similarity along the line minus that along the line shifted by SHIFT_S to the better side."""
    speed: float
    """Absolute logarithm of the speed: unusual speeds fit by chance more often."""


def weigh(query: Descriptors, reference: Descriptors, line: Line, run: Run, floor: float) -> Evidence:
    """Gather the evidence of one run; `floor` is the similarity of unrelated pictures."""
    rows = slice(run.first, run.stop)
    margins = np.clip((run.similarities - floor) / (1 - floor), 0, 1)
    support = margins[margins > 0]
    news = _news(query.vectors[rows], floor) * margins * query.quality[rows]
    shifted = [
        along(query, reference, Line(line.speed, line.offset_s + shift_s))[rows] for shift_s in (-SHIFT_S, SHIFT_S)
    ]
    return Evidence(
        log_gain=float(np.log(max(run.gain, 1e-3))),
        log_news=float(np.log(max(float(news.sum()), 1e-3))),
        margin=float(np.median(support)) if len(support) else 0.0,
        sharpness=float(run.similarities.mean()) - max(float(shift.mean()) for shift in shifted),
        speed=abs(float(np.log(line.speed))),
    )


def score_run(evidence: Evidence) -> float:
    return _logistic(INTERCEPT + float(np.dot(WEIGHTS, astuple(evidence))))


def score_still(similarity: float, quality: float) -> float:
    """One pair of pictures has nothing but its similarity."""
    return _logistic(STILL_STEEPNESS * (similarity - HALF_STILL)) * min(1.0, 2 * quality)


def _news(vectors: NDArray[np.float32], floor: float) -> NDArray[np.float64]:
    """float64 (n,): 1 for a frame unlike all before it, 0 for one that repeats an earlier one."""
    news = np.ones(len(vectors))
    for row in range(1, len(vectors)):
        seen = float((vectors[max(0, row - MEMORY) : row] @ vectors[row]).max())
        news[row] = min(1.0, max(0.0, (1 - seen) / (1 - floor)))
    return news


def _logistic(x: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(x, -30, 30))))
