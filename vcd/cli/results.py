"""Showing a report: rows to stdout or a file, problems to stderr."""

import sys
from pathlib import Path

import typer

from vcd.cli.screen import tell_problems
from vcd.cli.streams import write_stdout
from vcd.report import check_writable, format_of_file, render, write_atomically
from vcd.types import Report


def choose_format(format: str | None, output: Path | None, page: Path | None = None) -> str:
    """The format to show a report in; raises now what would else be raised when all work is done."""
    for path in filter(None, (output, page)):
        check_writable(path)
    name = format or (format_of_file(output) if output else "table")
    if name == "parquet" and output is None and sys.stdout.isatty():
        raise typer.BadParameter("parquet is not for terminals; give --output FILE", param_hint="--format")
    return name


def show(report: Report, format: str, output: Path | None) -> None:
    write(render(report, format, for_file=output is not None), output)
    tell_problems(report.problems)


def write(content: bytes, output: Path | None) -> None:
    """To stdout where no file is named."""
    if output is None:
        write_stdout(content)
    else:
        write_atomically(content, output)
