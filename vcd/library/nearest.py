"""FAISS as the indexes here use it: adding in pieces, searching among the living rows, files read or mapped."""

from pathlib import Path
from typing import IO

import faiss
import numpy as np
from numpy.typing import NDArray

from vcd.errors import LibraryDamaged

if faiss.omp_get_max_threads() <= 8:
    # faiss 1.15 raised this to 128000, which makes exact search 5 to 7 times slower on few cores.
    faiss.cvar.distance_compute_blas_threshold = 20

ADDED_AT_ONCE = 100_000


def selector(alive: NDArray[np.bool_]) -> "faiss.IDSelector | None":
    """What lets a search find living rows only; None when all are."""
    return None if alive.all() else faiss.IDSelectorBitmap(np.packbits(alive, bitorder="little"))


def add_in_pieces(index: "faiss.Index", vectors: NDArray[np.float16]) -> None:
    """FAISS wants float32, twice the memory."""
    for start in range(0, len(vectors), ADDED_AT_ONCE):
        index.add(vectors[start : start + ADDED_AT_ONCE].astype(np.float32))


def search(
    index: "faiss.Index", queries: NDArray[np.float32], k: int, parameters: "faiss.SearchParameters | None"
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows and similarities, (Q, k) each; -1 where there are fewer. Raises `LibraryDamaged` for a row that is none."""
    found = max(1, min(k, index.ntotal))
    similarities, rows = index.search(np.ascontiguousarray(queries), found, params=parameters)
    if rows.max(initial=-1) >= index.ntotal:
        raise LibraryDamaged("the index names vectors that are not there; run: vcd library verify")
    padding = ((0, 0), (0, k - found))
    similarities = np.where(rows < 0, -1, similarities)
    return (
        np.pad(rows, padding, constant_values=-1).astype(np.int64),
        np.pad(similarities, padding, constant_values=-1).astype(np.float32),
    )


def read_faiss(source: IO[bytes] | Path) -> "faiss.Index":
    """An index from an open file, or one whose file is mapped: it opens at once and cannot be added to.

    Raises `RuntimeError` when it is no index. Check it before: FAISS trusts what it reads.
    """
    if isinstance(source, Path):
        return faiss.read_index(str(source), faiss.IO_FLAG_MMAP_IFC)
    return faiss.read_index(faiss.PyCallbackIOReader(source.read))


def write_faiss(index: "faiss.Index", file: IO[bytes]) -> None:
    """Raises `OSError`; given a path, FAISS would not tell that the disk was full at the last bytes."""
    faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))
