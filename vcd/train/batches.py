"""Pictures -> batches of views, made by worker processes ahead of the network."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from vcd.train.augment import easy_view, hard_view
from vcd.train.config import TrainConfig
from vcd.train.pictures import Pictures
from vcd.types import Picture

FRAMES_OF_A_VIDEO = 4
"""Frames of one video that come into a batch together, as each other's negatives: without them a descriptor learns
scenes, and loses the moment."""
VIDEO_SHARE = 0.25
"""Share of a batch that are frames of videos, where there are any."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Both views of P pictures."""

    views: Tensor
    """uint8 (2 P, side, side, 3): the easy views, then the hard ones."""
    pictures: Tensor
    """int64 (P,): rows of the `Pictures`, each once."""


class Batches(Dataset[tuple[Tensor, Tensor]]):
    """Batch number s of a training depends on its seed and s alone, so a training can be resumed."""

    def __init__(self, pictures: Pictures, config: TrainConfig) -> None:
        self._pictures, self._config = pictures, config
        weights = pictures.weights()
        self._stills = np.flatnonzero((pictures.videos < 0) & (weights > 0))
        self._still_weights = weights[self._stills] / max(weights[self._stills].sum(), 1e-12)
        self._generated = np.flatnonzero(pictures.sources == 0)
        frames = np.flatnonzero(pictures.videos >= 0)
        groups = (frames[pictures.videos[frames] == video] for video in np.unique(pictures.videos[frames]))
        self._videos = [rows for rows in groups if len(rows) >= 2]

    def __len__(self) -> int:
        return self._config.steps

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng([self._config.seed, step])
        rows = self._choose(step, rng)
        side_px = side_at(step, self._config)
        groups = frozenset(self._config.augment)

        def pick() -> Picture:
            return self._pictures[
                int(rng.choice(rows)) if rng.random() < 0.2 else int(rng.integers(len(self._pictures)))
            ]

        easy = [easy_view(self._pictures[row], side_px, rng) for row in rows]
        hard = [hard_view(self._pictures[row], pick, side_px, groups, rng) for row in rows]
        return torch.from_numpy(np.stack(easy + hard)), torch.from_numpy(rows)

    def _choose(self, step: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """int64 (P,), all different."""
        count = self._config.pairs
        if step < self._config.generated_steps:
            return rng.choice(self._generated, min(count, len(self._generated)), replace=False)
        made = rng.choice(
            self._generated, min(round(count * self._config.generated_share), len(self._generated)), False
        )
        frames: list[NDArray[np.int64]] = []
        wanted = round(count * VIDEO_SHARE) if len(self._stills) else count
        for number in rng.permutation(len(self._videos)):
            if sum(map(len, frames)) >= wanted:
                break
            rows = self._videos[number]
            frames.append(rng.choice(rows, min(FRAMES_OF_A_VIDEO, len(rows)), replace=False))
        rest = min(count - len(made) - sum(map(len, frames)), len(self._stills))
        stills = rng.choice(self._stills, max(0, rest), replace=False, p=self._still_weights)
        return np.concatenate([made, *frames, stills]).astype(np.int64)


def side_at(step: int, config: TrainConfig) -> int:
    """Side of the views in pixels."""
    return config.small_px if step < config.small_share * config.steps else config.large_px


def stream(pictures: Pictures, config: TrainConfig, first: int, workers: int) -> Iterator[Batch]:
    """Batches from number `first` on, made by `workers` processes ahead of time."""
    steps = range(first, config.steps)
    # spawn: OpenCV's threads do not survive a fork.
    loader = DataLoader(
        Batches(pictures, config), batch_size=None, sampler=steps, num_workers=workers,
        prefetch_factor=6 if workers else None, multiprocessing_context="spawn" if workers else None,
    )  # fmt: skip
    for views, rows in loader:
        yield Batch(views, rows)
