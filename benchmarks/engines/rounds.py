"""One measurement: a network on one engine, in processes of their own."""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.describe import load_card, make_describer
from vcd.describe.engines import make_engine
from vcd.describe.network import make_batch
from vcd.types import Picture


@dataclass(frozen=True, slots=True)
class Way:
    """How the network is run."""

    engine: str
    precision: str
    processes: int
    threads: int
    """Of each process."""

    @property
    def name(self) -> str:
        return f"{self.engine} {self.precision}"


@dataclass(frozen=True, slots=True)
class Speed:
    """What one process, or all of them together, did."""

    load_s: float
    network_per_s: float
    """Pictures a second, from a batch that is ready."""
    describe_per_s: float
    """The same from pictures as they are decoded: with resizing and normalising."""


def measure(card: Path, way: Way, batch: int, for_s: float) -> Speed:
    """All processes work at the same time; their speeds are added, the slowest start counts."""
    with ProcessPoolExecutor(way.processes, mp_context=get_context("spawn")) as pool:
        speeds = list(pool.map(_measure_here, *zip(*[(card, way, batch, for_s)] * way.processes, strict=True)))
    return Speed(
        max(speed.load_s for speed in speeds),
        sum(speed.network_per_s for speed in speeds),
        sum(speed.describe_per_s for speed in speeds),
    )


def _measure_here(card: Path, way: Way, batch: int, for_s: float) -> Speed:
    cv2.setNumThreads(1)
    facts = load_card(str(card))
    shown = made_pictures(batch)
    begin_s = time.perf_counter()
    engine = make_engine(facts, way.engine, way.precision, way.threads)  # type: ignore[arg-type]
    ready = make_batch(facts, shown, engine.takes_bytes)
    engine.run(ready)
    load_s = time.perf_counter() - begin_s
    describer = make_describer(str(card), way.engine, way.precision, way.threads)  # type: ignore[arg-type]
    describer.describe(shown)
    return Speed(
        load_s,
        batch * _per_s(lambda: engine.run(ready), for_s),
        batch * _per_s(lambda: describer.describe(shown), for_s),
    )


def _per_s(work: object, for_s: float) -> float:
    """Calls a second over at least `for_s`."""
    assert callable(work)
    calls, begin_s = 0, time.perf_counter()
    while (taken_s := time.perf_counter() - begin_s) < for_s or not calls:
        work()
        calls += 1
    return calls / taken_s


def vectors(card: Path, engine: str, precision: str, count: int) -> NDArray[np.float32]:
    """Of the first made pictures."""
    return make_describer(str(card), engine, precision).describe(made_pictures(count))  # type: ignore[arg-type]


def agreement(found: NDArray[np.float32], exact: NDArray[np.float32]) -> dict[str, float]:
    """Cosines between the same pictures' vectors."""
    cosines = (found * exact).sum(axis=1)
    return {"cosine_min": round(float(cosines.min()), 5), "cosine_median": round(float(np.median(cosines)), 5)}


def made_pictures(count: int) -> Sequence[Picture]:
    """Smooth noise of 224 x 398, as frames of a film are decoded; always the same."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (count, 14, 25, 3), dtype=np.uint8)
    return [cv2.resize(picture, (398, 224), interpolation=cv2.INTER_CUBIC) for picture in coarse]
