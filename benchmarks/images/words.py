"""SIFT and a bag of visual words with tf-idf, the classical baseline.

Source: Sivic and Zisserman, "Video Google", ICCV 2003; RootSIFT of Arandjelovic and Zisserman, CVPR 2012. The
vocabulary and the document frequencies come from training pictures, never from those that are measured.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from benchmarks.images.stored import Item, in_batches
from vcd.describe.describer import unit_rows
from vcd.errors import SetupError
from vcd.types import Picture

WORDS = 4000
TRAINING_PICTURES = 1000
FEATURES = 300
"""Of each picture, the strongest."""


class Words:
    """A vocabulary, and how rare each word is."""

    def __init__(self, centres: NDArray[np.float32], rarity: NDArray[np.float32]) -> None:
        """float32 (W, 128) and (W,)."""
        self._centres, self._rarity = centres, rarity
        self._half_norms = 0.5 * (centres**2).sum(axis=1)

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """float32 (N, W): word counts times rarity, rows of length 1; zeros for a picture without features."""
        rows = np.stack([self.counts(picture) * self._rarity for picture in pictures])
        return unit_rows(rows)

    def counts(self, picture: Picture) -> NDArray[np.float32]:
        nearest = (features(picture) @ self._centres.T - self._half_norms).argmax(axis=1)
        return np.bincount(nearest, minlength=len(self._centres)).astype(np.float32)


def features(picture: Picture) -> NDArray[np.float32]:
    """float32 (n, 128), RootSIFT: square roots of shares, rows of length 1; perhaps none."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    _, found = cv2.SIFT_create(nfeatures=FEATURES).detectAndCompute(grey, None)
    if found is None:
        return np.zeros((0, 128), dtype=np.float32)
    shares = found / np.maximum(found.sum(axis=1, keepdims=True), 1e-9)
    return np.asarray(np.sqrt(shares), dtype=np.float32)


def train(items: Sequence[Item], words: int = WORDS) -> Words:
    """Cluster the features of the first pictures; raises `SetupError` when they are too few for the vocabulary."""
    found = [features(picture) for picture in _pictures(items)]
    together = np.concatenate([np.zeros((0, 128), dtype=np.float32), *found])
    if len(together) < 2 * words:
        raise SetupError(f"{len(together)} features of {len(items)} training pictures are too few for {words} words")
    means = MiniBatchKMeans(words, batch_size=4096, max_iter=20, n_init=1, init="random", random_state=0).fit(together)
    centres = np.asarray(means.cluster_centers_, dtype=np.float32)
    seen = np.zeros(words)
    for part in np.split(means.predict(together), np.cumsum([len(rows) for rows in found])[:-1]):
        seen[np.unique(part)] += 1
    rarity = np.log((1 + len(found)) / (1 + seen))
    return Words(centres, rarity.astype(np.float32))


def _pictures(items: Sequence[Item]) -> Iterator[Picture]:
    for pictures in in_batches(items[:TRAINING_PICTURES]):
        yield from pictures
