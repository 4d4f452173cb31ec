"""Vectors that cluster as frames of films do, and queries that copy a minute of one of them.

A video is 50 frames, 2 s apart: 5 shots of 10 frames, each shot near one of 3,000 topics, in 256 dimensions whose
spread decays. A query is 60 frames, 1 s apart: seconds 15 to 45 are 30 s of a video with noise (cosine to the source
0.85 in the mean), the rest is a film that the library does not hold. All follows from a seed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vcd.library.gather import Piece
from vcd.library.parts import Part
from vcd.library.records import MediaRow
from vcd.types import Descriptors, MediaInfo

DIMENSION = 256
TOPICS = 3000
SHOTS, FRAMES_A_SHOT, GAP_S = 5, 10, 2.0
FRAMES_A_VIDEO = SHOTS * FRAMES_A_SHOT
INFO = MediaInfo("video", FRAMES_A_VIDEO * GAP_S, 640, 360, "generated")
COPIED_FROM_S, COPIED_TO_S, QUERY_S = 15.0, 45.0, 60.0
UNKNOWN = 1_000_000_000
"""Seeds from here on are of films that no library holds."""
_SPREAD = 1 / np.sqrt(1 + np.arange(DIMENSION) / 16)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A query, and where it was copied from."""

    descriptors: Descriptors
    source: str
    starts_s: float
    """In the source."""


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


TOPIC = _unit(np.random.default_rng(0).normal(size=(TOPICS, DIMENSION)) * _SPREAD)


def name_of(seed: int) -> str:
    return f"video-{seed:07d}.mp4"


def video(seed: int) -> Descriptors:
    """The video of a seed."""
    random = np.random.default_rng([1, seed])
    shots = TOPIC[random.integers(TOPICS, size=SHOTS)]
    shots = _unit(shots + 0.8 * _unit(random.normal(size=shots.shape) * _SPREAD))
    frames = np.repeat(shots, FRAMES_A_SHOT, axis=0)
    frames = _unit(frames + 0.35 * _unit(random.normal(size=frames.shape) * _SPREAD))
    times_s = GAP_S * np.arange(FRAMES_A_VIDEO)
    return Descriptors(name_of(seed), INFO, times_s, frames, np.ones(FRAMES_A_VIDEO, dtype=np.float32))


def piece(seed: int) -> Piece:
    """The video of a seed as a library takes it."""
    one = video(seed)
    row = MediaRow(
        id=0, path=one.name, root="/generated", content_hash=f"{seed}", size_bytes=1, mtime_ns=1, kind="video",
        duration_s=INFO.duration_s, width_px=INFO.width_px, height_px=INFO.height_px, format=INFO.format,
        frames=len(one), added_at="", part_id=0, first_row=0,
    )  # fmt: skip
    return Piece(row, Part(np.zeros(len(one), np.int64), one.times_s, one.vectors.astype(np.float16), one.quality))


def query(seed: int, videos: int, first: int = 0) -> Query:
    """A minute that shows 30 s of one of the videos from `first` to before `videos`."""
    random = np.random.default_rng([2, seed])
    source = int(random.integers(first, videos))
    starts_s = float(random.uniform(0, INFO.duration_s - GAP_S - (COPIED_TO_S - COPIED_FROM_S)))
    times_s = np.arange(QUERY_S)
    copied = (times_s >= COPIED_FROM_S) & (times_s < COPIED_TO_S)
    rows = np.where(copied, (times_s - COPIED_FROM_S + starts_s) / GAP_S, times_s / GAP_S).astype(int)
    vectors = np.where(copied[:, None], video(source).vectors[rows], video(UNKNOWN + seed).vectors[rows])
    noise = _unit(random.normal(size=vectors.shape) * _SPREAD) * random.uniform(0.4, 0.9, size=(len(vectors), 1))
    info = MediaInfo("video", QUERY_S, 640, 360, "generated")
    quality = np.ones(len(vectors), dtype=np.float32)
    return Query(Descriptors("query", info, times_s, _unit(vectors + noise), quality), name_of(source), starts_s)
