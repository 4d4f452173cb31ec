"""vPDQ as published: one PDQ hash a second of both videos, every frame decoded, the hashes compared as sets.

The package `vpdq` builds only where the headers of libav are, and has no wheels; this does the same with PyAV and the
package pdqhash, after the description in facebook/ThreatExchange (vpdq/README.md). The order of the hashes plays no
part in matching, so the answer is two shares and no times.
"""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pdqhash
from numpy.typing import NDArray

from benchmarks.peers.hashes import PDQ_BITS, as_unit_rows

MIN_QUALITY = 50
"""Hashes of pictures with less in them are left out."""
MAX_DISTANCE = 31
"""Bits, of 256, by which two hashes of one picture may differ."""
STEP_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class HashedVideo:
    """The hashes of one video that are good enough."""

    name: str
    duration_s: float
    vectors: NDArray[np.float32]
    """float32 (n, 256), see `benchmarks.peers.hashes`."""


def hash_video(path: Path) -> HashedVideo:
    """Decode every frame, at its full size; hash the first one of each second."""
    rows, due_s, end_s = [], 0.0, 0.0
    with av.open(str(path)) as container:
        container.streams.video[0].thread_count = 1
        for number, frame in enumerate(container.decode(video=0)):
            time_s = frame.time if frame.time is not None else number / 25
            end_s = time_s
            if time_s >= due_s:
                due_s = (np.floor(time_s / STEP_S) + 1) * STEP_S
                bits, quality = pdqhash.compute(np.ascontiguousarray(frame.to_ndarray(format="rgb24")))
                if quality >= MIN_QUALITY:
                    rows.append(bits)
    bits = np.array(rows, dtype=bool).reshape(len(rows), PDQ_BITS)
    return HashedVideo(path.name, end_s, as_unit_rows(bits))


def shares_matched(query: HashedVideo, reference: HashedVideo) -> tuple[float, float]:
    """Share of the query's hashes that are near to one of the reference's, and the other way round."""
    if not len(query.vectors) or not len(reference.vectors):
        return 0.0, 0.0
    near = query.vectors @ reference.vectors.T >= 1 - 2 * (MAX_DISTANCE + 0.5) / PDQ_BITS
    return float(near.any(axis=1).mean()), float(near.any(axis=0).mean())
