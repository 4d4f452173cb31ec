"""Inverted files: vectors in lists by their nearest centre, of which a query looks into a few.

For libraries of millions of frames: a third (`ivf-sq8`) or, with what it needs in memory, a tenth (`ivf-pq`) of HNSW's
memory, and a quarter of its time to build. Product quantisation is the fast kind of 4 bits (Andre et al., 2015), whose
answers are ordered anew by the vectors in half precision.
"""

import math
from pathlib import Path
from typing import IO, ClassVar, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.errors import ConfigError
from vcd.library.nearest import add_in_pieces, read_faiss, search, selector, write_faiss

MOST_LISTS = 16384
TRAINED_ON = 40
"""Vectors for each centre."""
MARGIN = 0.25
"""ivf-sq8: the values of a dimension may lie so much of their range outside those of the sample."""
OUTGROWN = 4.0
"""Lists so many times as long as they should be are made anew."""
REORDERED = 5
"""ivf-pq: so many times k candidates are compared by their vectors ..."""
REORDERED_LEAST = 256
"""... and at least so many: among the frames of one scene two bits a dimension cannot choose."""


def lists_for(rows: int) -> int:
    """How many lists suit so many rows: 4 sqrt(n), but enough rows in each to know its centre."""
    return max(1, min(MOST_LISTS, int(4 * math.sqrt(rows)), rows // TRAINED_ON))


class IvfIndex:
    """What the two kinds share; `train` comes before the first `add`, which does it where nobody did."""

    least_rows: ClassVar[int] = 1000
    """Fewer say too little of what will come; they are better searched exactly."""
    rounding: ClassVar[float] = 0.02

    def __init__(self, dimension: int, config: LibraryConfig) -> None:
        self._dimension = dimension
        self._probes = config.probes
        self._index: faiss.Index | None = None

    @classmethod
    def load(cls, source: IO[bytes] | Path, config: LibraryConfig) -> Self:
        """Raises `RuntimeError` when it is no index of this kind."""
        index = read_faiss(source)
        self = cls(index.d, config)
        if not self._is_mine(index):
            raise RuntimeError("the file holds another kind of index")
        self._index = index
        return self

    def save(self, file: IO[bytes]) -> None:
        """Raises `OSError`."""
        write_faiss(self._index, file)

    def train(self, sample: NDArray[np.float16], rows: int) -> None:
        """Choose the centres for so many rows by a sample of them."""
        lists = min(lists_for(rows), len(sample))
        coarse = faiss.IndexFlatIP(self._dimension)
        index = self._make(coarse, lists)
        coarse.this.disown()
        part = self._inverted(index)
        part.own_fields = True
        part.cp.min_points_per_centroid = 1
        part.cp.max_points_per_centroid = TRAINED_ON
        index.train(sample.astype(np.float32))
        self._index = index

    def suits(self, rows: int) -> bool:
        """Whether it would still be a good index with so many rows."""
        return self._index is None or self._inverted(self._index).nlist * OUTGROWN >= lists_for(rows)

    def add(self, vectors: NDArray[np.float16]) -> None:
        if not len(vectors):
            return
        if self._index is None:
            self.train(vectors, len(vectors))
        add_in_pieces(self._index, vectors)

    def search(
        self, queries: NDArray[np.float32], k: int, alive: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        if self._index is None:
            return np.full((len(queries), k), -1), np.full((len(queries), k), -1, dtype=np.float32)
        probes = faiss.SearchParametersIVF(sel=selector(alive), nprobe=self._probes)
        return search(self._index, queries, k, self._parameters(probes, k))

    def __len__(self) -> int:
        return 0 if self._index is None else int(self._index.ntotal)

    def _make(self, coarse: "faiss.Index", lists: int) -> "faiss.Index":
        raise NotImplementedError

    def _is_mine(self, index: "faiss.Index") -> bool:
        raise NotImplementedError

    def _inverted(self, index: "faiss.Index") -> "faiss.IndexIVF":
        return index

    def _parameters(self, probes: "faiss.SearchParametersIVF", k: int) -> "faiss.SearchParameters":  # noqa: ARG002
        return probes


class IvfSq8Index(IvfIndex):
    """One byte a dimension."""

    def _make(self, coarse: "faiss.Index", lists: int) -> "faiss.Index":
        kind = faiss.ScalarQuantizer.QT_8bit
        index = faiss.IndexIVFScalarQuantizer(coarse, self._dimension, lists, kind, faiss.METRIC_INNER_PRODUCT)
        index.sq.rangestat_arg = MARGIN
        return index

    def _is_mine(self, index: "faiss.Index") -> bool:
        return isinstance(index, faiss.IndexIVFScalarQuantizer)


class IvfPqIndex(IvfIndex):
    """Two bits a dimension, and the vectors in half precision to order what they find."""

    def __init__(self, dimension: int, config: LibraryConfig) -> None:
        """Raises `ConfigError` for a model that it cannot serve."""
        super().__init__(dimension, config)
        if dimension % 2:
            raise ConfigError(f"ivf-pq takes dimensions in pairs, the model has {dimension}: set library.index another")

    def _make(self, coarse: "faiss.Index", lists: int) -> "faiss.Index":
        halves = self._dimension // 2
        rough = faiss.IndexIVFPQFastScan(coarse, self._dimension, lists, halves, 4, faiss.METRIC_INNER_PRODUCT)
        rough.pq.cp.min_points_per_centroid = 1
        fine = faiss.IndexScalarQuantizer(self._dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        index = faiss.IndexRefine(rough, fine)
        rough.this.disown()
        fine.this.disown()
        index.own_fields = index.own_refine_index = True
        return index

    def _is_mine(self, index: "faiss.Index") -> bool:
        return isinstance(index, faiss.IndexRefine) and isinstance(self._inverted(index), faiss.IndexIVFPQFastScan)

    def _inverted(self, index: "faiss.Index") -> "faiss.IndexIVF":
        return faiss.downcast_index(index.base_index)

    def _parameters(self, probes: "faiss.SearchParametersIVF", k: int) -> "faiss.SearchParameters":
        return faiss.IndexRefineSearchParameters(k_factor=max(REORDERED, REORDERED_LEAST / k), base_index_params=probes)
