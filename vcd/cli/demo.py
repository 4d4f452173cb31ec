"""`vcd demo`."""

from pathlib import Path
from typing import Annotated

import typer

from vcd.cli.options import DONE, NOTHING_DONE, ConfigOption, QuietOption
from vcd.cli.streams import write_stdout


def demo(
    folder: Annotated[Path, typer.Argument(help="Where films, clip and library go.")] = Path("vcd-demo"),
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Make films, pirate stretches of two, and find them: the first run.

    Renders four films and a clip with stretches of two of them, edited as pirates do; then indexes the films and
    queries the clip as `vcd index` and `vcd query` would. Exit code 1 when a stretch was not found.
    """
    from vcd.cli.screen import set_up
    from vcd.config import load_config
    from vcd.demo.show import demo_text, run_demo

    result = run_demo(folder, load_config(config), set_up(quiet))
    write_stdout(demo_text(result))
    raise typer.Exit(DONE if all(found for _, found in result.pairs) else NOTHING_DONE)
