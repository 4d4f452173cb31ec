"""A corpus that was read -> segments of references from which what was copied has been cut out.

All that is found in them is false, and what is left of a programme shows the same people and places in other takes:
the negatives that are hardest to tell from a copy, of which corpora hold few.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.calibrate.candidates import Candidate
from benchmarks.calibrate.corpus import Read
from vcd.align import drop_overlapping, rescore
from vcd.config import Config
from vcd.model import Model
from vcd.search import find_candidates, match_all, normalise
from vcd.types import Descriptors

APART_S = 1.0
"""Left out on either side of a copy as well."""
LEAST_S = 8.0
"""A shorter rest is not looked at."""
FEWEST_FRAMES = 3


def without_copies(read: Read, model: Model, config: Config) -> list[Candidate]:
    """Of the whole picture of each query; the spans are those within the rests, so nothing can be decoded there."""
    found = []
    floor = model.calibration.unrelated_similarity
    for name, views in sorted(read.queries.items()):
        rests = list(_rests(read, name))
        if not rests:
            continue
        query, _ = find_candidates(normalise(views[0], model.background, config.search), read.library, config.search,
                                   floor)  # fmt: skip
        for media_id, rest in rests:
            segments = model.aligner.align(query, rest, match_all(query, rest, config.search.neighbours))
            scored = [rescore(segment, model.calibration) for segment in segments]
            found += [Candidate(segment, media_id, true=False) for segment in drop_overlapping(scored)]
    return found


def _rests(read: Read, name: str) -> Iterator[tuple[int, Descriptors]]:
    """What is left of each reference that the query has a copy of, with its media id."""
    copies = [copy for copy in read.truth.copies if copy.query == name]
    for row in read.library.media:
        spans = sorted((c.reference_span.start_s, c.reference_span.end_s)
                       for c in copies if Path(c.reference).name == Path(row.path).name)  # fmt: skip
        reference = read.library.descriptors(row.id) if spans else None
        if reference is None:
            continue
        begins_s = [0.0, *(end_s + APART_S for _, end_s in spans)]
        ends_s = [*(start_s - APART_S for start_s, _ in spans), reference.info.duration_s]
        for begin_s, end_s in zip(begins_s, ends_s, strict=True):
            rest = part(reference, begin_s, end_s) if end_s - begin_s >= LEAST_S else None
            if rest is not None and len(rest) >= FEWEST_FRAMES:
                yield row.id, rest


def part(whole: Descriptors, begin_s: float, end_s: float) -> Descriptors:
    """The frames from `begin_s` to before `end_s`, as a file of their own."""
    kept = (whole.times_s >= begin_s) & (whole.times_s < end_s)
    return replace(
        whole,
        info=replace(whole.info, duration_s=end_s - begin_s),
        times_s=whole.times_s[kept] - begin_s,
        vectors=whole.vectors[kept],
        quality=whole.quality[kept],
        bias=whole.bias[kept],
    )
