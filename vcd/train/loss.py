"""What a training makes small: InfoNCE with a queue of negatives, and KoLeo."""

import torch
from torch import Tensor
from torch.nn import functional


class Queue:
    """Vectors of earlier batches and the pictures they came from (cross-batch memory, Wang et al., CVPR 2020)."""

    def __init__(self, size: int, dimension: int, device: str) -> None:
        self.vectors = torch.zeros(size, dimension, device=device)
        self.pictures = torch.full((size,), -1, dtype=torch.int64, device=device)
        self.next = 0

    def push(self, vectors: Tensor, pictures: Tensor) -> None:
        """Overwrite the oldest rows."""
        size = len(self.pictures)
        if not size:
            return
        rows = (self.next + torch.arange(len(pictures), device=pictures.device)) % size
        self.vectors[rows] = vectors.detach().float()
        self.pictures[rows] = pictures
        self.next = (self.next + len(pictures)) % size

    def filled(self) -> tuple[Tensor, Tensor]:
        """The vectors that there are, and the numbers of their pictures."""
        rows = self.pictures >= 0
        return self.vectors[rows], self.pictures[rows]


def info_nce(vectors: Tensor, pictures: Tensor, queue: Queue, temperature: float) -> Tensor:
    """InfoNCE (van den Oord et al., 2018) over both views of each picture; the mean over 2 P rows.

    `vectors` is (2 P, D): rows i and i + P are the views of picture ``pictures[i]``. Vectors of the same picture,
    in the batch or in the queue, are never its negatives.
    """
    both = torch.cat([pictures, pictures])
    positive = torch.arange(len(both), device=vectors.device).roll(len(pictures))
    skipped = both[:, None] == both[None, :]
    skipped[torch.arange(len(both), device=vectors.device), positive] = False
    logits = (vectors @ vectors.T / temperature).masked_fill(skipped, float("-inf"))
    earlier, earlier_pictures = queue.filled()
    if len(earlier):
        far = vectors @ earlier.T / temperature
        far = far.masked_fill(both[:, None] == earlier_pictures[None, :], float("-inf"))
        logits = torch.cat([logits, far], dim=1)
    return functional.cross_entropy(logits, positive)


def nearest_other(vectors: Tensor, pictures: Tensor) -> Tensor:
    """(2 P,): cosine of each vector to the nearest one of another picture in the batch."""
    both = torch.cat([pictures, pictures])
    return (vectors @ vectors.T).masked_fill(both[:, None] == both[None, :], -1.0).amax(dim=1)


def koleo(nearest: Tensor) -> Tensor:
    """Minus the mean log distance to the nearest vector, from its cosine (Sablayrolles et al., ICLR 2019)."""
    distance = (2 - 2 * nearest).clamp(min=1e-6).sqrt()
    return -distance.log().mean()
