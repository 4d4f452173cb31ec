"""Scored candidates of a corpus that nothing was fitted to -> whether the scores mean what they say."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibrate.candidates import Candidate
from benchmarks.calibrate.corpus import Read

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
BINS = 10
WANTED_PRECISION = 0.99


def check(candidates: Sequence[Candidate], read: Read) -> dict[str, Any]:
    """Precision and false rows at thresholds, the reliability bins and the expected calibration error."""
    scores = np.array([c.segment.score for c in candidates])
    true = np.array([c.true for c in candidates], dtype=bool)
    exposure = read.query_minutes * read.reference_hours / 1000
    rows = [_at(threshold, scores, true, exposure) for threshold in THRESHOLDS]
    good = [t for t in np.unique(scores) if _precision(scores, true, t) >= WANTED_PRECISION]
    bins = reliability(scores, true)
    return {
        "candidates": len(candidates),
        "true": int(true.sum()),
        "false": int((~true).sum()),
        "copies_in_truth": len(read.truth.copies),
        "query_minutes": round(read.query_minutes, 2),
        "reference_hours": round(read.reference_hours, 3),
        "thresholds": rows,
        "least_score_with_precision_99": float(min(good)) if good else None,
        "ece": round(sum(b["share"] * abs(b["mean_score"] - b["true_share"]) for b in bins), 4),
        "reliability": bins,
    }


def reliability(scores: NDArray[np.float64], true: NDArray[np.bool_]) -> list[dict[str, float]]:
    """Bins of equal width that hold anything: mean score, share of true ones, and how many there are."""
    numbers = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        {
            "mean_score": float(scores[numbers == number].mean()),
            "true_share": float(true[numbers == number].mean()),
            "count": int((numbers == number).sum()),
            "share": float((numbers == number).mean()),
        }
        for number in range(BINS)
        if (numbers == number).any()
    ]


def _at(threshold: float, scores: NDArray[np.float64], true: NDArray[np.bool_], exposure: float) -> dict[str, Any]:
    """Of rows with that score or more. With no false one seen, 3 is what 95 % confidence allows for (rule of three)."""
    shown = scores >= threshold
    false = int((shown & ~true).sum())
    return {
        "threshold": threshold,
        "rows": int(shown.sum()),
        "false": false,
        "precision": round(_precision(scores, true, threshold), 4) if shown.any() else None,
        "recall_of_true_candidates": round(float((shown & true).sum() / max(1, true.sum())), 4),
        "false_per_1000_query_minutes_x_reference_hours": round(false / exposure, 3),
        "at_most_with_95_percent_confidence": round((false or 3) / exposure, 3) if false == 0 else None,
    }


def _precision(scores: NDArray[np.float64], true: NDArray[np.bool_], threshold: float) -> float:
    shown = scores >= threshold
    return float(true[shown].mean()) if shown.any() else 0.0
