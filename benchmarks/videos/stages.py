"""What each stage of vcd costs: processor seconds for an hour of video, in one process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.videos.folder import Corpus, duration_s
from vcd.align import drop_overlapping, rescore
from vcd.config import load_config
from vcd.describe import describe_frames, make_describer
from vcd.examine import examine
from vcd.extract import as_it_is, look_over, refine
from vcd.library import Library
from vcd.media import open_media
from vcd.model import Model
from vcd.search import find_candidates, normalise
from vcd.types import Descriptors

MINUTES = {True: 3.0, False: 40.0}
"""Video looked at on each side, at least; quick or not."""


class Watch:
    """Processor seconds by stage."""

    def __init__(self) -> None:
        self.took_s: dict[str, float] = {}

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        started_s = time.process_time()
        yield
        self.took_s[stage] = self.took_s.get(stage, 0.0) + time.process_time() - started_s


def cost_of_stages(corpus: Corpus, preset: str, library: Path, quick: bool) -> dict[str, Any]:
    """For references: decode and describe. For queries: also search, align, refine and verify.

    Frames are held until they are described, so that the two can be told apart: long files are left out.
    """
    sides = {"references": corpus.films, "queries": corpus.queries}
    found: dict[str, Any] = {}
    for side, paths in sides.items():
        watch, hours = Watch(), 0.0
        for path in sorted(paths, key=duration_s) if side == "references" else paths:
            hours += _watch_file(path, side == "queries", preset, library, watch)
            if hours * 60 >= MINUTES[quick]:
                break
        found[side] = {"hours": hours, "s_per_hour": {stage: s / hours for stage, s in watch.took_s.items()}}
    return found


def _watch_file(path: Path, is_query: bool, preset: str, library: Path, watch: Watch) -> float:
    """Hours of video in the file."""
    config = load_config(preset)
    describer = make_describer(config.describe.model)
    with watch.on("decode"):
        if is_query:
            seen = look_over(path, config.media, config.media.query, config.describe, describer)
        else:
            seen = as_it_is(open_media(path, config.media), config.media.reference)
        frames = list(seen.frames)
    with watch.on("describe"):
        views = describe_frames(frames, str(path), seen.info, describer, config.describe.batch, seen.views)
    if is_query:
        _watch_query(path, views, preset, library, watch)
    return seen.info.duration_s / 3600


def _watch_query(path: Path, views: list[Descriptors], preset: str, folder: Path, watch: Watch) -> None:
    config = load_config(preset)
    library = Library(folder, config.library)
    library.load()
    model = Model.of(config)
    found = []
    for view in views:
        with watch.on("search"):
            floor = model.calibration.unrelated_similarity
            weighed, candidates = find_candidates(
                normalise(view, model.background, config.search), library, config.search, floor
            )
        with watch.on("align"):
            for matches in candidates:
                reference = library.descriptors(matches.media_id)
                assert reference is not None
                found += [rescore(s, model.calibration) for s in model.aligner.align(weighed, reference, matches)]
    files = {row.path: row.file for row in library.media}
    least = min(config.report.min_score, config.verify.grey_from)
    as_is = replace(config, align=replace(config.align, refine=False))
    for segment in drop_overlapping(s for s in found if s.score >= least):
        files_of_both = path, files[segment.reference]
        with watch.on("refine"):
            refined = refine(segment, *files_of_both, config)
        with watch.on("verify"):
            is_grey = config.verify.grey_from <= segment.score <= config.verify.grey_to
            examine(refined, *files_of_both, as_is, config.verify.when == "always" or is_grey)
