"""Two files of the library -> what they share."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vcd.align import drop_overlapping, rescore
from vcd.config import Config
from vcd.dedupe.records import Pair, by_size
from vcd.dedupe.spans import length_s
from vcd.library import Library, MediaRow
from vcd.model import Model
from vcd.search import match_all
from vcd.types import Descriptors, Segment, Span

KEPT = 512
"""Files whose descriptors are kept for the pairs that follow."""


class PairMaker:
    """Aligns files of one library; `biases` are those of their descriptors, by media id."""

    def __init__(
        self, library: Library, model: Model, config: Config, biases: Mapping[int, NDArray[np.float32]]
    ) -> None:
        self._model, self._config, self._biases = model, config, biases
        self._descriptors = lru_cache(maxsize=KEPT)(library.descriptors)

    def __call__(self, one: MediaRow, other: MediaRow) -> Pair | None:
        """None when they share nothing, or a writer has removed one of them. Raises `LibraryDamaged`."""
        holder, held = by_size([one, other])
        query, reference = self._descriptors(held.id), self._descriptors(holder.id)
        if query is None or reference is None:
            return None
        segments = self._align(replace(query, bias=self._biases.get(held.id, query.bias)), reference)
        return pair_of(holder, held, segments) if segments else None

    def _align(self, query: Descriptors, reference: Descriptors) -> list[Segment]:
        model, config = self._model, self._config
        found = model.aligner.align(query, reference, match_all(query, reference, config.search.neighbours))
        scored = [rescore(segment, model.calibration) for segment in found]
        return drop_overlapping([segment for segment in scored if segment.score >= config.report.min_score])


def pair_of(holder: MediaRow, held: MediaRow, segments: list[Segment]) -> Pair:
    """`segments` have the held file as query."""
    return Pair(
        holder, held, tuple(segments),
        share_of_held=share([segment.query_span for segment in segments], held),
        share_of_holder=share([segment.reference_span for segment in segments], holder, held),
    )  # fmt: skip


def share(spans: list[Span], row: MediaRow, other: MediaRow | None = None) -> float:
    """What part of a file the spans cover; a still picture is all there, and is nothing of a film."""
    if row.duration_s <= 0:
        return 1.0 if spans and (other is None or other.duration_s <= 0) else 0.0
    return min(1.0, length_s(spans) / row.duration_s)


def same_bytes(one: MediaRow, other: MediaRow) -> Pair:
    """Two files of one content."""
    holder, held = by_size([one, other])
    return Pair(holder, held, (), 1.0, 1.0, same_bytes=True)
