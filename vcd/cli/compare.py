"""`vcd compare`."""

from pathlib import Path
from typing import Annotated

import typer

from vcd.cli.options import (
    DONE,
    FOUND,
    NOTHING_DONE,
    SOME_UNUSABLE,
    ConfigOption,
    FormatOption,
    MinScoreOption,
    OutputOption,
    QuietOption,
    ReportOption,
    TopOption,
    VerifyOption,
)

PlotOption = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE.png", help="Draw how alike both files are, with what was found."),
]
DifferenceOption = Annotated[
    Path | None,
    typer.Option("--difference", metavar="FILE.png", help="Draw what differs in the best row, at five moments."),
]


def compare(
    query: Annotated[Path, typer.Argument(metavar="QUERY", help="The possible copy.")],
    reference: Annotated[Path, typer.Argument(metavar="REFERENCE", help="What it may be copied from.")],
    format: FormatOption = None,
    output: OutputOption = None,
    min_score: MinScoreOption = None,
    top: TopOption = None,
    verify: VerifyOption = False,
    plot: PlotOption = None,
    difference: DifferenceOption = None,
    report_page: ReportOption = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 10 when a copy was found.")] = False,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Compare two files without a library."""
    from vcd import pipeline
    from vcd.choose import with_report_options
    from vcd.cli.results import choose_format, show
    from vcd.cli.screen import set_up
    from vcd.config import load_config
    from vcd.errors import InputError
    from vcd.report import check_writable
    from vcd.types import Problem, Report

    progress = set_up(quiet)
    name = choose_format(format, output, report_page)
    for picture in filter(None, (plot, difference)):
        check_writable(picture)
    settings = with_report_options(load_config(config), min_score, top, verify)
    try:
        report = pipeline.compare(query, reference, settings, progress, plot, report_page)
    except InputError as error:
        show(Report((), (Problem(error.path, error.reason),), usable=0), name, output)
        raise typer.Exit(NOTHING_DONE) from error
    show(report, name, output)
    if difference:
        from vcd.contrast import write_difference

        write_difference(report, query, reference, settings, difference)
    raise typer.Exit(FOUND if exit_code and report.segments else SOME_UNUSABLE if report.problems else DONE)
