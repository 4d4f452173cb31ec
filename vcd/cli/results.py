"""Showing a report: rows to stdout or a file, problems to stderr."""

import sys
from pathlib import Path

import typer

from vcd.cli.options import write_stdout
from vcd.cli.screen import tell_problems
from vcd.report import format_of_file, render, write_atomically
from vcd.types import Report


def show(report: Report, format: str | None, output: Path | None) -> None:
    """Raises a usage error rather than fill a terminal with Parquet."""
    name = format or (format_of_file(output) if output else "table")
    if name == "parquet" and output is None and sys.stdout.isatty():
        raise typer.BadParameter("parquet is not for terminals; give --output FILE", param_hint="--format")
    content = render(report, name)
    if output is None:
        write_stdout(content)
    else:
        write_atomically(content, output)
    tell_problems(report.problems)
