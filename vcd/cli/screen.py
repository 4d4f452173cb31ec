"""What people see on stderr: progress, warnings, problems."""

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from vcd import types
from vcd.cli.streams import tell
from vcd.types import Problem

T = TypeVar("T")


class _Rate(ProgressColumn):
    """Items a minute, so that slow work has a number too."""

    def render(self, task: Task) -> Text:
        return Text(f"{60 * task.speed:.1f}/min" if task.speed else "", style="progress.data.speed")


class _Warnings(logging.Handler):
    """One line on stderr for each, above the progress bar where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        tell(self.format(record))


def set_up(quiet: bool) -> types.Progress:
    """Send warnings to stderr; the progress to show: none with --quiet or when nobody watches."""
    handlers = [_Warnings()]
    logging.basicConfig(
        level=logging.ERROR if quiet else logging.WARNING, format="vcd: %(message)s", handlers=handlers, force=True
    )
    return types.quiet if quiet or not sys.stderr.isatty() else show_progress


def show_progress(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """A bar on stderr with what is being done, how far it is, the rate and the time left."""
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(items, total=total, description=what)


def tell_problems(problems: Sequence[Problem]) -> None:
    for problem in problems:
        tell(f"problem: {problem.path}: {problem.reason}")
