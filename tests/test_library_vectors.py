"""Every index keeps the same contract; comparing with all vectors in numpy is the specification."""

from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.made_library import unit_rows
from vcd.config import LibraryConfig
from vcd.errors import ConfigError
from vcd.library.ivf import IvfSq8Index
from vcd.library.vectors import INDEXES, VectorIndex

CONFIG = LibraryConfig()
D = 32
MIN_RECALL = {"exact": 1.0, "hnsw": 0.97, "ivf-sq8": 0.95, "ivf-pq": 0.9}
TOLERANCE = 0.02
"""Of similarities that are worked out from one byte a dimension; those of half precision are exact to 0.002."""
"""An index that is not named here must find everything."""

pytestmark = pytest.mark.parametrize("name", INDEXES)


def scattered(count: int = 720) -> NDArray[np.float16]:
    return unit_rows(1, count, D).astype(np.float16)


def clustered(spread: float) -> NDArray[np.float16]:
    """24 scenes of 30 frames each; without spread the frames of a scene are the same picture."""
    rows = np.repeat(unit_rows(2, 24, D), 30, axis=0) + spread * unit_rows(3, 720, D)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def with_black_frames() -> NDArray[np.float16]:
    rows = scattered()
    rows[::3] = 0
    return rows


def with_a_slate() -> NDArray[np.float16]:
    """A third of all frames is the same picture, in one piece as a long still has it."""
    rows = scattered()
    rows[240:480] = rows[240]
    return rows


VECTORS = {
    "scattered": scattered(),
    "scenes": clustered(0.2),
    "still scenes": clustered(0.0),
    "black frames": with_black_frames(),
    "a slate": with_a_slate(),
}


def copies(vectors: NDArray[np.float16], noise: float) -> NDArray[np.float32]:
    """Queries: every 23rd row that shows something, as it is or changed."""
    rows = vectors[::23].astype(np.float32)
    rows = rows[rows.any(axis=1)]
    rows = rows + noise * unit_rows(4, len(rows), D)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def build(name: str, vectors: NDArray[np.float16]) -> VectorIndex:
    index = INDEXES[name](D, CONFIG)
    index.train(vectors, len(vectors))
    half = len(vectors) // 2
    index.add(vectors[:half])
    index.add(vectors[half:])
    assert len(index) == len(vectors)
    return index


@cache
def built(name: str, kind: str) -> VectorIndex:
    """Not to be changed: several tests ask it."""
    return build(name, VECTORS[kind])


def everyone(index: VectorIndex) -> NDArray[np.bool_]:
    return np.ones(len(index), dtype=bool)


def twin_similarities(vectors: NDArray[np.float16], queries: NDArray[np.float32]) -> NDArray[np.float32]:
    return queries @ vectors.astype(np.float32).T


def recall(
    index: VectorIndex, vectors: NDArray[np.float16], queries: NDArray[np.float32], k: int, alive: NDArray[np.bool_]
) -> float:
    """Share of the twin's k answers that have an equal among the index's; checks all that must hold exactly."""
    tolerance = TOLERANCE if isinstance(index, IvfSq8Index) else 2e-3
    rows, similarities = index.search(queries, k, alive)
    assert rows.shape == similarities.shape == (len(queries), k)
    assert (rows.dtype, similarities.dtype) == (np.int64, np.float32)
    exact = twin_similarities(vectors, queries)
    wanted = min(k, int(alive.sum()))
    matched = 0
    for number in range(len(queries)):
        real = rows[number] >= 0
        assert not real[wanted:].any()
        assert (similarities[number, ~real] == -1).all()
        found = rows[number, real]
        assert len(set(found.tolist())) == len(found)
        assert alive[found].all()
        np.testing.assert_allclose(similarities[number, real], exact[number, found], atol=tolerance)
        assert (np.diff(similarities[number, real]) <= 1e-6).all()
        best = np.sort(exact[number, alive])[::-1][:wanted]
        matched += int((similarities[number, real] >= best[-1] - max(1e-4, tolerance - 2e-3)).sum()) if wanted else 0
    return matched / (wanted * len(queries)) if wanted else 1.0


@pytest.mark.parametrize("kind", VECTORS)
def test_finds_what_comparing_with_all_finds(name: str, kind: str) -> None:
    vectors = VECTORS[kind]
    index = built(name, kind)
    for noise in (0.0, 0.5):
        queries = copies(vectors, noise)
        for k in (1, 10, 128):
            assert recall(index, vectors, queries, k, everyone(index)) >= MIN_RECALL.get(name, 1.0)


@pytest.mark.parametrize("dead_share", [0.1, 0.3])
@pytest.mark.parametrize("kind", ["scattered", "scenes"])
def test_dead_rows_are_never_found_and_hide_nothing(name: str, kind: str, dead_share: float) -> None:
    vectors = VECTORS[kind]
    index = built(name, kind)
    alive = np.repeat(np.random.default_rng(5).random(24) >= dead_share, 30)
    assert not alive.all()
    queries = vectors[::40].astype(np.float32)
    assert recall(index, vectors, queries, 128, alive) >= MIN_RECALL.get(name, 1.0)


def test_nothing_is_found_when_all_rows_are_dead(name: str) -> None:
    index = build(name, scattered(100))
    rows, similarities = index.search(unit_rows(4, 3, D), 5, np.zeros(100, dtype=bool))
    assert (rows == -1).all()
    assert (similarities == -1).all()


def test_the_only_living_row_is_found(name: str) -> None:
    vectors = scattered(100)
    alive = np.arange(100) == 42
    rows, _ = build(name, vectors).search(unit_rows(4, 3, D), 5, alive)
    assert (rows[:, 0] == 42).all()
    assert (rows[:, 1:] == -1).all()


@pytest.mark.parametrize("k", [99, 100, 101, 500])
def test_more_neighbours_than_rows_gives_all_rows_and_padding(name: str, k: int) -> None:
    vectors = scattered(100)
    index = build(name, vectors)
    assert recall(index, vectors, unit_rows(4, 3, D), k, everyone(index)) == 1.0


def test_an_empty_index_finds_nothing(name: str) -> None:
    index = INDEXES[name](D, CONFIG)
    rows, similarities = index.search(unit_rows(4, 3, D), 5, np.zeros(0, dtype=bool))
    assert len(index) == 0
    assert rows.shape == similarities.shape == (3, 5)
    assert (rows == -1).all()


def test_adding_nothing_changes_nothing(name: str) -> None:
    index = build(name, scattered(20))
    index.add(np.zeros((0, D), dtype=np.float16))
    assert len(index) == 20


def test_no_query_gets_no_answer(name: str) -> None:
    index = build(name, scattered(20))
    rows, similarities = index.search(np.zeros((0, D), dtype=np.float32), 5, everyone(index))
    assert rows.shape == similarities.shape == (0, 5)


def test_equal_rows_are_all_found(name: str) -> None:
    vectors = scattered(60)
    vectors[10:20] = vectors[10]
    index = build(name, vectors)
    rows, similarities = index.search(vectors[10:11].astype(np.float32), 10, everyone(index))
    assert sorted(rows[0].tolist()) == list(range(10, 20))
    np.testing.assert_allclose(similarities, 1.0, atol=2e-3)


@pytest.mark.parametrize("kind", ["scenes", "still scenes"])
def test_the_same_question_gets_the_same_answer(name: str, kind: str) -> None:
    index = built(name, kind)
    queries, alive = unit_rows(4, 20, D), np.arange(720) % 7 != 0
    first = index.search(queries, 50, alive)
    for _ in range(3):
        again = index.search(queries, 50, alive)
        np.testing.assert_array_equal(first[0], again[0])
        np.testing.assert_array_equal(first[1], again[1])


def test_queries_may_lie_anyhow_in_memory(name: str) -> None:
    index = build(name, scattered(100))
    queries = np.asfortranarray(unit_rows(4, 6, D))[::2]
    rows, _ = index.search(queries, 3, everyone(index))
    np.testing.assert_array_equal(rows, index.search(queries.copy(order="C"), 3, everyone(index))[0])


def test_a_saved_index_answers_as_before_and_can_grow(name: str, tmp_path: Path) -> None:
    vectors = scattered(300)
    index = INDEXES[name](D, CONFIG)
    index.train(np.concatenate([vectors, -vectors]), 300)
    index.add(vectors)
    with (tmp_path / "index").open("wb") as file:
        index.save(file)
    with (tmp_path / "index").open("rb") as file:
        loaded = INDEXES[name].load(file, CONFIG)
    mapped = INDEXES[name].load(tmp_path / "index", CONFIG)
    queries, alive = unit_rows(4, 20, D), np.arange(300) % 7 != 0
    for again in (loaded, mapped):
        for before, after in zip(index.search(queries, 30, alive), again.search(queries, 30, alive), strict=True):
            np.testing.assert_array_equal(before, after)

    more = unit_rows(6, 100, D).astype(np.float16)
    assert loaded.suits(400)
    loaded.add(more)
    both = np.concatenate([vectors, more])
    assert recall(loaded, both, queries, 30, everyone(loaded)) >= MIN_RECALL[name]


def test_a_file_that_is_no_index_is_refused(name: str, tmp_path: Path) -> None:
    other = INDEXES["ivf-sq8" if name == "hnsw" else "hnsw"](D, CONFIG)
    other.add(scattered(50))
    with (tmp_path / "other").open("wb") as file:
        other.save(file)
    for source in (BytesIO(b"not an index at all"), tmp_path / "other"):
        with pytest.raises(RuntimeError):
            INDEXES[name].load(source, CONFIG)


def test_an_odd_number_of_dimensions_is_served_or_refused(name: str) -> None:
    vectors = unit_rows(1, 200, 7).astype(np.float16)
    if name == "ivf-pq":
        with pytest.raises(ConfigError, match="takes dimensions in pairs, the model has 7"):
            INDEXES[name](7, CONFIG)
        return
    index = INDEXES[name](7, CONFIG)
    index.add(vectors)
    np.testing.assert_array_equal(index.search(vectors[:5].astype(np.float32), 1, everyone(index))[0][:, 0], range(5))
