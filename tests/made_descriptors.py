"""Descriptors made without pictures: a film is a function from time to a vector, so the truth is known exactly."""

import numpy as np
from numpy.typing import NDArray

from vcd.types import Descriptors, MediaInfo

DIMENSION = 64
FLOOR = 0.42
"""Above the cosine of almost all pairs of unrelated vectors here."""


class MadeFilm:
    """Shots of 2 to 6 s; inside a shot the vector drifts, so that frames a second apart have a cosine near 0.9."""

    def __init__(self, seed: int, duration_s: float = 120.0, static: bool = False, dimension: int = DIMENSION) -> None:
        self._rng = np.random.default_rng(seed)
        self.duration_s = duration_s
        self.cuts_s = np.concatenate([[0.0], np.cumsum(self._rng.uniform(2, 6, 1000))])
        self._shots = self._rng.normal(size=(len(self.cuts_s), dimension))
        self._drifts = self._rng.normal(size=(len(self.cuts_s), dimension)) * (0.0 if static else 0.45)
        if static:
            self._shots[:] = self._shots[0]

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        shots = np.searchsorted(self.cuts_s, times_s, side="right") - 1
        inside_s = times_s - self.cuts_s[shots]
        return self._shots[shots] + self._drifts[shots] * inside_s[:, None]

    def sample(self, name: str, gap_s: float, phase_s: float = 0.0) -> Descriptors:
        times_s = np.arange(phase_s, self.duration_s, gap_s)
        return descriptors(name, times_s, self.at(times_s), self.duration_s)


def descriptors(
    name: str, times_s: NDArray[np.float64], vectors: NDArray[np.float64], duration_s: float, kind: str = "video"
) -> Descriptors:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    info = MediaInfo(kind, duration_s, 320, 180, "made")  # type: ignore[arg-type]
    return Descriptors(name, info, times_s, unit.astype(np.float32), np.ones(len(unit), dtype=np.float32))


def pirate(
    film: MadeFilm,
    *,
    before_s: float = 20.0,
    copied_s: float = 30.0,
    after_s: float = 20.0,
    r_start_s: float = 40.0,
    speed: float = 1.0,
    noise: float = 0.3,
    seed: int = 99,
    times_s: NDArray[np.float64] | None = None,
    name: str = "query",
) -> Descriptors:
    """A query: foreign material, a stretch of the film at a speed with noise on it, foreign material."""
    foreign = MadeFilm(seed + 1000, before_s + copied_s + after_s + 60)
    duration_s = before_s + copied_s + after_s
    if times_s is None:
        times_s = np.arange(0.37, duration_s, 1.0)
    vectors = foreign.at(times_s)
    inside = (times_s >= before_s) & (times_s < before_s + copied_s)
    vectors[inside] = film.at(r_start_s + speed * (times_s[inside] - before_s))
    scale = np.linalg.norm(vectors, axis=1, keepdims=True) / np.sqrt(DIMENSION)
    vectors = vectors + noise * scale * np.random.default_rng(seed).normal(size=vectors.shape)
    return descriptors(name, times_s, vectors, duration_s)
