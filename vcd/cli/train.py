"""`vcd train`."""

from pathlib import Path
from typing import Annotated

import typer

from vcd.cli.options import ConfigOption, QuietOption
from vcd.cli.streams import say


def train(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Pictures and videos, folders of them, parquet shards.")
    ],
    work: Annotated[Path, typer.Option(metavar="DIR", help="Checkpoints, log, curves and the model go there.")] = Path(
        "training"
    ),
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML file with the tables [train] and [export].")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Batches in all.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, metavar="N", help="Of all random choices.")] = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Train a descriptor on pictures of your own; needs the extra `torch`.

    Interrupted, it goes on where it was when called again. At the end it prints the path of a model card: the setting
    describe.model takes it. Of --config the settings of media hold, but for the size of pictures.
    """
    from vcd.cli.screen import set_up
    from vcd.config import load_config
    from vcd.errors import MissingExtra

    progress = set_up(quiet)
    media = load_config(config).media
    try:
        from vcd.train.run import load_recipe, make_model
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "torch") from error
    say(str(make_model(paths, work, load_recipe(recipe, steps, seed), media, progress)))
