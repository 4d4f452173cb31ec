"""`vcd query`."""

from pathlib import Path
from typing import Annotated

import typer

from vcd.cli.options import (
    DEFAULT_PLACE,
    DONE,
    FOUND,
    NOTHING_DONE,
    SOME_UNUSABLE,
    ConfigOption,
    FilesFromOption,
    FormatOption,
    MinScoreOption,
    OutputOption,
    PlaceOption,
    QuietOption,
    ReportOption,
    TopOption,
    VerifyOption,
    WorkersOption,
    gather_paths,
)


def query(
    media: Annotated[
        list[Path] | None, typer.Argument(metavar="MEDIA...", help="Videos and images, or folders of them.")
    ] = None,
    library: PlaceOption = DEFAULT_PLACE,
    format: FormatOption = None,
    output: OutputOption = None,
    min_score: MinScoreOption = None,
    top: TopOption = None,
    verify: VerifyOption = False,
    files_from: FilesFromOption = None,
    report_page: ReportOption = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 10 when a copy was found.")] = False,
    workers: WorkersOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Find what was copied: which stretch of which reference each stretch of MEDIA comes from."""
    wanted = gather_paths(media, files_from)
    from vcd import pipeline
    from vcd.choose import with_report_options
    from vcd.cli.results import choose_format, show
    from vcd.cli.screen import set_up
    from vcd.config import load_config

    progress = set_up(quiet)
    name = choose_format(format, output, report_page)
    settings = with_report_options(load_config(config), min_score, top, verify)
    report = pipeline.query(wanted, library, settings, workers, progress, report_page)
    show(report, name, output)
    if exit_code and report.segments:
        raise typer.Exit(FOUND)
    raise typer.Exit(DONE if not report.problems else SOME_UNUSABLE if report.usable else NOTHING_DONE)
