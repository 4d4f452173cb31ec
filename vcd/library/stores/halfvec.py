"""Vectors as pgvector sends and takes them: binary ``halfvec``, and text."""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_HEAD_BYTES = 4
"""uint16 dimension and uint16 zero, big endian, before the numbers (pgvector's halfvec_send)."""


def to_binary(vectors: NDArray[np.float16]) -> list[bytes]:
    """float16 (n, D) -> one value for each row."""
    head = struct.pack(">HH", vectors.shape[1], 0)
    return [head + row.tobytes() for row in vectors.astype(">f2")]


def from_binary(values: Sequence[bytes], dimension: int) -> NDArray[np.float16]:
    """The inverse of `to_binary`; raises `ValueError` for vectors of another dimension."""
    size = _HEAD_BYTES + 2 * dimension
    if any(len(value) != size for value in values):
        raise ValueError(f"a vector has not {dimension} dimensions")
    rows = np.frombuffer(b"".join(values), dtype=np.uint8).reshape(len(values), size)
    return np.ascontiguousarray(rows[:, _HEAD_BYTES:]).view(">f2").astype(np.float16)


def to_text(vectors: NDArray[np.float32]) -> list[str]:
    """float32 (n, D) -> text from which exactly these numbers are read again."""
    return [f"[{','.join(map(str, row.tolist()))}]" for row in vectors]
