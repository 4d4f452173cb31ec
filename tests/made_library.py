"""Libraries of made vectors, and what they must answer, in plain numpy."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.library import Library, LibraryWriter, MediaRow
from vcd.types import Descriptors, MediaInfo

# Threads that wait for each other spin, which takes ten times as long where other tests want the cores, too.
faiss.omp_set_num_threads(1)

DIMENSION = 16
CONFIG = LibraryConfig(index="hnsw", links=16, effort_build=64, effort_search=64)
EXACT = LibraryConfig(index="exact")
MODEL = "made-1"
SAMPLING = {"mode": "hybrid", "gap_s": 2.0}
STAT = Path(__file__).stat()
ROOT = Path("/media/films")


def unit_rows(seed: int, count: int, dimension: int = DIMENSION) -> NDArray[np.float32]:
    """Random directions."""
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def film(name: str, seed: int, frames: int = 6) -> Descriptors:
    """A reference whose vectors and times follow from the seed."""
    info = MediaInfo("video", 2.0 * frames, 320, 180, "mov/h264")
    times_s = 0.04 * seed + 2.0 * np.arange(frames)
    quality = np.linspace(0, 1, frames, dtype=np.float32)
    return Descriptors(name, info, times_s, unit_rows(seed, frames), quality)


def open_writer(folder: Path, config: LibraryConfig = CONFIG, **other: Any) -> LibraryWriter:
    made_by = {"model": MODEL, "dimension": DIMENSION, "sampling": SAMPLING, **other}
    return LibraryWriter.open_or_create(folder, config, **made_by)


def add(
    writer: LibraryWriter, descriptors: Descriptors, replaces: MediaRow | None = None, root: Path = ROOT
) -> MediaRow:
    return writer.add(descriptors, root, f"hash of {descriptors.times_s.tolist()}", STAT, replaces)


def make_library(folder: Path, films: Iterable[Descriptors], config: LibraryConfig = CONFIG) -> dict[str, Descriptors]:
    """A library with an index that is up to date; what it holds, by name."""
    films = list(films)
    with open_writer(folder, config) as writer:
        for descriptors in films:
            add(writer, descriptors)
        writer.update_index()
    return {descriptors.name: descriptors for descriptors in films}


def films(count: int, frames: int = 6) -> list[Descriptors]:
    return [film(f"film-{number:02d}.mp4", number, frames) for number in range(count)]


def assert_holds(folder: Path, expected: Mapping[str, Descriptors], config: LibraryConfig = CONFIG) -> None:
    """The library lists exactly these, gives them back, and finds what comparing with all of them finds."""
    library = Library(folder, config)
    assert [row.path for row in library.media] == sorted(expected)
    for row in library.media:
        assert_same(library.descriptors(row.id), expected[row.path])
    queries = unit_rows(999, 5)
    k = 1 + sum(map(len, expected.values()))
    for wanted in (3, k):
        assert_nearest(library, expected, queries, wanted)


def assert_same(found: Descriptors | None, expected: Descriptors) -> None:
    """As it was stored: the vectors in half precision, all else exactly."""
    assert found is not None
    assert (found.name, found.info) == (expected.name, expected.info)
    np.testing.assert_array_equal(found.vectors, expected.vectors.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(found.times_s, expected.times_s)
    np.testing.assert_array_equal(found.quality, expected.quality)


def assert_nearest(library: Library, expected: Mapping[str, Descriptors], queries: NDArray[np.float32], k: int) -> None:
    """`library.nearest` against the twin: sort all similarities of all references."""
    found = library.nearest(queries, k)
    ids = {row.path: row.id for row in library.media}
    everything = {
        (ids[name], time_s): vector
        for name, one in expected.items()
        for time_s, vector in zip(one.times_s.tolist(), one.vectors.astype(np.float16).astype(np.float32), strict=True)
    }
    for number, query in enumerate(queries):
        similarities = {key: float(vector @ query) for key, vector in everything.items()}
        best = sorted(similarities.values(), reverse=True)[:k]
        real = found.media_ids[number] >= 0
        assert real.sum() == len(best)
        assert not real[len(best) :].any()
        assert (found.similarities[number, ~real] == -1).all()
        np.testing.assert_allclose(found.similarities[number, real], best, atol=1e-5)
        keys = list(zip(found.media_ids[number, real].tolist(), found.times_s[number, real].tolist(), strict=True))
        assert len(set(keys)) == len(keys)
        np.testing.assert_allclose([similarities[key] for key in keys], best, atol=1e-5)
