"""The stages in order: what `vcd index`, `vcd query` and `vcd compare` do.

path --media--> Frame --describe--> Descriptors --library--> FrameMatches --align--> Segment --verify--> Segment
--report--> rows
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import vcd
from vcd.align import rescore
from vcd.choose import choose, is_doubtful, preselect
from vcd.cluster import Engine, make_pool
from vcd.config import Config
from vcd.describe import load_card, make_describer, prove_describer
from vcd.errors import InputError
from vcd.examine import examine
from vcd.extract import Extracted, extract
from vcd.hashes.store import store_hashes
from vcd.library import LibraryWriter, MediaRow
from vcd.library.stores import Place, References, holds_library, open_library, open_or_create
from vcd.media import find_media
from vcd.media.files import MediaPath
from vcd.model import Model
from vcd.plan import make_plan
from vcd.report import write_atomically
from vcd.search import find_candidates, match_all, normalise
from vcd.sieve import Sieve, hash_unchanged, require_hashing
from vcd.types import Descriptors, Problem, Progress, Report, Segment, quiet
from vcd.workers import Workers, usable_cores

if TYPE_CHECKING:
    from vcd.illustrate import Album

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
    folder: Place,
    config: Config,
    workers: int | None = None,
    progress: Progress = quiet,
    engine: Engine = "local",
) -> Indexed:
    """Add media to the library in `folder`, made when there is none; `engine` ray: read on a cluster.

    Files that are in it unchanged are skipped, changed ones replaced. Each file is committed when it is done, so
    an interrupted run goes on where it stopped. A file that cannot be read becomes a `Problem`.
    """
    return index_found(list(find_media(paths)), folder, config, workers, progress, engine)


def index_found(
    found: Sequence[MediaPath | InputError],
    folder: Place,
    config: Config,
    workers: int | None = None,
    progress: Progress = quiet,
    engine: Engine = "local",
) -> Indexed:
    """`index` for files whose names in the library are known already."""
    card = load_card(config.describe.model)
    sampling = asdict(config.media.reference)
    if not any(isinstance(item, MediaPath) for item in found) and not holds_library(folder):
        # Nothing to put in, nothing to make.
        return Indexed((), (), (), tuple(Problem(e.path, e.reason) for e in found if isinstance(e, InputError)))
    describe = config.describe
    require_hashing(folder, config)
    prove_describer(make_describer(describe.model, describe.engine, describe.precision))
    with open_or_create(folder, config.library, card.identity, card.dimension, sampling) as writer:
        plan = make_plan(found, writer)
        added: list[str] = []
        replaced: list[str] = []
        for item, old, result in _extract_references(plan.read, config, workers, progress, engine):
            if isinstance(result, InputError):
                plan.problems.append(Problem(item.given, result.reason))
                writer.note_problem(item.path, result.reason)
            else:
                row = writer.add(result.views[0], item.root, result.content_hash, result.stat, old)
                if isinstance(writer, LibraryWriter):
                    store_hashes(writer, row.id, result.hashes)
                (replaced if old else added).append(row.path)
        if isinstance(writer, LibraryWriter):
            plan.problems.extend(hash_unchanged(writer, plan.unchanged, config, workers, progress))
        writer.update_index()
    names = [tuple(sorted(group)) for group in (added, replaced, plan.unchanged)]
    return Indexed(names[0], names[1], names[2], tuple(plan.problems))


def _extract_references(
    todo: Sequence[tuple[MediaPath, MediaRow | None]],
    config: Config,
    workers: int | None,
    progress: Progress,
    engine: Engine,
) -> Iterator[tuple[MediaPath, MediaRow | None, Extracted | InputError]]:
    if not todo:
        return
    media, describe = config.media, config.describe
    more = (False, True, None, config.hashes.kinds)
    tasks = [(item.given, (item.path, item.name, media, media.reference, describe, *more)) for item, _ in todo]
    with make_pool(engine, worker_count(workers, len(tasks)), workers, media) as pool:
        for number, result in progress(pool.map(extract, tasks), "reading references", len(tasks)):
            yield *todo[number], result


def query(
    paths: Iterable[Path | str],
    folder: Place,
    config: Config,
    workers: int | None = None,
    progress: Progress = quiet,
    page: Path | None = None,
) -> Report:
    """Which stretches of the media were copied from references of the library in `folder`?

    A file that cannot be read becomes a `Problem` of the report, and so does the `page` of HTML that shows why, where
    one is named, when it cannot be written.
    """
    model = Model.of(config)
    album = make_album(page, config, model)
    library = open_library(folder, config.library)
    model.require(library.model, folder)
    found = list(find_media(paths))
    problems = [Problem(error.path, error.reason) for error in found if isinstance(error, InputError)]
    items = [item for item in found if isinstance(item, MediaPath)]
    sieve = Sieve(library, config)
    with Workers(worker_count(workers, len(items)), config.media.timeout_s, config.media.memory_mb) as pool:
        segments, usable, items = sieve.answer_early(items, pool)
        tasks = [query_task(item, config) for item in items]
        extracted = pool.map(extract, [(name, (*arguments, None, sieve.kinds)) for name, arguments in tasks])
        library.load()
        for number, result in progress(extracted, "reading queries", len(items)):
            if isinstance(result, InputError):
                problems.append(Problem(items[number].given, result.reason))
                continue
            usable += 1
            shown = answer(items[number].path, result.views, library, model, config, pool)
            segments += shown + sieve.match_lists(items[number].given, result)
            if album:
                album.add(pool, shown, items[number].path, result.views, library)
    report = make_report(segments, problems, usable, config, library_facts(library, model))
    if album:
        album.note([segment for segment in segments if segment.found_by != "descriptors"])
        report = album.write(report)
    return report


def library_facts(library: References, model: Model) -> dict[str, object]:
    return {"library": str(library.folder), "references": len(library), **model.made_with}


def make_album(page: Path | None, config: Config, model: Model) -> "Album | None":
    """What collects pictures for a page of `--report`; None when none is wanted."""
    if page is None:
        return None
    from vcd.illustrate import Album  # draws with libraries that nothing else needs

    return Album(page, config, model)


def query_task(item: MediaPath, config: Config) -> tuple[str, tuple[object, ...]]:
    """What a worker is told to read a query: its name, and the arguments of `extract`."""
    media, describe = config.media, config.describe
    return item.given, (item.path, item.given, media, media.query, describe, True, False)


def answer(
    path: Path, views: Sequence[Descriptors], library: References, model: Model, config: Config, pool: Workers
) -> list[Segment]:
    """The segments to show of one query whose file has been read."""
    found = search_and_align(views, library, model, config)
    likely = [(segment, path, library.row(media_id).file) for segment, media_id in preselect(found, config)]
    return choose(_examined(pool, likely, model, config), config)


def search_and_align(
    views: Sequence[Descriptors], library: References, model: Model, config: Config
) -> list[tuple[Segment, int]]:
    """All segments of one query, each with its reference's media id."""
    found: list[tuple[Segment, int]] = []
    for view in views:
        weighed, candidates = find_candidates(
            normalise(view, model.background, config.search),
            library, config.search, model.calibration.unrelated_similarity,
        )  # fmt: skip
        for matches in candidates:
            reference = library.descriptors(matches.media_id)
            if reference is not None:
                segments = model.aligner.align(weighed, reference, matches)
                found += [(rescore(segment, model.calibration), matches.media_id) for segment in segments]
    return found


def _examined(
    pool: Workers, chosen: Sequence[tuple[Segment, Path, Path]], model: Model, config: Config
) -> list[Segment]:
    """Segments with exact ends and verified, where both files can be read and as the settings say."""
    segments = [segment for segment, _, _ in chosen]
    tasks = [
        (number, (segment, query_path, reference_path, config, is_doubtful(segment, config)))
        for number, (segment, query_path, reference_path) in enumerate(chosen)
        if (config.align.refine or is_doubtful(segment, config)) and reference_path.exists()
    ]
    numbers = [number for number, _ in tasks]
    for done, result in pool.map(examine, [(segments[number].query, arguments) for number, arguments in tasks]):
        if isinstance(result, InputError):
            logger.warning("%s: the ends of a segment stay rough: %s", result.path, result.reason)
        else:
            segments[numbers[done]] = rescore(result, model.calibration)
    return segments


def compare(
    query_path: Path,
    reference_path: Path,
    config: Config,
    progress: Progress = quiet,
    plot: Path | None = None,
    page: Path | None = None,
) -> Report:
    """Which stretches of one file were copied from another? No library is needed.

    With `plot` a PNG of both files' similarities and of what was found is written there, with `page` an HTML page that
    shows why. Raises `InputError` when one of the two cannot be read.
    """
    model = Model.of(config)
    album = make_album(page, config, model)
    files = [_single(path) for path in (query_path, reference_path)]
    media, describe = config.media, config.describe
    arguments = (files[1].path, files[1].name, media, media.reference, describe, False, False)
    reference_task = (files[1].name, arguments)
    both: dict[int, Extracted] = {}
    with Workers(worker_count(None, 2), media.timeout_s, media.memory_mb) as pool:
        for number, result in progress(pool.map(extract, [query_task(files[0], config), reference_task]), "reading", 2):
            if isinstance(result, InputError):
                raise result
            both[number] = result
        reference = both[1].views[0]
        found: list[tuple[Segment, int]] = []
        views = [normalise(each, model.background, config.search) for each in both[0].views]
        for view in views:
            segments = model.aligner.align(view, reference, match_all(view, reference, config.search.neighbours))
            found += [(rescore(segment, model.calibration), 0) for segment in segments]
        likely = [(segment, files[0].path, files[1].path) for segment, _ in preselect(found, config)]
        shown = choose(_examined(pool, likely, model, config), config)
        if album:
            album.add(pool, shown, files[0].path, views, (files[1].path, reference))
    if plot is not None:
        from vcd.report.matrix import draw_matrix  # draws with libraries that nothing else needs

        write_atomically(draw_matrix(views, reference, shown, model.calibration.unrelated_similarity), plot)
    report = make_report(shown, [], 1, config, model.made_with)
    if album:
        report = album.write(report)
    return report


def _single(path: Path) -> MediaPath:
    if path.is_dir():
        raise InputError(path, "is a folder; give one file")
    found = next(find_media([path]))
    if isinstance(found, InputError):
        raise found
    return found


def make_report(
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


def worker_count(wanted: int | None, tasks: int) -> int:
    """As many as asked for, else one a core; never more than there is work for."""
    return max(1, min(wanted or usable_cores(), tasks))
