"""`vcd doctor`: whether everything works on this machine."""

from typing import Annotated, Literal

import typer

from vcd.cli.options import DEFAULT_LIBRARY, DONE, NOTHING_DONE, ConfigOption, LibraryOption, QuietOption
from vcd.cli.streams import write_stdout


def doctor(
    library: LibraryOption = DEFAULT_LIBRARY,
    format: Annotated[
        Literal["table", "json", "csv"], typer.Option("--format", help="How to print what was found.")
    ] = "table",
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Try every stage on something small and say what works here; exit code 1 when something does not."""
    from vcd.cli.screen import set_up
    from vcd.cli.sheets import render_sheet
    from vcd.config import load_config
    from vcd.doctor import examine_machine

    set_up(quiet)
    checks = examine_machine(library, load_config(config))
    rows = [{"check": check.what, "works": check.works, "found": check.found} for check in checks]
    write_stdout(render_sheet(rows, format))
    raise typer.Exit(DONE if all(check.works for check in checks) else NOTHING_DONE)
