"""`vcd models`: descriptor models."""

from typing import Annotated, Literal

import typer

from vcd.cli.options import ConfigOption, QuietOption
from vcd.cli.streams import write_stdout

models = typer.Typer(no_args_is_help=True, help="Descriptor models.")


@models.callback()
def _models() -> None:
    """Descriptor models."""


@models.command("list")
def list_(
    format: Annotated[
        Literal["table", "json", "csv"], typer.Option("--format", help="How to print the list.")
    ] = "table",
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """List the models; the one that the settings choose is marked."""
    from vcd import upkeep
    from vcd.cli.screen import set_up
    from vcd.cli.sheets import render_sheet
    from vcd.config import load_config

    set_up(quiet)
    write_stdout(render_sheet(upkeep.list_models(load_config(config)), format))
