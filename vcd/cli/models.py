"""`vcd models`: descriptor models."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from vcd.cli.options import ConfigOption, QuietOption
from vcd.cli.streams import say, write_stdout

models = typer.Typer(no_args_is_help=True, help="Descriptor models.")
ModelArgument = Annotated[str, typer.Argument(metavar="NAME|CARD", help="A built-in model, or a model card (.toml).")]


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


@models.command()
def info(
    model: ModelArgument,
    format: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print the facts.")] = "table",
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Check a model's files and print its card: what it is, where it comes from, what it can do and what not."""
    from vcd import upkeep
    from vcd.cli.screen import set_up
    from vcd.cli.sheets import render_facts
    from vcd.config import load_config

    set_up(quiet)
    load_config(config)
    facts, text = upkeep.model_info(model)
    if format == "json":
        write_stdout(render_facts({**facts, "text": text}, format))
    else:
        write_stdout(render_facts(facts, format) + (f"\n{text.strip()}\n".encode() if text else b""))


@models.command()
def fetch(
    what: Annotated[
        str,
        typer.Argument(
            metavar="URL|NAME",
            help="Address of a file or of a model card with its files, or a model of vcd models list.",
        ),
    ],
    sha256: Annotated[str, typer.Option(metavar="HEX", help="What the file must have; else nothing is kept.")] = "",
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where the files go.")] = Path(),
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Fetch a model's files, and go on with what an interrupted fetch left; prints where they are."""
    from vcd import upkeep
    from vcd.cli.screen import set_up
    from vcd.config import load_config

    progress = set_up(quiet)
    load_config(config)
    if sha256 and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise typer.BadParameter("64 hexadecimal digits", param_hint="--sha256")
    for path in upkeep.fetch(what, sha256, folder, progress):
        say(str(path))


@models.command()
def export(
    model: ModelArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The ONNX file to write; its card comes beside it.")],
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write a model as an ONNX file with its card, which run without torch; prints the card's path."""
    from vcd import upkeep
    from vcd.cli.screen import set_up
    from vcd.config import load_config

    set_up(quiet)
    load_config(config)
    say(str(upkeep.export(model, file)))
