"""Nearest vectors by inner product: one interface, an exact twin and approximate ones.

Settings of FAISS follow measurements on two cores: HNSW with fp16 storage finds what fp32 finds, 1.4 times as fast
in 60 % of the memory.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, Protocol, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.library.ivf import IvfPqIndex, IvfSq8Index
from vcd.library.nearest import add_in_pieces, read_faiss, search, selector, write_faiss


class VectorIndex(Protocol):
    """Rows are numbered from 0 in the order they were added."""

    least_rows: ClassVar[int]
    """It is not made for fewer."""
    rounding: ClassVar[float]
    """How far a similarity may be off for the way in which vectors are stored."""

    def __init__(self, dimension: int, config: LibraryConfig) -> None: ...

    @classmethod
    def load(cls, source: IO[bytes] | Path, config: LibraryConfig) -> Self:
        """As `read_faiss` does; raises `RuntimeError` when the file holds no index of this kind."""
        ...

    def save(self, file: IO[bytes]) -> None:
        """Raises `OSError`."""
        ...

    def train(self, sample: NDArray[np.float16], rows: int) -> None:
        """Prepare, before the first `add`, for so many rows like those of the sample."""
        ...

    def suits(self, rows: int) -> bool:
        """Whether it may grow to so many rows rather than be made anew."""
        ...

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

    least_rows: ClassVar[int] = 0
    rounding: ClassVar[float] = 0.01

    def __init__(self, dimension: int, config: LibraryConfig) -> None:  # noqa: ARG002
        self._index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)

    @classmethod
    def load(cls, source: IO[bytes] | Path, config: LibraryConfig) -> Self:  # noqa: ARG003
        """Raises `RuntimeError` when it is no index of this kind."""
        self = cls.__new__(cls)
        self._index = read_faiss(source)
        if not isinstance(self._index, faiss.IndexScalarQuantizer):
            raise RuntimeError("the file holds another kind of index")
        return self

    def save(self, file: IO[bytes]) -> None:
        """Raises `OSError`."""
        write_faiss(self._index, file)

    def train(self, sample: NDArray[np.float16], rows: int) -> None:
        """Nothing to do: it needs no training."""

    def suits(self, rows: int) -> bool:  # noqa: ARG002
        return True

    def add(self, vectors: NDArray[np.float16]) -> None:
        add_in_pieces(self._index, vectors)

    def search(
        self, queries: NDArray[np.float32], k: int, alive: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        living = selector(alive)
        parameters = None if living is None else faiss.SearchParameters(sel=living)
        return search(self._index, queries, k, parameters)

    def __len__(self) -> int:
        return int(self._index.ntotal)


class HnswIndex:
    """Hierarchical navigable small worlds (Malkov & Yashunin, 2018), fp16 storage."""

    least_rows: ClassVar[int] = 1
    rounding: ClassVar[float] = 0.01

    def __init__(self, dimension: int, config: LibraryConfig) -> None:
        self._index = faiss.IndexHNSWSQ(
            dimension, faiss.ScalarQuantizer.QT_fp16, config.links, faiss.METRIC_INNER_PRODUCT
        )
        self._index.hnsw.efConstruction = config.effort_build
        self._index.is_trained = True
        self._set_up(config)

    @classmethod
    def load(cls, source: IO[bytes] | Path, config: LibraryConfig) -> Self:
        """Read a saved index; raises `RuntimeError` when it is no index.

        Check it before: FAISS trusts the links that it reads, and follows damaged ones out of its memory.
        """
        self = cls.__new__(cls)
        self._index = read_faiss(source)
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
        """Raises `OSError`."""
        write_faiss(self._index, file)

    def train(self, sample: NDArray[np.float16], rows: int) -> None:
        """Nothing to do: it needs no training."""

    def suits(self, rows: int) -> bool:  # noqa: ARG002
        return True

    def add(self, vectors: NDArray[np.float16]) -> None:
        add_in_pieces(self._index, vectors)

    def search(
        self, queries: NDArray[np.float32], k: int, alive: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        parameters = faiss.SearchParametersHNSW(sel=selector(alive), efSearch=max(self._effort, k))
        return search(self._index, queries, k, parameters)

    def __len__(self) -> int:
        return int(self._index.ntotal)


INDEXES: Mapping[str, type[VectorIndex]] = {
    "exact": ExactIndex,
    "hnsw": HnswIndex,
    "ivf-sq8": IvfSq8Index,
    "ivf-pq": IvfPqIndex,
}
EXACT_UNDER = 50_000
HNSW_TO = 1_000_000
"""Rows up to which `auto` takes a kind; above, HNSW takes three times the memory of ivf-sq8, four times as long to
build, and finds less."""


def kind_for(config: LibraryConfig, rows: int) -> str:
    """The kind of index for so many rows; too few for the one that is set are compared one by one."""
    kind: str = config.index
    if kind == "auto":
        kind = "exact" if rows < EXACT_UNDER else "hnsw" if rows <= HNSW_TO else "ivf-sq8"
    return kind if rows >= INDEXES[kind].least_rows else "exact"


def build_settings(config: LibraryConfig, rows: int) -> dict[str, Any]:
    """The settings that shape an index of so many rows; another value means building it anew."""
    kind = kind_for(config, rows)
    if kind == "hnsw":
        return {"index": kind, "links": config.links, "effort_build": config.effort_build}
    return {"index": kind}
