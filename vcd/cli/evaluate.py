"""`vcd evaluate`: score predictions against the truth."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vcd.cli.options import ConfigOption, QuietOption
from vcd.cli.streams import write_stdout

if TYPE_CHECKING:
    from vcd.evaluate.sheets import Sheet

PIPE_WIDTH = 1000
"""Characters a line may have where no terminal limits it, so that nothing is cut or wrapped."""


class Format(StrEnum):
    table = "table"
    json = "json"


def evaluate(
    predictions: Annotated[Path, typer.Argument(help="CSV, JSON or JSON Lines, as vcd query writes them.")],
    truth: Annotated[Path, typer.Argument(help="CSV; a query without a copy has an empty reference.")],
    format: Annotated[Format, typer.Option(help="How to print the numbers.")] = Format.table,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Score PREDICTIONS against TRUTH with the metrics of the field.

    Both have the columns query, reference, q_start, q_end, r_start, r_end (in seconds). Predictions may have
    a score. The truth may have an edit and a strength; the numbers are then broken down by them.
    """
    from vcd.cli.screen import set_up
    from vcd.config import load_config
    from vcd.evaluate import evaluate_files
    from vcd.evaluate.sheets import sheets
    from vcd.report.encode import encode_json

    set_up(quiet)
    load_config(config)
    scores = evaluate_files(predictions, truth)
    if format is Format.json:
        write_stdout(encode_json(scores.as_dict(), indent=2))
        return
    for sheet in sheets(scores):
        _print(sheet)


def _print(sheet: "Sheet") -> None:
    """The table on stdout: with lines on a terminal, plain and as wide as it is anywhere else."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    watched = Console().is_terminal
    console = Console(markup=False, emoji=False, highlight=False, width=None if watched else PIPE_WIDTH)
    table = Table(box=box.SIMPLE if watched else None, pad_edge=watched)
    for number, name in enumerate(sheet.header):
        table.add_column(name, justify="right" if number else "left")
    for row in sheet.rows:
        table.add_row(*row)
    console.print(table)
