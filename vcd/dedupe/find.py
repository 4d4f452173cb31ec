"""All of `dedupe` in order."""

from dataclasses import replace
from pathlib import Path

import vcd
from vcd.config import Config, SearchConfig
from vcd.dedupe.candidates import find_candidates
from vcd.dedupe.clusters import find_clusters
from vcd.dedupe.groups import make_groups
from vcd.dedupe.known import find_known, is_known
from vcd.dedupe.pairs import PairMaker, same_bytes
from vcd.dedupe.records import Duplicates, Pair
from vcd.dedupe.stretches import find_stretches, without_stretches
from vcd.library import Library, MediaRow
from vcd.model import Model
from vcd.types import Progress, quiet

NEIGHBOURS = 64
"""Copies inside a library are mostly whole: fewer neighbours than for a query say enough."""
EFFORT = 128
"""Nor does a single frame that the index misses matter."""
MIN_COVERAGE = 0.5


def dedupe(
    folder: Path,
    config: Config,
    min_coverage: float = MIN_COVERAGE,
    clusters: int = 0,
    progress: Progress = quiet,
) -> Duplicates:
    """Which files of the library share something with others of it?

    Files of which the best of a group holds at least `min_coverage` are in its group; `clusters` is how many clusters
    of look-alike files are wanted. Reads the library alone, never the media. Raises a `LibraryError`, and `DataError`
    when the list of known pairs cannot be read.
    """
    model = Model.of(config)
    library = Library(folder, replace(config.library, effort_search=min(EFFORT, config.library.effort_search)))
    model.require(library.model, folder)
    known = find_known(folder)
    media = {row.id: row for row in library.media}
    first, same = _by_content(library.media)
    by_part = sorted(first, key=lambda row: (row.part_id, row.first_row))
    found = find_candidates(progress(by_part, "searching", len(by_part)), first, library, model, _fewer(config.search))
    make = PairMaker(library, model, config, found.biases)

    def look_at(one: MediaRow, other: MediaRow) -> Pair | None:
        return None if is_known(known, one, other) else make(one, other)

    todo = [(media[one], media[other]) for one, other in sorted(found.pairs)]
    made = [pair for rows in progress(todo, "comparing", len(todo)) if (pair := look_at(*rows))]
    stretches = find_stretches(found.held, made, media)
    alike = [pair for pair in same if not is_known(known, pair.holder, pair.held)]
    pairs = [*without_stretches(made, stretches), *alike]

    def complete(*rows: MediaRow) -> Pair | None:
        return next(iter(without_stretches(filter(None, [look_at(*rows)]), stretches)), None)

    groups, more = make_groups(pairs, min_coverage, complete)
    return Duplicates(
        groups=tuple(groups),
        pairs=tuple(sorted([*pairs, *more], key=Pair.sort_key)),
        stretches=tuple(stretches),
        files=len(media),
        left_out=sum(is_known(known, *rows) for rows in todo) + len(same) - len(alike),
        min_coverage=min_coverage,
        clusters=tuple(find_clusters(found.looks, media, clusters)),
        made_with={"vcd": vcd.__version__, "config": config.digest, "library": str(folder), **model.made_with},
    )


def _fewer(search: SearchConfig) -> SearchConfig:
    return replace(search, neighbours=min(NEIGHBOURS, search.neighbours))


def _by_content(media: list[MediaRow]) -> tuple[list[MediaRow], list[Pair]]:
    """One file of each content, the first by path, and the pairs of each further one with it."""
    first: dict[str, MediaRow] = {}
    pairs = []
    for row in media:
        one = first.setdefault(row.content_hash or f"unknown {row.id}", row)
        if one is not row:
            pairs.append(same_bytes(one, row))
    return list(first.values()), pairs
