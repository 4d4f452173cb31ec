"""The stages in order: what `vcd index`, `vcd query` and `vcd compare` do.

path --media--> Frame --describe--> Descriptors --library--> FrameMatches --align--> Segment --report--> rows
"""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

import vcd
from vcd.align import Aligner, drop_overlapping, make_aligner
from vcd.config import Config
from vcd.describe import load_card
from vcd.errors import InputError, LibraryMismatch
from vcd.extract import Extracted, extract, refine
from vcd.library import Library, LibraryWriter, MediaRow, is_library
from vcd.media import find_media
from vcd.media.files import MediaPath
from vcd.plan import make_plan
from vcd.search import find_candidates
from vcd.types import Descriptors, FrameMatches, Problem, Progress, Report, Segment, quiet
from vcd.workers import Workers

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Indexed:
    """What `index` did, in names of media."""

    added: tuple[str, ...]
    replaced: tuple[str, ...]
    unchanged: tuple[str, ...]
    problems: tuple[Problem, ...]


def index(
    paths: Iterable[Path | str],
    folder: Path,
    config: Config,
    workers: int | None = None,
    progress: Progress = quiet,
) -> Indexed:
    """Add media to the library in `folder`, made when there is none.

    Files that are in it unchanged are skipped, changed ones replaced. Each file is committed when it is done, so
    an interrupted run goes on where it stopped. A file that cannot be read becomes a `Problem`.
    """
    card = load_card(config.describe.model)
    sampling = asdict(config.media.reference)
    found = list(find_media(paths))
    if not any(isinstance(item, MediaPath) for item in found) and not is_library(folder):
        # Nothing to put in, nothing to make.
        return Indexed((), (), (), tuple(Problem(e.path, e.reason) for e in found if isinstance(e, InputError)))
    with LibraryWriter.open_or_create(folder, config.library, card.identity, card.dimension, sampling) as writer:
        plan = make_plan(found, writer)
        added: list[str] = []
        replaced: list[str] = []
        for item, old, result in _extract_references(plan.read, config, workers, progress):
            if isinstance(result, InputError):
                plan.problems.append(Problem(item.given, result.reason))
                writer.note_problem(item.path, result.reason)
            else:
                row = writer.add(result.views[0], item.root, result.content_hash, result.stat, old)
                (replaced if old else added).append(row.path)
        writer.update_index()
    names = [tuple(sorted(group)) for group in (added, replaced, plan.unchanged)]
    return Indexed(names[0], names[1], names[2], tuple(plan.problems))


def _extract_references(
    todo: Sequence[tuple[MediaPath, MediaRow | None]], config: Config, workers: int | None, progress: Progress
) -> Iterator[tuple[MediaPath, MediaRow | None, Extracted | InputError]]:
    if not todo:
        return
    tasks = [
        (
            item.given,
            (item.path, item.name, config.media, config.media.reference, config.describe, False, True),
        )
        for item, _ in todo
    ]
    with Workers(worker_count(workers, len(tasks)), config.media.timeout_s) as pool:
        for number, result in progress(pool.map(extract, tasks), "reading references", len(tasks)):
            yield *todo[number], result


def query(
    paths: Iterable[Path | str],
    folder: Path,
    config: Config,
    workers: int | None = None,
    progress: Progress = quiet,
) -> Report:
    """Which stretches of the media were copied from references of the library in `folder`?

    A file that cannot be read becomes a `Problem` of the report.
    """
    card = load_card(config.describe.model)
    library = Library(folder, config.library)
    if library.model != card.identity:
        raise LibraryMismatch(
            f"{folder}: the library was made with model {library.model}, the query would use {card.identity}; "
            "set describe.model to the library's model, or index the media again into another folder"
        )
    found = list(find_media(paths))
    problems = [Problem(error.path, error.reason) for error in found if isinstance(error, InputError)]
    items = [item for item in found if isinstance(item, MediaPath)]
    aligner = make_aligner(config.align, card.unrelated_similarity)
    segments: list[Segment] = []
    usable = 0
    with Workers(worker_count(workers, len(items)), config.media.timeout_s) as pool:
        extracted = pool.map(extract, [_query_task(item, config) for item in items])
        library.load()
        for number, result in progress(extracted, "reading queries", len(items)):
            if isinstance(result, InputError):
                problems.append(Problem(items[number].given, result.reason))
                continue
            usable += 1
            found_here = _search_and_align(result.views, library, aligner, config, card.unrelated_similarity)
            shown = choose(found_here, config)
            segments += _refined(pool, [(s, items[number].path, library.row(i).file) for s, i in shown], config)
    return _report(
        segments,
        problems,
        usable,
        config,
        {"library": str(folder), "references": len(library), "model": card.identity},
    )


def _query_task(item: MediaPath, config: Config) -> tuple[str, tuple[object, ...]]:
    media, describe = config.media, config.describe
    return item.given, (item.path, item.given, media, media.query, describe, True, False)


def _search_and_align(
    views: Sequence[Descriptors], library: Library, aligner: Aligner, config: Config, floor: float
) -> list[tuple[Segment, int]]:
    """All segments of one query, each with its reference's media id."""
    found: list[tuple[Segment, int]] = []
    for view in views:
        for matches in find_candidates(view, library, config.search, floor):
            reference = library.descriptors(matches.media_id)
            if reference is not None:
                found += [(segment, matches.media_id) for segment in aligner.align(view, reference, matches)]
    return found


def choose(found: Sequence[tuple[Segment, int]], config: Config) -> list[tuple[Segment, int]]:
    """Segments to show: probable enough, no two for one copy, the best few when the report is limited."""
    media_ids = {id(segment): media_id for segment, media_id in found}
    probable = [segment for segment, _ in found if segment.score >= config.report.min_score]
    kept = drop_overlapping(probable)[: config.report.top or None]
    return [(segment, media_ids[id(segment)]) for segment in kept]


def _refined(pool: Workers, chosen: Sequence[tuple[Segment, Path, Path]], config: Config) -> list[Segment]:
    """Segments with exact ends where both files can be read, as they were where not."""
    segments = [segment for segment, _, _ in chosen]
    if not config.align.refine:
        return segments
    tasks = [
        (number, (segment, query_path, reference_path, config))
        for number, (segment, query_path, reference_path) in enumerate(chosen)
        if reference_path.exists()
    ]
    numbers = [number for number, _ in tasks]
    for done, result in pool.map(refine, [(segments[number].query, arguments) for number, arguments in tasks]):
        if isinstance(result, InputError):
            logger.warning("%s: the ends of a segment stay rough: %s", result.path, result.reason)
        else:
            segments[numbers[done]] = result
    return segments


def compare(query_path: Path, reference_path: Path, config: Config, progress: Progress = quiet) -> Report:
    """Which stretches of one file were copied from another? No library is needed.

    Raises `InputError` when one of the two cannot be read.
    """
    card = load_card(config.describe.model)
    files = [_single(path) for path in (query_path, reference_path)]
    media, describe = config.media, config.describe
    reference_task = (
        files[1].name,
        (files[1].path, files[1].name, media, media.reference, describe, False, False),
    )
    both: dict[int, Extracted] = {}
    with Workers(worker_count(None, 2), media.timeout_s) as pool:
        for number, result in progress(
            pool.map(extract, [_query_task(files[0], config), reference_task]), "reading", 2
        ):
            if isinstance(result, InputError):
                raise result
            both[number] = result
        reference = both[1].views[0]
        aligner = make_aligner(config.align, card.unrelated_similarity)
        found = [
            (segment, 0)
            for view in both[0].views
            for segment in aligner.align(view, reference, match_all(view, reference, config.search.neighbours))
        ]
        segments = _refined(pool, [(s, files[0].path, files[1].path) for s, _ in choose(found, config)], config)
    return _report(segments, [], 1, config, {"model": card.identity})


def _single(path: Path) -> MediaPath:
    if path.is_dir():
        raise InputError(path, "is a folder; give one file")
    found = next(find_media([path]))
    if isinstance(found, InputError):
        raise found
    return found


def match_all(query: Descriptors, reference: Descriptors, neighbours: int) -> FrameMatches:
    """Each query frame's best frames of one reference, by comparing with all of them."""
    similarities = query.vectors @ reference.vectors.T
    k = min(neighbours, len(reference))
    best = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    rows = np.repeat(np.arange(len(query)), k)
    return FrameMatches(0, rows, reference.times_s[best.ravel()], similarities[rows, best.ravel()], votes=0.0)


def _report(
    segments: Sequence[Segment],
    problems: Sequence[Problem],
    usable: int,
    config: Config,
    made_with: dict[str, object],
) -> Report:
    return Report(
        segments=tuple(sorted(segments, key=Segment.sort_key)),
        problems=tuple(sorted(problems, key=lambda problem: (problem.path, problem.reason))),
        usable=usable,
        made_with={"vcd": vcd.__version__, "config": config.digest, **made_with},
    )


def with_report_options(config: Config, min_score: float | None, top: int | None) -> Config:
    """The configuration with what the command line says about the rows to show."""
    report = config.report
    if min_score is not None:
        report = replace(report, min_score=min_score)
    if top is not None:
        report = replace(report, top=top)
    return replace(config, report=report)


def worker_count(wanted: int | None, tasks: int) -> int:
    """As many as asked for, else one a core; never more than there is work for."""
    return max(1, min(wanted or len(os.sched_getaffinity(0)), tasks))
