"""`vcd dedupe`."""

from typing import Annotated

import typer

from vcd.cli.options import (
    DEFAULT_LIBRARY,
    DONE,
    FOUND,
    ConfigOption,
    FormatOption,
    LibraryOption,
    MinScoreOption,
    OutputOption,
    QuietOption,
    ReportOption,
)


def dedupe(
    library: LibraryOption = DEFAULT_LIBRARY,
    format: FormatOption = None,
    output: OutputOption = None,
    report_page: ReportOption = None,
    min_score: MinScoreOption = None,
    min_coverage: Annotated[
        float,
        typer.Option(min=0.01, max=1, metavar="SHARE", help="How much of a file another must hold for one group."),
    ] = 0.5,
    clusters: Annotated[int, typer.Option(min=0, metavar="N", help="Also sort all files into N look-alike sets.")] = 0,
    not_duplicate: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="FILE OTHER", help="Remember that these two are no duplicates; does nothing else."),
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 10 when anything is shared.")] = False,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Find files of a library that share something with others of it: copies, parts, intros. Deletes nothing.

    A group has a best file that holds the others. Mirrored copies are not looked for.
    """
    from vcd import dedupe as duplicates
    from vcd.choose import with_report_options
    from vcd.cli.results import choose_format, write
    from vcd.cli.screen import set_up
    from vcd.cli.streams import say
    from vcd.config import load_config

    progress = set_up(quiet)
    settings = with_report_options(load_config(config), min_score, None)
    if not_duplicate is not None:
        one, other = duplicates.add_known(not_duplicate, library, settings)
        say(f"{one} and {other} are no duplicates: noted in {library}")
        raise typer.Exit(DONE)
    name = choose_format(format, output, report_page)
    found = duplicates.dedupe(library, settings, min_coverage, clusters, progress)
    write(duplicates.render(found, name, for_file=output is not None), output)
    if report_page:
        from vcd.dedupe.page import render_page

        write(render_page(found, settings, progress), report_page)
    raise typer.Exit(FOUND if exit_code and found.pairs else DONE)
