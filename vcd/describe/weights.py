"""Files that belong to a model: read whole, and only when they are what the card says."""

import hashlib
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vcd.describe.card import ModelCard
from vcd.describe.describer import unit_rows
from vcd.errors import ModelError

FEWEST = 32
"""Vectors of a background: fewer say little about what unrelated pictures look like."""


def read_checked(path: Path, sha256: str) -> bytes:
    """Raises `ModelError` when the file is missing or has another hash than its card says."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the model's weights cannot be read: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256.lower():
        raise ModelError(
            f"{path}: the file has SHA-256 {found[:12]}..., the model card wants {sha256[:12]}...; "
            "fetch the file again or correct the card"
        )
    return content


def load_background(card: ModelCard) -> NDArray[np.float32]:
    """float32 (B, D), unit rows: vectors of pictures that are in no library; (0, D) when the model has none.

    Raises `ModelError` when the file is missing, is not the card's, or holds anything else.
    """
    if not card.background:
        return np.zeros((0, card.dimension), dtype=np.float32)
    path = card.path(card.background)
    try:
        vectors = np.load(io.BytesIO(read_checked(path, card.background_sha256)), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ModelError(f"{path}: is no array of background vectors: {error}") from error
    if not isinstance(vectors, np.ndarray) or vectors.dtype.kind != "f":
        raise ModelError(f"{path}: is no array of background vectors")
    if vectors.ndim != 2 or vectors.shape[1] != card.dimension:
        raise ModelError(f"{path}: has shape {vectors.shape}, the model card promises (B, {card.dimension})")
    if len(vectors) < FEWEST:
        raise ModelError(f"{path}: holds {len(vectors)} background vectors, at least {FEWEST} are needed")
    found = vectors.astype(np.float32)
    if not np.isfinite(found).all():
        raise ModelError(f"{path}: holds values that are not finite")
    return unit_rows(found)  # rounded to 16 bits they are no longer of length 1


def read_text(card: ModelCard) -> str:
    """What the card says to people; empty when it says nothing. Raises `ModelError` when its file cannot be read."""
    if not card.text:
        return ""
    path = card.path(card.text)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: the model card's text cannot be read: {error}") from error
