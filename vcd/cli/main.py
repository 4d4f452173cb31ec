"""The `vcd` program: its commands, and how errors leave it."""

import os
import sys
from typing import Annotated

import typer

from vcd import __version__
from vcd.cli.compare import compare
from vcd.cli.demo import demo
from vcd.cli.evaluate import evaluate
from vcd.cli.index import index
from vcd.cli.library import library
from vcd.cli.models import models
from vcd.cli.options import NOTHING_DONE
from vcd.cli.query import query
from vcd.errors import VcdError

INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(index)
app.command()(query)
app.command()(compare)
app.add_typer(library, name="library")
app.command()(evaluate)
app.add_typer(models, name="models")
app.command()(demo)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vcd {__version__}")
        raise typer.Exit


@app.callback()
def vcd(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Find where a video or an image was copied from, to the second.

    First `vcd index FOLDER` with the references, then `vcd query CLIP`. To see it work: `vcd demo`.

    Exit codes: 0 done, 1 nothing could be done, 2 wrong usage, 3 done but some inputs were unusable.
    """


def run() -> None:
    """The entry point: errors become one line on stderr and an exit code."""
    try:
        app()
    except VcdError as error:
        sys.stderr.write(f"vcd: {error}\n".encode("utf-8", "backslashreplace").decode("utf-8"))
        sys.exit(NOTHING_DONE)
    except KeyboardInterrupt:
        sys.stderr.write("vcd: interrupted; what was finished is kept, run the same command again to go on\n")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(NOTHING_DONE)
