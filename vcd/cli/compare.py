"""`vcd compare`."""

from pathlib import Path
from typing import Annotated

import typer

from vcd.cli.options import (
    DONE,
    FOUND,
    ConfigOption,
    FormatOption,
    MinScoreOption,
    OutputOption,
    QuietOption,
    TopOption,
)


def compare(
    query: Annotated[Path, typer.Argument(metavar="QUERY", help="The possible copy.")],
    reference: Annotated[Path, typer.Argument(metavar="REFERENCE", help="What it may be copied from.")],
    format: FormatOption = None,
    output: OutputOption = None,
    min_score: MinScoreOption = None,
    top: TopOption = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 10 when a copy was found.")] = False,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Compare two files without a library."""
    from vcd import pipeline
    from vcd.cli.results import show
    from vcd.cli.screen import set_up
    from vcd.config import load_config

    progress = set_up(quiet)
    settings = pipeline.with_report_options(load_config(config), min_score, top)
    report = pipeline.compare(query, reference, settings, progress)
    show(report, format, output)
    raise typer.Exit(FOUND if exit_code and report.segments else DONE)
