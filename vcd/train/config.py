"""What can be set about a training; the defaults are the recipe of the shipped model."""

from dataclasses import dataclass
from typing import Annotated

from vcd.config import Within


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """The recipe: everything that shapes the weights, apart from the pictures."""

    seed: int = 1
    steps: Annotated[int, Within(1, 10_000_000)] = 7_300
    """Batches seen in all; a longer training may be resumed from a shorter one."""
    pairs: Annotated[int, Within(2, 4096)] = 128
    """Pictures in a batch; each gives an easy and a hard view."""
    small_px: Annotated[int, Within(32, 512)] = 96
    """Side of the views at first: cheap, and shapes are learned as well at any size ..."""
    large_px: Annotated[int, Within(32, 512)] = 128
    """... and towards the end, from `small_share` of the steps on."""
    small_share: Annotated[float, Within(0, 1)] = 0.725
    learning_rate: Annotated[float, Within(1e-6, 1)] = 2e-3
    warm_up: Annotated[int, Within(0, 1_000_000)] = 200
    """Steps over which the learning rate rises from 0; then it is constant ..."""
    decay_share: Annotated[float, Within(0, 1)] = 0.3
    """... until over this last share of the steps it falls to 0 along a line."""
    weight_decay: Annotated[float, Within(0, 1)] = 0.05
    temperature: Annotated[float, Within(0.01, 1)] = 0.05
    """Of InfoNCE."""
    spread: Annotated[float, Within(0, 100)] = 3.0
    """Weight of the KoLeo term, which pushes nearest neighbours apart."""
    queue: Annotated[int, Within(0, 1_000_000)] = 16_384
    """Vectors of earlier batches that serve as negatives ..."""
    queue_share: Annotated[float, Within(0, 1)] = 0.0
    """... over this last share of the steps, when the weights hardly change: vectors of a network that still learns
    fast are wrong negatives, and let a training collapse (seen at a learning rate of 0.002)."""
    generated: Annotated[int, Within(0, 1_000_000)] = 2000
    """Generated pictures in all; their diversity matters more than their number."""
    generated_share: Annotated[float, Within(0, 1)] = 0.1
    """Share of generated pictures (dead leaves) in each batch."""
    generated_steps: Annotated[int, Within(0, 10_000_000)] = 0
    """Steps at the start on generated pictures alone."""
    widths: tuple[int, int, int] = (64, 128, 256)
    """Channels at strides 4, 8 and 16."""
    blocks: tuple[int, int, int] = (1, 2, 2)
    """Residual blocks at each stride."""
    dimension: Annotated[int, Within(8, 2048)] = 256
    pooling: str = "gaussian-rmac"
    """One of `vcd.train.pooling.POOLINGS`."""
    augment: tuple[str, ...] = ("crop", "mirror", "layout", "overlay", "colour", "degrade")
    """Groups of edits that make the hard view."""
    save_every: Annotated[int, Within(1, 1_000_000)] = 250
    """Steps between checkpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportConfig:
    """How a trained network becomes a model."""

    name: str = "vcd-rmac"
    input_px: Annotated[int, Within(32, 1024)] = 192
    """Side that pictures are resized to; larger than in training, as things look smaller in whole pictures."""
    whitening: Annotated[float, Within(0, 1)] = 0.5
    """Strength, from 0 (centred only) to 1 (white)."""
