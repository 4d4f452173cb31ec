"""A corpus that was read -> segments with their evidence, each with whether it is true."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibrate.corpus import Read
from benchmarks.results import write_whole
from vcd import pipeline
from vcd.align import drop_overlapping
from vcd.config import Config
from vcd.errors import InputError
from vcd.evaluate import Row
from vcd.examine import examine
from vcd.model import Model
from vcd.search import normalise
from vcd.types import Geometry, Segment, Span
from vcd.workers import Workers

TRUE_SHARE, FALSE_SHARE = 0.5, 0.1
"""Share of a segment, on both sides, that the truth covers: from here on it is true; up to here it is false; between
them it is neither, and not used."""
OTHER_TAKE_S = 6.0
"""Another moment of a scene is so much later."""
CLOSE_S = 5.0
"""A segment whose line runs further than this from that of the truth is false."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A segment that search and alignment gave, and what the truth says about it."""

    segment: Segment
    media_id: int
    true: bool


def find_candidates(read: Read, model: Model, config: Config) -> list[Candidate]:
    """Of all queries, no two segments for one copy; those that the truth neither confirms nor denies are left out."""
    found = []
    for name, views in sorted(read.queries.items()):
        ids: dict[int, int] = {}
        segments = []
        for segment, media_id in pipeline.search_and_align(views, read.library, model, config):
            ids[id(segment)] = media_id
            segments.append(segment)
        copies = [copy for copy in read.truth.copies if copy.query == name]
        for segment in drop_overlapping(segments):
            verdict = judge(segment, copies)
            if verdict is not None:
                found.append(Candidate(segment, ids[id(segment)], verdict))
    return found


def judge(segment: Segment, copies: Sequence[Row]) -> bool | None:
    """Whether the segment is true; None where it is neither true nor false."""
    most = 0.0
    for copy in copies:
        if Path(copy.reference).name != Path(segment.reference).name:
            continue
        q, r = segment.query_span, segment.reference_span
        shares = [
            one.overlap_s(other) / max(one.length_s, 1e-6) if one.length_s else 1.0
            for one, other in ((q, copy.query_span), (r, copy.reference_span))
        ]
        if _distance_s(segment, copy) <= CLOSE_S:
            most = max(most, min(shares))
    return True if most >= TRUE_SHARE else False if most <= FALSE_SHARE else None


def _distance_s(segment: Segment, copy: Row) -> float:
    """How far the segment's middle lies from the line of the copy, in seconds of the reference.

    The truth's rows do not say the direction: the nearer of both counts.
    """
    middle_s = (segment.query_span.start_s + segment.query_span.end_s) / 2
    r_middle_s = (segment.reference_span.start_s + segment.reference_span.end_s) / 2
    share = (middle_s - copy.query_span.start_s) / max(copy.query_span.length_s, 1e-6)
    length_s = copy.reference_span.length_s
    there_s = [copy.reference_span.start_s + part * length_s for part in (share, 1 - share)]
    return min(abs(r_middle_s - at_s) for at_s in there_s)


def with_geometry(
    read: Read, candidates: Sequence[Candidate], config: Config, most: int, workers: int | None
) -> list[Candidate]:
    """At most so many of the candidates, examined with both files: the unsure ones first, then others at random.

    What was found is kept beside the corpus, for the next fit.
    """
    shuffled = random.Random(1).sample(list(candidates), len(candidates))
    chosen = sorted(shuffled, key=lambda c: not 0.01 <= c.segment.score <= 0.99)[:most]
    file = read.kept / "geometry.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    todo = [c for c in chosen if _key(c, config) not in known]
    tasks = [
        (
            c.segment.query,
            (c.segment, read.query_path(c.segment.query), read.library.row(c.media_id).file, config, True),
        )
        for c in todo
    ]
    with Workers(pipeline.worker_count(workers, len(tasks)), config.media.timeout_s, config.media.memory_mb) as pool:
        for number, result in pool.map(examine, tasks):
            geometry = None if isinstance(result, InputError) or not result.geometry else asdict(result.geometry)
            known[_key(todo[number], config)] = geometry
            write_whole(file, json.dumps(known, indent=1))
    return [
        replace(c, segment=replace(c.segment, geometry=Geometry(**known[_key(c, config)])))
        for c in chosen
        if known[_key(c, config)]
    ]


def other_takes(candidates: Sequence[Candidate], read: Read) -> list[Candidate]:
    """The true ones again with another moment of their reference: the same set and camera, but other things happen.

    Corpora hold few of what misleads local features most, a set-up that is filmed twice; these stand for it.
    """
    found = []
    for candidate in candidates:
        r, length_s = candidate.segment.reference_span, read.library.row(candidate.media_id).info.duration_s
        shift_s = OTHER_TAKE_S if r.end_s + OTHER_TAKE_S <= length_s else -OTHER_TAKE_S
        if candidate.true and r.length_s and r.start_s + shift_s >= 0:
            moved = Span(r.start_s + shift_s, r.end_s + shift_s)
            segment = replace(candidate.segment, reference_span=moved, geometry=None)
            found.append(replace(candidate, segment=segment, true=False))
    return found


def _key(candidate: Candidate, config: Config) -> str:
    s = candidate.segment
    spans = [round(at_s, 2) for at_s in (*astuple(s.query_span), *astuple(s.reference_span))]
    shaping = repr((s.query, s.reference, spans, round(s.speed, 4), s.mirrored, asdict(config.verify)))
    return sha256(shaping.encode()).hexdigest()[:20]


def unrelated(read: Read, model: Model, config: Config) -> NDArray[np.float64]:
    """Similarities, less the bias, of frames of queries to frames of references that they have nothing to do with."""
    rng = np.random.default_rng(3)
    copied = {(copy.query, Path(copy.reference).name) for copy in read.truth.copies}
    found = []
    for name, views in sorted(read.queries.items()):
        query = normalise(views[0], model.background, config.search)
        rows = np.flatnonzero(query.quality > 0.3)
        rows = rng.permutation(rows)[:40]
        for row in read.library.media:
            reference = read.library.descriptors(row.id)
            if reference is None or (name, Path(row.path).name) in copied:
                continue
            columns = rng.permutation(np.flatnonzero(reference.quality > 0.3))[:60]
            similarities = query.vectors[rows] @ reference.vectors[columns].T - query.bias[rows, None]
            found.append(similarities.ravel())
    return np.concatenate(found).astype(np.float64)


def still_pairs(read: Read, model: Model, config: Config) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What a search with each single frame of the queries would give: the similarity of the nearest frame of all
    references, float64 (n,), and whether it is one of the reference that the frame was copied from.
    """
    values, true = [], []
    references = [(Path(row.path).name, read.library.descriptors(row.id)) for row in read.library.media]
    for name, views in sorted(read.queries.items()):
        query = normalise(views[0], model.background, config.search)
        copies = [copy for copy in read.truth.copies if copy.query == name]
        best = np.stack([(query.vectors @ r.vectors.T).max(axis=1) for _, r in references if r is not None], axis=1)
        for row in np.flatnonzero(query.quality > 0.5):
            at_s, nearest = float(query.times_s[row]), int(best[row].argmax())
            named = {Path(c.reference).name for c in copies if c.query_span.start_s <= at_s < c.query_span.end_s}
            values.append(float(best[row, nearest] - query.bias[row]))
            true.append(references[nearest][0] in named)
    return np.array(values), np.array(true, dtype=bool)
