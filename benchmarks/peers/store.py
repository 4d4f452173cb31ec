"""Descriptors kept in files, and searched by comparing with all of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from vcd.types import MIRRORED, WHOLE, Descriptors, MediaInfo, Neighbours

MAX_PAIRS = 200_000


class ExactStore:
    """A `VectorStore` of a few references; a reference's media id is its place in the list."""

    def __init__(self, references: Sequence[Descriptors]) -> None:
        self.references = references
        self._index = faiss.IndexFlatIP(references[0].vectors.shape[1])
        self._index.add(np.concatenate([reference.vectors for reference in references]))
        self._ids = np.repeat(np.arange(len(references)), [len(reference) for reference in references])
        self._times_s = np.concatenate([reference.times_s for reference in references])

    def nearest(self, queries: NDArray[np.float32], k: int) -> Neighbours:
        similarities, rows = self._index.search(queries, min(k, len(self._ids)))
        return Neighbours(self._ids[rows], self._times_s[rows], similarities)

    def descriptors(self, media_id: int) -> Descriptors:
        return self.references[media_id]


def save_descriptors(path: Path, described: Sequence[Descriptors]) -> None:
    """All in one file, which appears whole."""
    facts = [{"name": d.name, "info": asdict(d.info), "mirrored": d.mirrored} for d in described]
    arrays = {
        f"{part}{n}": getattr(d, part) for n, d in enumerate(described) for part in ("times_s", "vectors", "quality")
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    with partial.open("wb") as file:
        np.savez(file, facts=np.array(json.dumps(facts)), **arrays)
    partial.replace(path)


def load_descriptors(path: Path) -> list[Descriptors]:
    with np.load(path) as stored:
        return [
            Descriptors(
                fact["name"], MediaInfo(**fact["info"]), stored[f"times_s{n}"], stored[f"vectors{n}"],
                stored[f"quality{n}"], MIRRORED if fact["mirrored"] else WHOLE,
            )
            for n, fact in enumerate(json.loads(str(stored["facts"])))
        ]  # fmt: skip


def unrelated_similarity(films: Sequence[Descriptors], seed: int = 0) -> float:
    """The cosine that 99 of 100 pairs of frames of different films stay below: what vcd's model cards state.

    Raises ValueError when there are not two films.
    """
    if len(films) < 2:
        raise ValueError("it takes two films to say how alike unrelated pictures look")
    rng = np.random.default_rng(seed)
    owners = np.repeat(np.arange(len(films)), [len(film) for film in films])
    vectors = np.concatenate([film.vectors for film in films])
    one, other = rng.integers(0, len(owners), (2, MAX_PAIRS))
    apart = owners[one] != owners[other]
    similarities = np.einsum("nd,nd->n", vectors[one[apart]], vectors[other[apart]])
    return float(np.quantile(similarities, 0.99))
