"""Evidence of a segment -> the probability that it is a copy.

A logistic regression on what is measured along the line; where local features were compared, a second one on that
and on what they say. The parameters belong to the descriptor model: see `vcd.align.calibration`.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from vcd.align.calibration import EVIDENCE, FALLBACK, GEOMETRY, Calibration, Logistic, load_calibration
from vcd.align.extent import Run, along
from vcd.align.line import Line
from vcd.types import Descriptors, Evidence, Segment

SHIFTS_S = (-4.0, -2.5, 2.5, 4.0)
"""A copy stops looking alike when one side is shifted by this much; a look-alike scene does not."""
MEMORY = 64
"""Frames of a run that a frame is compared with to see whether it shows anything new."""
SUPPORT = 0.1
"""A frame with this margin supports a segment."""
NEW_SHOT = 0.4
"""Neighbouring frames with a lower margin to each other belong to different shots."""


def weigh(query: Descriptors, reference: Descriptors, line: Line, run: Run, floor: float) -> Evidence:
    """Gather the evidence of one run; `floor` is the similarity of unrelated pictures."""
    known = ~np.isnan(run.similarities)
    known |= not known.any()
    rows = run.first + np.flatnonzero(known)
    margins = np.clip((np.nan_to_num(run.similarities[known]) - floor) / (1 - floor), 0, 1)
    supporting = margins >= SUPPORT
    support = margins[supporting] if supporting.any() else np.zeros(1)
    weights = np.clip(query.quality[rows], 0, 1)
    news = _news(query.vectors[rows], floor) * margins * weights
    shots = np.cumsum(_margin_before(query.vectors[rows], floor) < NEW_SHOT)
    return Evidence(
        log_gain=float(np.log(max(run.gain, 1e-3))),
        log_news=float(np.log(max(float(news.sum()), 1e-3))),
        log_shots=float(np.log(1 + len(np.unique(shots[supporting])))),
        coverage=float(supporting.mean()),
        margin=float(np.median(support)),
        low_margin=float(np.quantile(support, 0.1)),
        sharpness=_sharpness(query, reference, line, rows, floor),
        covariation=_covariation(query, reference, line, rows),
        rarity=float(weights.mean()),
        speed=abs(float(np.log(abs(line.speed)))),
        backwards=float(line.speed < 0),
    )


def score_run(evidence: Evidence, calibration: Calibration | None = None) -> float:
    """Probability from the evidence alone; without a calibration that of the fallback."""
    calibration = calibration or load_calibration(FALLBACK, 0.0)
    if evidence.still:
        return _probability(_log_odds(calibration.still, {"margin": evidence.margin})) * min(1.0, 2 * evidence.rarity)
    return _probability(_log_odds(calibration.segment, {name: getattr(evidence, name) for name in EVIDENCE}))


def rescore(segment: Segment, calibration: Calibration) -> Segment:
    """The segment with the score that its evidence, and its geometry where there is one, have under a calibration."""
    if segment.evidence is None:
        return segment
    score = score_run(segment.evidence, calibration)
    if segment.geometry is not None:
        odds = float(np.log(np.clip(score, 1e-6, 1 - 1e-6) / np.clip(1 - score, 1e-6, 1)))
        values = {"log_odds": odds, **{name: float(asdict(segment.geometry)[name]) for name in GEOMETRY}}
        logistic = calibration.still_geometry if segment.evidence.still else calibration.geometry
        compared = _probability(_log_odds(logistic, values))
        # What local features confirm they do not make less probable, however few pictures could be compared.
        score = max(score, compared) if segment.verified else compared
    return replace(segment, score=score)


def _sharpness(query: Descriptors, reference: Descriptors, line: Line, rows: NDArray[np.int64], floor: float) -> float:
    """How much less alike the run is when it is moved in time, at the better of the places tried."""
    moved = [along(query, reference, Line(line.speed, line.offset_s + shift_s))[rows] for shift_s in SHIFTS_S]
    here = along(query, reference, line)[rows]
    means = [float(np.nan_to_num(np.clip((found - floor) / (1 - floor), 0, 1)).mean()) for found in (here, *moved)]
    return means[0] - max(means[1:])


def _covariation(query: Descriptors, reference: Descriptors, line: Line, rows: NDArray[np.int64]) -> float:
    """Correlation of both sides, each less its mean vector, at the moments of the reference's frames.

    A query is sampled more closely, so that one of its frames lies near each of those moments, but not the reverse.
    """
    low_s, high_s = sorted(line.at(query.times_s[rows[[0, -1]]]).tolist())
    columns = np.flatnonzero((reference.times_s >= low_s) & (reference.times_s <= high_s))
    if len(columns) < 2:
        return 0.0
    at_s = (reference.times_s[columns] - line.offset_s) / line.speed
    nearest = np.abs(query.times_s[rows] - at_s[:, None]).argmin(axis=1)
    q, r = query.vectors[rows[nearest]], reference.vectors[columns]
    q, r = q - q.mean(axis=0), r - r.mean(axis=0)
    spread = float(np.sqrt((q * q).sum() * (r * r).sum()))
    return float(np.clip((q * r).sum() / spread, -1, 1)) if spread > 1e-6 else 0.0


def _news(vectors: NDArray[np.float32], floor: float) -> NDArray[np.float64]:
    """float64 (n,): 1 for a frame unlike all before it, 0 for one that repeats an earlier one."""
    news = np.ones(len(vectors))
    for row in range(1, len(vectors)):
        seen = float((vectors[max(0, row - MEMORY) : row] @ vectors[row]).max())
        news[row] = min(1.0, max(0.0, (1 - seen) / (1 - floor)))
    return news


def _margin_before(vectors: NDArray[np.float32], floor: float) -> NDArray[np.float64]:
    """float64 (n,), margin of each frame to the one before it; that of the first is 1."""
    margins = np.ones(len(vectors))
    margins[1:] = (np.einsum("nd,nd->n", vectors[1:], vectors[:-1]) - floor) / (1 - floor)
    return margins


def _log_odds(logistic: Logistic, values: Mapping[str, float]) -> float:
    return logistic.intercept + sum(weight * values[name] for name, weight in logistic.weights.items())


def _probability(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))))
