"""Nearest vectors by inner product: one interface, an exact twin and an approximate one.

Settings of FAISS follow measurements on two cores: HNSW with fp16 storage finds what fp32 finds, 1.4 times as fast
in 60 % of the memory.
"""

from collections.abc import Callable, Mapping
from typing import IO, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig

if faiss.omp_get_max_threads() <= 8:
    # faiss 1.15 raised this to 128000, which makes exact search 5 to 7 times slower on few cores.
    faiss.cvar.distance_compute_blas_threshold = 20

ADDED_AT_ONCE = 100_000


class VectorIndex(Protocol):
    """Rows are numbered from 0 in the order they were added."""

    def add(self, vectors: NDArray[np.float16]) -> None:
        """float16 (n, D)."""
        ...

    def search(
        self, queries: NDArray[np.float32], k: int, alive: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows and similarities, (Q, k) each, best first; -1 where fewer than k living rows exist.

        bool (n,) `alive` says which rows may be found. Of rows that are equally similar any may be left out at k.
        Equal input gives equal output.
        """
        ...

    def __len__(self) -> int: ...


class ExactIndex:
    """Compares with every vector; the specification of the others."""

    def __init__(self, dimension: int, config: LibraryConfig) -> None:  # noqa: ARG002
        self._index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)

    def add(self, vectors: NDArray[np.float16]) -> None:
        _add(self._index, vectors)

    def search(
        self, queries: NDArray[np.float32], k: int, alive: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        parameters = None if alive.all() else faiss.SearchParameters(sel=_selector(alive))
        return _search(self._index, queries, k, parameters)

    def __len__(self) -> int:
        return int(self._index.ntotal)


class HnswIndex:
    """Hierarchical navigable small worlds (Malkov & Yashunin, 2018), fp16 storage."""

    def __init__(self, dimension: int, config: LibraryConfig) -> None:
        self._index = faiss.IndexHNSWSQ(
            dimension, faiss.ScalarQuantizer.QT_fp16, config.links, faiss.METRIC_INNER_PRODUCT
        )
        self._index.hnsw.efConstruction = config.effort_build
        self._index.is_trained = True
        self._set_up(config)

    @classmethod
    def load(cls, file: IO[bytes], config: LibraryConfig) -> "HnswIndex":
        """Read a saved index; raises `RuntimeError` when it is no index.

        Check it before: FAISS trusts the links that it reads, and follows damaged ones out of its memory.
        """
        self = cls.__new__(cls)
        self._index = faiss.read_index(faiss.PyCallbackIOReader(file.read))
        if not isinstance(self._index, faiss.IndexHNSWSQ):
            raise RuntimeError("the file holds another kind of index")
        self._set_up(config)
        return self

    def _set_up(self, config: LibraryConfig) -> None:
        """What FAISS does not save."""
        self._effort = config.effort_search
        # Frames of a still scene link to each other only, and then hide what lies behind them: with 1000 equal
        # frames among 4000, half of all other frames were not found. Keeping pruned links finds 0.99 of them, and
        # makes building 4 times as slow (680 vectors a second instead of 3,000 on real frames and two cores).
        self._index.keep_max_size_level0 = True

    def save(self, file: IO[bytes]) -> None:
        """Raises `OSError`; given a path, FAISS would not tell that the disk was full at the last bytes."""
        faiss.write_index(self._index, faiss.PyCallbackIOWriter(file.write))

    def add(self, vectors: NDArray[np.float16]) -> None:
        _add(self._index, vectors)

    def search(
        self, queries: NDArray[np.float32], k: int, alive: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        selector = None if alive.all() else _selector(alive)
        parameters = faiss.SearchParametersHNSW(sel=selector, efSearch=max(self._effort, k))
        return _search(self._index, queries, k, parameters)

    def __len__(self) -> int:
        return int(self._index.ntotal)


INDEXES: Mapping[str, Callable[[int, LibraryConfig], VectorIndex]] = {"hnsw": HnswIndex, "exact": ExactIndex}


def _selector(alive: NDArray[np.bool_]) -> "faiss.IDSelector":
    return faiss.IDSelectorBitmap(np.packbits(alive, bitorder="little"))


def _add(index: "faiss.Index", vectors: NDArray[np.float16]) -> None:
    """In pieces, because FAISS wants float32, twice the memory."""
    for start in range(0, len(vectors), ADDED_AT_ONCE):
        index.add(vectors[start : start + ADDED_AT_ONCE].astype(np.float32))


def _search(
    index: "faiss.Index", queries: NDArray[np.float32], k: int, parameters: "faiss.SearchParameters | None"
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    found = max(1, min(k, index.ntotal))
    similarities, rows = index.search(np.ascontiguousarray(queries), found, params=parameters)
    padding = ((0, 0), (0, k - found))
    similarities = np.where(rows < 0, -1, similarities)
    return (
        np.pad(rows, padding, constant_values=-1).astype(np.int64),
        np.pad(similarities, padding, constant_values=-1).astype(np.float32),
    )
