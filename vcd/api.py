"""vcd from Python: the three questions, with defaults; `vcd` itself offers these names.

The stages behind them are in `vcd.pipeline` and may be called as well. All of it reads files in processes of its own,
so a script needs ``if __name__ == "__main__":``.
"""

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vcd import pipeline
from vcd.config import Config, load_config
from vcd.pipeline import Indexed
from vcd.report import COLUMNS, segment_row
from vcd.types import Problem, Report, Segment

Paths = str | Path | Iterable[str | Path]
Settings = Config | str | None
"""A configuration, the name of a preset, the path of a TOML file, or None for the defaults."""
LIBRARY = Path("indexes/default")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found: iterate over it for the segments; a notebook shows it as a table."""

    report: Report

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Copied stretches, of each query the most probable first; times in seconds, scores in [0, 1]."""
        return self.report.segments

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Files that could not be read, with the reasons."""
        return self.report.problems

    def rows(self) -> list[dict[str, Any]]:
        """As `--format json` gives them: for ``pandas.DataFrame(answer.rows())``."""
        return [segment_row(segment) for segment in self.segments]

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)

    def __len__(self) -> int:
        return len(self.segments)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in COLUMNS)
        rows = ("".join(f"<td>{html.escape(str(row[name]))}</td>" for name in COLUMNS) for row in self.rows())
        bad = "".join(
            f"<li>{html.escape(problem.path)}: {html.escape(problem.reason)}</li>" for problem in self.problems
        )
        table = f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
        return table + (f"<p>Not readable:</p><ul>{bad}</ul>" if bad else "")


def index(paths: Paths, library: str | Path = LIBRARY, config: Settings = None, workers: int | None = None) -> Indexed:
    """Make every video and image under the paths a reference of the library; what has not changed is skipped.

    `workers` is the number of processes, one a core when None. Raises `vcd.errors.LibraryError` when another writer is
    at work or the library was made with another model, `ConfigError` for wrong settings. A file that cannot be read is
    in ``problems`` of what is given.
    """
    return pipeline.index(_listed(paths), library, _config(config), workers)


def query(paths: Paths, library: str | Path = LIBRARY, config: Settings = None, workers: int | None = None) -> Answer:
    """Which stretches of the files were copied from references of the library, and from where.

    Raises `vcd.errors.LibraryError` when there is no library, or it is damaged or of another model.
    """
    return Answer(pipeline.query(_listed(paths), library, _config(config), workers))


def compare(
    query: str | Path, reference: str | Path, config: Settings = None, plot: str | Path | None = None
) -> Answer:
    """Which stretches of one file were copied from another; no library is needed.

    With `plot` a PNG of their similarities is written there. Raises `vcd.errors.InputError` when one cannot be read.
    """
    drawn = None if plot is None else Path(plot)
    return Answer(pipeline.compare(Path(query), Path(reference), _config(config), plot=drawn))


def _listed(paths: Paths) -> list[str | Path]:
    return [paths] if isinstance(paths, str | Path) else list(paths)


def _config(config: Settings) -> Config:
    return config if isinstance(config, Config) else load_config(config)
