"""A describer that runs a trained network."""

from collections.abc import Sequence
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.describe.card import ModelCard
from vcd.describe.describer import unit_rows
from vcd.describe.engine import Batch, Engine
from vcd.describe.weights import load_background
from vcd.errors import ModelError
from vcd.types import Picture

FLAT = 2.0
"""Standard deviation of each colour (of 255) below which a picture is flat: black, white or faded."""


class NetworkDescriber:
    """Resizes to the card's square, normalises colours as the card says, runs the engine, checks what comes out."""

    def __init__(self, card: ModelCard, engine: Engine) -> None:
        self.card = card
        self._engine = engine

    @cached_property
    def background(self) -> NDArray[np.float32]:
        """Raises `ModelError` when the file is not what the card says."""
        return load_background(self.card)

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """Raises `ModelError` when the network's output is not what the card says."""
        if not pictures:
            return np.zeros((0, self.card.dimension), dtype=np.float32)
        vectors = self._engine.run(self._batch(pictures))
        if vectors.shape != (len(pictures), self.card.dimension):
            raise ModelError(
                f"model {self.card.name}: the network gave {vectors.shape}, "
                f"its card promises {(len(pictures), self.card.dimension)}"
            )
        if not np.isfinite(vectors).all():
            raise ModelError(f"model {self.card.name}: the network gave values that are not finite")
        return unit_rows(vectors) * np.array([[has_content(picture)] for picture in pictures], dtype=np.float32)

    def _batch(self, pictures: Sequence[Picture]) -> Batch:
        return make_batch(self.card, pictures, self._engine.takes_bytes)


def has_content(picture: Picture) -> bool:
    """Whether there is anything to see: a network finds any two flat pictures alike."""
    spread = cv2.meanStdDev(np.ascontiguousarray(picture[::4, ::4]))[1]
    return bool(spread.max() >= FLAT)


def make_batch(card: ModelCard, pictures: Sequence[Picture], as_bytes: bool) -> Batch:
    """What the card's network takes: uint8 (N, H, W, 3), or normalised float32 (N, 3, H, W)."""
    side = card.input_px
    squares = [cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA) for picture in pictures]
    if as_bytes:
        return np.stack(squares).astype(np.uint8, copy=False)
    batch = np.empty((len(squares), 3, side, side), dtype=np.float32)
    for channel, (mean, std) in enumerate(zip(card.mean, card.std, strict=True)):
        # A byte has 256 values: looking them up is faster than computing each pixel's.
        table = ((np.arange(256) / 255 - mean) / std).astype(np.float32)
        for row, square in zip(batch, squares, strict=True):
            np.take(table, square[..., channel], out=row[channel], mode="clip")
    return batch
