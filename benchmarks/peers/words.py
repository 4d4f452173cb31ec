"""SIFT and a bag of visual words (Sivic and Zisserman, ICCV 2003): local features, clustered, counted, weighed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.images.words import features as rootsift
from vcd.describe.card import ModelCard
from vcd.describe.describer import unit_rows
from vcd.types import Picture

WORDS = 512
MAX_TRAINING = 60_000
"""Features that the words are clustered from."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The words, and how much each says."""

    words: NDArray[np.float32]
    """float32 (W, 128)."""
    rarity: NDArray[np.float32]
    """float32 (W,), inverse document frequency: logarithm of pictures by pictures with that word."""

    @classmethod
    def learn(cls, pictures: Iterable[Picture], seed: int = 0) -> Self:
        """Cluster the features of some pictures, which should be none of those that are searched for."""
        features = [found for picture in pictures if len(found := rootsift(picture))]
        every = np.concatenate(features)
        kept = np.random.default_rng(seed).permutation(len(every))[:MAX_TRAINING]
        count = min(WORDS, len(kept))
        means = faiss.Kmeans(128, count, niter=10, seed=seed, min_points_per_centroid=1)
        means.train(every[kept])
        words = np.array(means.centroids, dtype=np.float32)
        having = np.sum([np.bincount(_nearest(words, f), minlength=count) > 0 for f in features], axis=0)
        return cls(words, np.log((1 + len(features)) / (1 + having)).astype(np.float32))

    def save(self, path: Path) -> None:
        np.savez(path, words=self.words, rarity=self.rarity)

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path) as stored:
            return cls(stored["words"], stored["rarity"])


class VisualWords:
    """Counts of words, weighed by their rarity; a picture without features is a row of zeros."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.card = ModelCard(name="sift-words", dimension=len(vocabulary.words), unrelated_similarity=0.0,
                              licence="Apache-2.0", description="SIFT and a bag of visual words",
                              source="OpenCV")  # fmt: skip

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        counts = np.zeros((len(pictures), len(self._vocabulary.words)), dtype=np.float32)
        for row, picture in zip(counts, pictures, strict=True):
            features = rootsift(picture)
            if len(features):
                row[:] = np.bincount(_nearest(self._vocabulary.words, features), minlength=len(row))
        return unit_rows(np.sqrt(counts) * self._vocabulary.rarity)


def _nearest(words: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.int64]:
    """int64 (n,), the word nearest to each feature."""
    return np.argmax(features @ words.T - 0.5 * (words**2).sum(axis=1), axis=1)
