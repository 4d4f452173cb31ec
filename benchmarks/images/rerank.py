"""Ordering what a describer found anew by local features, as the product does with a single picture.

Of each query the most alike references, by all of its views, are compared by geometry, the query upright and mirrored.
The score is the product's: `vcd.align.rescore` on the evidence of one pair of pictures.
"""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.images.scores import Matrix
from benchmarks.images.stored import Item
from vcd.align import Calibration, rescore
from vcd.align.still import still_evidence
from vcd.local.features import Features, Finder
from vcd.types import Geometry, Picture, Segment, Span
from vcd.verify.features import ENOUGH_FEATURES, ENOUGH_INLIERS, find_overlay

COMPARED = 8
"""References of a query, best first: the product's `verify.stills`."""


class Reranker:
    """Local features of the references, found when they are first needed."""

    def __init__(self, references: Sequence[Item], finder: Finder, calibration: Calibration) -> None:
        self._references, self._finder, self._calibration = references, finder, calibration
        self._of = lru_cache(maxsize=4096)(self._find)

    def rerank(self, queries: Sequence[Item], similarities: Matrix) -> Matrix:
        """float32 (Q, R), log-odds: of what was compared the product's, of all else what the similarity gives."""
        scores = np.stack([self._plain(row) for row in similarities])
        for number, query in enumerate(queries):
            best = np.argsort(-similarities[number], kind="stable")[:COMPARED]
            looks = [self._finder(look, None) for look in _looks(query.picture())]
            for column in best:
                scores[number, column] = self._score(float(similarities[number, column]), looks, int(column))
            # What was not looked at comes behind all that was: the product does not show it.
            others = np.setdiff1d(np.arange(len(self._references)), best)
            scores[number, others] = np.minimum(scores[number, others], scores[number, best].min() - 1e-3)
        return scores.astype(np.float32)

    def _plain(self, row: NDArray[np.float32]) -> NDArray[np.float64]:
        floor, still = self._calibration.unrelated_similarity, self._calibration.still
        margins = np.clip((row.astype(np.float64) - floor) / (1 - floor), 0, 1)
        # Below the floor no evidence is left, but an order.
        return still.intercept + still.weights["margin"] * margins + np.minimum(0, row - floor)

    def _score(self, similarity: float, looks: Sequence[Features], column: int) -> float:
        evidence = still_evidence(similarity, 1.0, self._calibration.unrelated_similarity)
        plain = float(self._plain(np.array([similarity], dtype=np.float32))[0])
        inliers = max((self._inliers(look, self._of(column)) for look in looks), default=-1)
        if inliers < 0:
            return plain
        there = inliers >= ENOUGH_INLIERS
        geometry = Geometry(1, float(np.log1p(inliers)), float(there), 0.0, 0.0)
        moment = Span(0.0, 0.0)
        segment = Segment("q", "r", moment, moment, 0.5, verified=there, evidence=evidence, geometry=geometry)
        score = rescore(segment, self._calibration).score
        odds = float(np.log(max(score, 1e-9) / max(1 - score, 1e-9)))
        # Where the probability is all but 1 or 0, as before, so that there is an order.
        return odds + 1e-3 * plain

    def _inliers(self, query: Features, reference: Features) -> int:
        """-1 where one of the two has too few features to say anything."""
        if min(query.weights.sum(), reference.weights.sum()) < ENOUGH_FEATURES:
            return -1
        found = find_overlay(query, reference)
        return found.inliers if found else 0

    def _find(self, column: int) -> Features:
        return self._finder(self._references[column].picture(), None)


def _looks(picture: Picture) -> list[Picture]:
    return [picture, np.asarray(cv2.flip(picture, 1), dtype=np.uint8)]
