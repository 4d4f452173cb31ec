"""What is fitted to a trained network's vectors: the whitening, and the background of score normalisation.

Both see training pictures only, never references.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vcd.describe.describer import unit_rows
from vcd.train.augment import resize
from vcd.train.network import Network, normalise
from vcd.train.pictures import Pictures
from vcd.types import Picture, Progress, quiet

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """``unit((vector - mean) @ matrix)``, with the directions of largest variance first."""

    mean: Vectors
    """float32 (D,)."""
    matrix: Vectors
    """float32 (D, K)."""

    def apply(self, vectors: Vectors) -> Vectors:
        """float32 (N, D) -> (N, K), unit rows."""
        return unit_rows(((vectors - self.mean) @ self.matrix).astype(np.float32))


def fit_whitening(vectors: Vectors, strength: float, dimension: int) -> Whitening:
    """PCA of `vectors`, each direction divided by its standard deviation to the power `strength`: 0 only centres and
    turns, 1 whitens fully (Jegou and Chum, ECCV 2012). Needs more vectors than dimensions.
    """
    mean = vectors.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov((vectors - mean).T))
    order = np.argsort(-variances)[:dimension]
    scale = np.maximum(variances[order], variances.max() * 1e-6) ** (-strength / 2)
    return Whitening(mean.astype(np.float32), (directions[:, order] * scale).astype(np.float32))


def sample_rows(pictures: Pictures, count: int, seed: int) -> NDArray[np.int64]:
    """int64 (n,), rising: rows of real pictures, drawn as the training draws them; all when there are fewer."""
    weights = pictures.weights()
    real = int((weights > 0).sum())
    drawn = np.random.default_rng(seed).choice(len(pictures), min(count, real), replace=False, p=weights)
    return np.sort(drawn)


def describe_rows(
    network: Network, pictures: Pictures, rows: Sequence[int], side_px: int, progress: Progress = quiet
) -> Vectors:
    """float32 (n, D): the network's vectors of whole pictures, before whitening."""
    groups = [rows[start : start + 64] for start in range(0, len(rows), 64)]
    found = [
        describe_pictures(network, [pictures[int(row)] for row in group], side_px)
        for group in progress(groups, "describing", len(groups))
    ]
    return np.concatenate(found)


def describe_pictures(network: Network, batch: Sequence[Picture], side_px: int) -> Vectors:
    """float32 (n, D)."""
    cv2.setNumThreads(1)
    squares = torch.from_numpy(np.stack([resize(picture, side_px, side_px) for picture in batch]))
    device = next(network.parameters()).device
    with torch.inference_mode():
        return np.asarray(network(normalise(squares.to(device))).float().cpu().numpy(), dtype=np.float32)
