"""Models of one training, by step -> how accurate it was then."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.ablations.scoring import EDITS, Described, Vectors, row
from benchmarks.images.corpus import Corpus
from benchmarks.images.stored import Item, in_batches
from vcd.describe import make_describer

BACKGROUND = 2500
"""Vectors of each model's own background that normalise its scores: more find more, and not all models have as many."""


def measure_steps(models: Sequence[str], corpus: Corpus, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """A row a model, by rising step; each with its own background. Raises `ValueError` for a name without a step."""
    found = []
    for named in models:
        card, _, step = named.rpartition(":")
        if not card or not step.isdigit():
            raise ValueError(f"{named}: give a model card and its step, as CARD.toml:7300")
        tell(named)
        describer = make_describer(card)

        def of(items: Sequence[Item], describe: Callable[[Any], Vectors] = describer.describe) -> Vectors:
            return np.concatenate([describe(pictures) for pictures in in_batches(items)])

        described = Described(
            of(corpus.references()),
            {edit: of(corpus.queries(edit)) for edit in EDITS},
            describer.background[:BACKGROUND],
        )
        found.append({"step": int(step), **row(described, corpus.copied)})
    return sorted(found, key=lambda each: each["step"])
