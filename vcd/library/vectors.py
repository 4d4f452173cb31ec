"""Nearest vectors by inner product: one interface, an exact twin and an approximate one.

`faiss_` settings follow measurements on two cores: HNSW with fp16 storage finds what fp32 finds, 1.4 times as
fast in 60 % of the memory.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.errors import UnknownName

if faiss.omp_get_max_threads() <= 8:
    # faiss 1.15 raised this to 128000, which makes exact search 5 to 7 times slower on few cores.
    faiss.cvar.distance_compute_blas_threshold = 20


class VectorIndex(Protocol):
    """Rows are numbered from 0 in the order they were added."""

    def add(self, vectors: NDArray[np.float16]) -> None:
        """float16 (n, D)."""
        ...

    def search(
        self, queries: NDArray[np.float32], k: int, alive: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows and similarities, (Q, k) each, best first; -1 where fewer than k living rows exist."""
        ...

    def __len__(self) -> int: ...


class ExactIndex:
    """Compares with every vector; the specification of the others."""

    def __init__(self, dimension: int, config: LibraryConfig) -> None:  # noqa: ARG002
        self._index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)

    def add(self, vectors: NDArray[np.float16]) -> None:
        self._index.add(vectors.astype(np.float32))

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
        self._effort = config.effort_search
        self._index.is_trained = True

    @classmethod
    def load(cls, path: Path, config: LibraryConfig) -> "HnswIndex":
        """Read a saved index, mapped into memory; raises `RuntimeError` when it is no index."""
        self = cls.__new__(cls)
        self._index = faiss.read_index(str(path))
        if not isinstance(self._index, faiss.IndexHNSWSQ):
            raise RuntimeError(f"{path} holds another kind of index")
        self._effort = config.effort_search
        return self

    def save(self, path: Path) -> None:
        faiss.write_index(self._index, str(path))

    def add(self, vectors: NDArray[np.float16]) -> None:
        self._index.add(vectors.astype(np.float32))

    def search(
        self, queries: NDArray[np.float32], k: int, alive: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        selector = None if alive.all() else _selector(alive)
        parameters = faiss.SearchParametersHNSW(sel=selector, efSearch=max(self._effort, k))
        return _search(self._index, queries, k, parameters)

    def __len__(self) -> int:
        return int(self._index.ntotal)


INDEXES: Mapping[str, Callable[[int, LibraryConfig], VectorIndex]] = {"hnsw": HnswIndex, "exact": ExactIndex}


def make_index(dimension: int, config: LibraryConfig) -> VectorIndex:
    if config.index not in INDEXES:
        raise UnknownName("index", config.index, INDEXES)
    return INDEXES[config.index](dimension, config)


def _selector(alive: NDArray[np.bool_]) -> "faiss.IDSelector":
    return faiss.IDSelectorBitmap(np.packbits(alive, bitorder="little"))


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
