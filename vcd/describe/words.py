"""SIFT and a bag of visual words with tf-idf (Sivic and Zisserman, "Video Google", ICCV 2003).

A vocabulary is learned once from pictures, by k-means on a sample of their features; a picture is then the counts of
its words, each feature weighed as `vcd.local` does (little on text), by the root of the count and the word's rarity.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import faiss
import numpy as np
from numpy.typing import NDArray

from vcd.describe.card import ModelCard
from vcd.describe.describer import unit_rows
from vcd.describe.weights import read_checked
from vcd.errors import ModelError, SetupError
from vcd.local.features import Features, find_sift
from vcd.types import Picture

DIMENSION = 128
PER_WORD = 64
"""Features that a word is learned from at most: a sample, as mini batches are, so that learning takes as long for a
million pictures as for a thousand."""
FEWEST_PER_WORD = 2
ROUNDS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The words (W of them), and how much each says."""

    words: NDArray[np.float32]
    """float32 (W, 128)."""
    rarity: NDArray[np.float32]
    """float32 (W,), inverse document frequency: logarithm of pictures by pictures with that word."""

    @classmethod
    def learn(cls, features: Sequence[Features], count: int, seed: int = 0) -> Self:
        """From the features of pictures that are none of those searched for. Raises `SetupError` for too few."""
        together = np.concatenate([np.zeros((0, DIMENSION), dtype=np.float32), *(each.vectors for each in features)])
        words, _ = cluster(together, count, seed)
        having = np.sum([np.bincount(nearest(words, f.vectors), minlength=count) > 0 for f in features], axis=0)
        return cls(words, np.log((1 + len(features)) / (1 + having)).astype(np.float32))

    def save(self, path: Path) -> None:
        """float16: what it loses is far less than two views of one corner differ by."""
        np.savez_compressed(path, words=self.words.astype(np.float16), rarity=self.rarity)

    @classmethod
    def load(cls, content: bytes, origin: str) -> Self:
        """Raises `ModelError` when the content, which comes from `origin`, is no vocabulary."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                words, rarity = stored["words"].astype(np.float32), stored["rarity"].astype(np.float32)
        except (ValueError, KeyError, EOFError, OSError) as error:
            raise ModelError(f"{origin}: is no vocabulary of visual words: {error}") from error
        if words.ndim != 2 or words.shape[1] != DIMENSION or rarity.shape != (len(words),):
            raise ModelError(f"{origin}: words {words.shape} and rarity {rarity.shape} are no vocabulary")
        if not (np.isfinite(words).all() and np.isfinite(rarity).all()):
            raise ModelError(f"{origin}: holds values that are not finite")
        return cls(words, rarity)

    def vectors(self, features: Iterable[Features]) -> NDArray[np.float32]:
        """float32 (N, W), unit rows; zeros for a picture without features."""
        counts = [np.zeros((0, len(self.words)), dtype=np.float32)]
        for found in features:
            which = nearest(self.words, found.vectors)
            counts.append(np.bincount(which, found.weights, minlength=len(self.words)).astype(np.float32)[None])
        return unit_rows(np.sqrt(np.concatenate(counts)) * self.rarity)


class VisualWords:
    """A describer whose weights are a vocabulary."""

    def __init__(self, card: ModelCard) -> None:
        """Raises `ModelError` when the file is missing or is not what the card says."""
        path = card.path(card.weights)
        self._vocabulary = Vocabulary.load(read_checked(path, card.sha256), str(path))
        if len(self._vocabulary.words) != card.dimension:
            raise ModelError(f"{path}: has {len(self._vocabulary.words)} words, the card says {card.dimension}")
        self.card = card
        self.background = np.zeros((0, card.dimension), dtype=np.float32)

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        return self._vocabulary.vectors(find_sift(picture, None) for picture in pictures)


def cluster(features: NDArray[np.float32], count: int, seed: int) -> tuple[NDArray[np.float32], float]:
    """Centres float32 (count, 128), and the mean squared distance of the features to the nearest one."""
    if len(features) < FEWEST_PER_WORD * count:
        raise SetupError(f"{len(features)} local features are too few for {count} words; give more pictures")
    means = faiss.Kmeans(
        DIMENSION, count, niter=ROUNDS, seed=seed, min_points_per_centroid=1, max_points_per_centroid=PER_WORD
    )
    means.train(np.ascontiguousarray(features))
    words = np.array(means.centroids, dtype=np.float32).reshape(count, DIMENSION)
    distances, _ = means.index.search(np.ascontiguousarray(features), 1)
    return words, float(distances.mean())


def elbow(features: NDArray[np.float32], counts: Sequence[int], seed: int = 0) -> tuple[dict[int, float], int]:
    """Mean squared distance by number of words, and the number at the elbow.

    The elbow is the number farthest below the line from the first to the last, numbers in logarithms and both axes
    from 0 to 1 (Satopaa et al., "Kneedle", ICDCSW 2011).
    """
    found = {count: cluster(features, count, seed)[1] for count in sorted(counts)}
    x = np.log(np.array(list(found), dtype=np.float64))
    y = np.array(list(found.values()))
    x, y = ((each - each.min()) / max(float(np.ptp(each)), 1e-12) for each in (x, y))
    return found, list(found)[int(np.argmax(1 - x - y))]


def nearest(words: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.int64]:
    """int64 (n,), the word nearest to each feature."""
    return np.asarray(np.argmax(features @ words.T - 0.5 * (words**2).sum(axis=1), axis=1), dtype=np.int64)
