"""Candidates -> the parameters of a calibration."""

import warnings
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.calibrate.candidates import Candidate
from vcd.types import Evidence, Geometry

EVIDENCE = [f.name for f in fields(Evidence) if f.name != "still"]
GEOMETRY = [f.name for f in fields(Geometry) if f.name != "pairs"]
FOR = {"log_gain", "log_news", "log_shots", "coverage", "margin", "low_margin", "sharpness", "covariation",
       "rarity", "log_odds", "log_inliers", "agreement", "motion"}  # fmt: skip
"""Measures of which more can only speak for a copy, whatever a small corpus says ..."""
AGAINST = {"speed", "backwards", "moving"}
"""... or only against one. A measure whose weight comes out with the other sign is left out."""
STRENGTH = 1.0
"""Inverse of the regularisation (C), on standardised measures."""
FEWEST = 8
"""True and false ones each that a fit needs."""


class TooFew(ValueError):
    """The corpus gives too few true or too few false segments."""


def fit_segments(candidates: Sequence[Candidate]) -> dict[str, Any]:
    rows = [asdict(c.segment.evidence) for c in candidates if c.segment.evidence and not c.segment.evidence.still]
    true = [c.true for c in candidates if c.segment.evidence and not c.segment.evidence.still]
    return fit(EVIDENCE, np.array([[row[name] for name in EVIDENCE] for row in rows]), np.array(true))


def fit_geometry(candidates: Sequence[Candidate]) -> dict[str, Any]:
    """On segments whose score was made from their evidence alone."""
    names = ["log_odds", *GEOMETRY]
    rows = []
    for candidate in candidates:
        score = float(np.clip(candidate.segment.score, 1e-6, 1 - 1e-6))
        assert candidate.segment.geometry
        rows.append({"log_odds": np.log(score / (1 - score)), **asdict(candidate.segment.geometry)})
    return fit(names, np.array([[row[name] for name in names] for row in rows]), np.array([c.true for c in candidates]))


def fit_stills(margins: NDArray[np.float64], true: NDArray[np.bool_]) -> dict[str, Any]:
    return fit(["margin"], margins[:, None], true)


def fit(names: Sequence[str], values: NDArray[np.float64], true: NDArray[np.bool_]) -> dict[str, Any]:
    """A logistic regression with L2 regularisation; measures that come out with an impossible sign are left out."""
    if min(int(true.sum()), int((~true).sum())) < FEWEST:
        raise TooFew(f"{int(true.sum())} true and {int((~true).sum())} false ones; each must be at least {FEWEST}")
    kept = [number for number in range(len(names)) if float(np.ptp(values[:, number])) > 1e-9]
    while True:
        chosen = values[:, kept]
        mean, std = chosen.mean(axis=0), chosen.std(axis=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LogisticRegression(C=STRENGTH, max_iter=2000).fit((chosen - mean) / std, true)
        weights = model.coef_[0] / std
        wrong = [
            (abs(model.coef_[0][at]), number)
            for at, number in enumerate(kept)
            if (names[number] in FOR and weights[at] < 0) or (names[number] in AGAINST and weights[at] > 0)
        ]
        if not wrong:
            break
        kept.remove(max(wrong)[1])
    intercept = float(model.intercept_[0] - (weights * mean).sum())
    named = {names[number]: round(float(weight), 4) for number, weight in zip(kept, weights, strict=True)}
    return {"intercept": round(intercept, 4), "weights": named}
