"""vcd as its users run it: `vcd index` and `vcd query` of the whole corpus, preset by preset."""

import resource
import shutil
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.videos.ask import MIN_SCORE, as_rows
from benchmarks.videos.folder import Corpus
from vcd import pipeline
from vcd.config import load_config
from vcd.evaluate import Row


@dataclass(slots=True)
class Clock:
    """Seconds that a block took."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    """Of this process and its workers."""


@contextmanager
def timed() -> Any:
    clock, wall_s, cpu_s = Clock(), time.perf_counter(), _cpu_s()
    yield clock
    clock.wall_s, clock.cpu_s = time.perf_counter() - wall_s, _cpu_s() - cpu_s


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


@dataclass(frozen=True, slots=True)
class Run:
    """One preset over the whole corpus."""

    rows: list[Row]
    index: Clock
    query: Clock
    problems: list[str]
    threshold: float
    """Score from which on vcd shows a row."""
    settings: str


def build_library(corpus: Corpus, preset: str, folder: Path) -> tuple[Clock, list[str]]:
    """`vcd index` into a new library."""
    shutil.rmtree(folder, ignore_errors=True)
    with timed() as clock:
        done = pipeline.index(corpus.films, folder, load_config(preset))
    return clock, [f"{Path(problem.path).name}: {problem.reason}" for problem in done.problems]


def run_preset(corpus: Corpus, preset: str, folder: Path, tell: Callable[[str], None]) -> Run:
    """Index, then ask about every query; rows below the threshold are asked for too, so that they can be ranked."""
    config = load_config(preset)
    index, problems = build_library(corpus, preset, folder)
    tell(f"{preset}: indexed in {index.wall_s:.0f} s")
    low = replace(config, report=replace(config.report, min_score=min(MIN_SCORE, config.report.min_score)))
    with timed() as asked:
        report = pipeline.query(corpus.queries, folder, low)
    problems += [f"{Path(problem.path).name}: {problem.reason}" for problem in report.problems]
    for problem in problems:
        tell(f"{preset}: {problem}")
    return Run(as_rows(report.segments), index, asked, problems, config.report.min_score, config.digest)
