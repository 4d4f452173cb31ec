"""The background set of a model: descriptors of pictures that have nothing to do with any query or reference."""

import numpy as np
from numpy.typing import NDArray

from vcd.describe.card import ModelCard
from vcd.describe.describer import unit_rows
from vcd.errors import ModelError

FEWEST = 32


def load_background(card: ModelCard) -> NDArray[np.float32] | None:
    """float32 (B, D), unit rows; None when the model has no such set. Raises `ModelError` when the file is bad."""
    if not card.background:
        return None
    path = card.weights_path.with_name(card.background)
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(f"model {card.name}: the background set {path} cannot be read: {error}") from error
    if vectors.ndim != 2 or vectors.shape[1] != card.dimension or len(vectors) < FEWEST:
        raise ModelError(
            f"model {card.name}: the background set {path} is {vectors.shape}, "
            f"not at least {FEWEST} vectors of {card.dimension}"
        )
    vectors = vectors.astype(np.float32)
    if not np.isfinite(vectors).all():
        raise ModelError(f"model {card.name}: the background set {path} holds values that are not finite")
    return unit_rows(vectors)
