"""Options that several commands share, and what happens to them. Imports nothing heavy: `vcd --help` must be quick."""

import codecs
import math
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer


def _probability(value: float | None) -> float | None:
    if value is not None and math.isnan(value):
        raise typer.BadParameter("nan is no probability")
    return value


def _folder(value: Path) -> Path:
    """A path has one slash where an address has two."""
    if re.match(r"[a-z]+:/", str(value)):
        raise typer.BadParameter("this command works on a folder, not on a library that a server keeps")
    return value


Format = Literal["table", "json", "jsonl", "csv", "parquet"]

ConfigOption = Annotated[
    str | None,
    typer.Option("--config", metavar="NAME|FILE", help="A preset (fast, default, thorough) or a TOML file."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress and no warnings.")]
LibraryOption = Annotated[
    Path, typer.Option("--library", metavar="DIR", callback=_folder, help="The library's folder.")
]
PlaceOption = Annotated[
    str,
    typer.Option("--library", metavar="DIR|ADDRESS", help="The library's folder, or postgresql://user@host/database."),
]
FilesFromOption = Annotated[
    str | None,
    typer.Option("--files-from", metavar="FILE|-", help="Read more paths from a file, one a line; -: stdin."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=1, metavar="N", help="Processes that read files; default: one a core."),
]
FormatOption = Annotated[
    Format | None,
    typer.Option("--format", help="Default: by the name of --output, else table.", show_default=False),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write there instead of to stdout.")
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE.html", help="Write a page that shows why, with pictures of both sides."),
]
MinScoreOption = Annotated[
    float | None,
    typer.Option(
        "--min-score", min=0, max=1, metavar="P", callback=_probability, help="Leave out rows less probable than this."
    ),
]
VerifyOption = Annotated[
    bool, typer.Option("--verify", help="Compare local features for every row, not only where the score is unsure.")
]
TopOption = Annotated[
    int | None,
    typer.Option("--top", min=0, metavar="N", help="At most this many rows for each query; 0: all."),
]

DEFAULT_LIBRARY = Path("indexes/default")
DEFAULT_PLACE = str(DEFAULT_LIBRARY)

DONE, NOTHING_DONE, SOME_UNUSABLE, FOUND = 0, 1, 3, 10


def gather_paths(paths: list[Path] | None, files_from: str | None) -> list[Path]:
    """The paths of the command line and those of --files-from; a usage error when there are none."""
    gathered = [*(paths or []), *(_read_list(files_from) if files_from is not None else [])]
    if not gathered:
        raise typer.BadParameter("give at least one path, or --files-from")
    return gathered


def _read_list(file: str) -> list[Path]:
    """One path a line; a name may hold any character but a line end, and need not be UTF-8."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}", param_hint="--files-from") from error
    lines = content.removeprefix(codecs.BOM_UTF8).split(b"\n")
    return [Path(os.fsdecode(line)) for line in (line.removesuffix(b"\r") for line in lines) if line.strip()]
