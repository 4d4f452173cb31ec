"""Descriptors of queries and a store of references -> rows, with the processor time of each step."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.lecture import choose_references
from benchmarks.peers.store import ExactStore, load_descriptors, unrelated_similarity
from benchmarks.videos.methods import METHODS, Method
from vcd.align import Calibration, drop_overlapping, load_calibration, make_aligner, rescore
from vcd.config import Config, load_config
from vcd.evaluate import Row
from vcd.library import Library
from vcd.model import Model
from vcd.search import Background, find_candidates, normalise
from vcd.types import Descriptors, FrameMatches, Neighbours, Segment

MIN_SCORE = 0.05
"""Rows below the default threshold count for the rankings; below this they say nothing."""


class Store(Protocol):
    """A `Library`, or the vectors of a peer."""

    def nearest(self, queries: NDArray[np.float32], k: int) -> Neighbours: ...
    def descriptors(self, media_id: int) -> Descriptors | None: ...


@dataclass(frozen=True, slots=True)
class Places:
    """Where the steps before have put what a method needs."""

    libraries: Path
    """One library a preset, by its name."""
    descriptors: Path
    distractors: tuple[str, ...]
    """File names: films that no query comes from."""

    def views(self, side: str, model: str) -> Path:
        return self.descriptors / f"{side}-{model}.npz"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one method says to all queries."""

    rows: list[Row]
    search_s: float
    align_s: float
    floor: float
    """The similarity of unrelated pictures that it reckoned with."""


def answer(name: str, places: Places, candidates: int, min_score: float = MIN_SCORE) -> Answer:
    """Run one of `METHODS` over all queries, in one process."""
    method = METHODS[name]
    config = load_config(method.preset)
    limit = min(candidates, method.candidates or candidates)
    config = replace(
        config,
        align=replace(config.align, aligner=method.aligner, refine=False),  # type: ignore[arg-type]
        search=replace(config.search, candidates=limit),
        library=replace(config.library, index=method.index or "exact"),  # type: ignore[arg-type]
    )
    config = replace(config, verify=replace(config.verify, when="never"))
    store, background, calibration = _open_store(method, places, config)
    queries = load_descriptors(places.views(f"queries-{method.sampling}", method.model or config.describe.model))
    if method.reference_rule == "lecture":
        return ask(queries, store, config, calibration, min_score, lambda view: (view, choose_references(view, store)))
    floor = calibration.unrelated_similarity

    def find(view: Descriptors) -> tuple[Descriptors, list[FrameMatches]]:
        return find_candidates(normalise(view, background, config.search), store, config.search, floor)

    return ask(queries, store, config, calibration, min_score, find)


def _open_store(method: Method, places: Places, config: Config) -> tuple[Store, Background | None, Calibration]:
    """What is searched; and what is known of the model: of a peer's, how alike unrelated pictures look to it."""
    if method.model is None:
        library = Library(places.libraries / method.preset, config.library)
        library.load()
        model = Model.of(config)
        return library, model.background, model.calibration
    references = load_descriptors(places.views("films-default", method.model))
    strangers = [film for film in references if film.name in places.distractors]
    floor = unrelated_similarity(strangers if len(strangers) > 1 else references)
    return ExactStore(references), None, load_calibration(method.model, floor)


def ask(
    views: Sequence[Descriptors],
    store: Store,
    config: Config,
    calibration: Calibration,
    min_score: float,
    find: Callable[[Descriptors], tuple[Descriptors, list[FrameMatches]]],
) -> Answer:
    """The stages that `vcd.pipeline.query` goes through, but for decoding, with a clock between them."""
    floor = calibration.unrelated_similarity
    aligner = make_aligner(config.align, floor)
    took_s = {"search": 0.0, "align": 0.0}
    found: dict[str, list[Segment]] = {}
    for view in views:
        started_s = time.process_time()
        weighed, candidates = find(view)
        searched_s = time.process_time()
        mine = found.setdefault(view.name, [])
        for matches in candidates:
            reference = store.descriptors(matches.media_id)
            if reference is not None:
                mine += [rescore(segment, calibration) for segment in aligner.align(weighed, reference, matches)]
        took_s["search"] += searched_s - started_s
        took_s["align"] += time.process_time() - searched_s
    segments = [kept for mine in found.values() for kept in drop_overlapping(s for s in mine if s.score >= min_score)]
    return Answer(as_rows(segments), took_s["search"], took_s["align"], floor)


def as_rows(segments: Sequence[Segment]) -> list[Row]:
    """By the names of the files alone."""
    return [
        Row(Path(s.query).name, Path(s.reference).name, s.query_span, s.reference_span, s.score)
        for s in sorted(segments, key=Segment.sort_key)
    ]


def answer_as_dict(name: str, places: Places, candidates: int) -> dict[str, Any]:
    """`answer`, in a form that another process can send back."""
    started_s = time.perf_counter()
    done = answer(name, places, candidates)
    took_s = time.perf_counter() - started_s
    found = {"rows": done.rows, "search_s": done.search_s, "align_s": done.align_s, "floor": done.floor}
    return found | {"took_s": took_s}
