"""How the search grows with the library: time, recall and memory of each index on generated vectors.

The vectors are clustered as frames are: shots of similar frames. A query is a library frame with noise on it.
"""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.describe.describer import unit_rows
from vcd.library.vectors import INDEXES

DIMENSION = 256
SHOT = 8
"""Frames of one shot."""
DRIFT = 0.35
NOISE = 0.5
QUERIES = 200
NEIGHBOURS = 20
FRAMES_PER_HOUR = 1800
"""Of reference, one every 2 s."""


def made_frames(count: int, seed: int) -> NDArray[np.float32]:
    """float32 (count, DIMENSION), unit rows."""
    rng = np.random.default_rng(seed)
    shots = rng.standard_normal((count // SHOT + 1, DIMENSION), dtype=np.float32)
    frames = np.repeat(shots, SHOT, axis=0)[:count]
    return unit_rows(frames + DRIFT * rng.standard_normal(frames.shape, dtype=np.float32))


def measure_scaling(sizes: list[int], seed: int = 0) -> list[dict[str, Any]]:
    """For each size and index: seconds to build, milliseconds a query frame, recall of the nearest frames."""
    points = []
    for size in sizes:
        frames = made_frames(size, seed)
        rng = np.random.default_rng(seed + 1)
        asked = frames[rng.integers(0, size, QUERIES)]
        queries = unit_rows(asked + NOISE * rng.standard_normal(asked.shape, dtype=np.float32) / np.sqrt(DIMENSION))
        alive = np.ones(size, dtype=bool)
        truth: NDArray[np.int64] | None = None
        for name in ("exact", "hnsw"):
            index = INDEXES[name](DIMENSION, LibraryConfig())
            started_s = time.perf_counter()
            index.add(frames.astype(np.float16))
            built_s = time.perf_counter()
            rows = index.search(queries, NEIGHBOURS, alive)[0]
            took_s = time.perf_counter() - built_s
            truth = rows if truth is None else truth
            hits = np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(rows.tolist(), truth.tolist(), strict=True)])
            points.append({
                "index": name, "frames": size, "reference_hours": size / FRAMES_PER_HOUR,
                "build_s": built_s - started_s, "ms_per_query_frame": 1000 * took_s / QUERIES, "recall": float(hits),
            })  # fmt: skip
    return points
