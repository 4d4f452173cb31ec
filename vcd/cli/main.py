"""The `vcd` program: its commands, and how errors leave it."""

import os
import signal
import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from vcd import __version__
from vcd.cli.compare import compare
from vcd.cli.dedupe import dedupe
from vcd.cli.demo import demo
from vcd.cli.doctor import doctor
from vcd.cli.evaluate import evaluate
from vcd.cli.index import index
from vcd.cli.library import library
from vcd.cli.models import models
from vcd.cli.options import NOTHING_DONE
from vcd.cli.query import query
from vcd.cli.serve import serve
from vcd.cli.streams import say, tell
from vcd.cli.train import train
from vcd.errors import VcdError

INTERRUPTED, TERMINATED = 130, 143


class _Terminated(KeyboardInterrupt):
    """Somebody asked the program to end (SIGTERM): it does so as for Ctrl+C."""


class _Program(TyperGroup):
    """Errors become one line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except VcdError as error:
            tell(f"vcd: {error}")
        except BrokenPipeError:
            # The reader of our output has gone, as `head` does; there is nobody left to tell.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (OSError, MemoryError) as error:
            tell(f"vcd: {str(error) or 'there is not enough memory'}")
        except KeyboardInterrupt as error:
            kept = "; what was finished is kept, run the same command again to go on"
            tell(f"vcd: interrupted{kept if ctx.invoked_subcommand == 'index' else ''}")
            raise typer.Exit(TERMINATED if isinstance(error, _Terminated) else INTERRUPTED) from error
        raise typer.Exit(NOTHING_DONE)


app = typer.Typer(
    cls=_Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(index)
app.command()(query)
app.command()(compare)
app.command()(dedupe)
app.add_typer(library, name="library")
app.command()(evaluate)
app.add_typer(models, name="models")
app.command()(train)
app.command()(serve)
app.command()(demo)
app.command()(doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        from vcd.config import DescribeConfig
        from vcd.library.catalog import FORMAT

        say(f"vcd {__version__} (model {DescribeConfig().model}, library format {FORMAT})")
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


def _terminate(*_: object) -> NoReturn:
    raise _Terminated


def run() -> None:
    """The entry point."""
    # Threads of FAISS that wait by spinning make its work ten times as slow on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    for name in ("stdout", "stderr"):  # one that was closed from outside
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115
    signal.signal(signal.SIGTERM, _terminate)
    app()
