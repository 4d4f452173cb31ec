"""Vectors of a corpus -> a row of an ablation table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.images.scores import score
from vcd.describe.describer import unit_rows
from vcd.search import Background

Vectors = NDArray[np.float32]
EDITS = ("crop 50%", "crop 30% area", "letterbox", "picture-in-picture", "compound")
"""Those that tell ways apart: the others are found by nearly every one."""
ALL = "all edits"


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """One way to describe: the vectors of all pictures that an ablation looks at."""

    references: Vectors
    """float32 (R, D); the i-th is the original of each edit's i-th query, for i < copied."""
    queries: Mapping[str, Vectors]
    """By edit: copies, then pictures without an original."""
    background: Vectors
    """Pictures of other sources."""

    def truncated(self, dimension: int) -> "Described":
        """The first numbers of each vector."""
        return self.through(lambda vectors: vectors[:, :dimension])

    def through(self, change: Any) -> "Described":
        """Each set of vectors changed, then of length 1; zeros stay zeros."""

        def changed(vectors: Vectors) -> Vectors:
            return unit_rows(change(vectors)) * vectors.any(axis=1, keepdims=True)

        return Described(
            changed(self.references),
            {edit: changed(vectors) for edit, vectors in self.queries.items()},
            changed(self.background),
        )


def row(described: Described, copied: int, normalised: bool = True) -> dict[str, Any]:
    """Recall at 90 % precision by edit, and that and micro-AP of all edits in one ranking."""
    bias = Background.of(described.background).bias
    tables = {}
    for edit, vectors in described.queries.items():
        tables[edit] = vectors @ described.references.T - (bias(vectors)[:, None] if normalised else 0)
    rights = [np.where(np.arange(len(table)) < copied, np.arange(len(table)), -1) for table in tables.values()]
    found = {edit: score(table, right) for (edit, table), right in zip(tables.items(), rights, strict=True)}
    together = score(np.concatenate([*tables.values()]), np.concatenate(rights))
    recalls = {edit: round(each.recall_at_p90, 3) for edit, each in found.items()}
    return {
        "dimension": described.references.shape[1],
        "recall_at_p90": recalls | {ALL: round(together.recall_at_p90, 3)},
        "micro_ap": round(together.micro_ap, 3),
    }
