"""`vcd index`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vcd.cli.options import (
    DEFAULT_PLACE,
    DONE,
    NOTHING_DONE,
    SOME_UNUSABLE,
    ConfigOption,
    FilesFromOption,
    PlaceOption,
    QuietOption,
    WorkersOption,
    gather_paths,
)
from vcd.cli.streams import say


def index(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH...", help="Files, and folders of files.")] = None,
    library: PlaceOption = DEFAULT_PLACE,
    files_from: FilesFromOption = None,
    workers: WorkersOption = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="ray: read on a Ray cluster, that of RAY_ADDRESS or a local one.")
    ] = "local",
    hashes: Annotated[
        str | None,
        typer.Option(metavar="KINDS", help="Also store perceptual hashes: pdq, phash, dhash, whash, crop-resistant."),
    ] = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Add media to a library: the references that copies are sought in.

    Files that are in it unchanged are skipped, changed ones are replaced. It may be interrupted at any time.
    """
    wanted = gather_paths(paths, files_from)
    from vcd import pipeline
    from vcd.choose import with_hashes
    from vcd.cli.screen import set_up, tell_problems
    from vcd.config import load_config

    progress = set_up(quiet)
    settings = with_hashes(load_config(config), hashes)
    done = pipeline.index(wanted, library, settings, workers, progress, engine)
    tell_problems(done.problems)
    counts = [
        (len(done.added), "added"),
        (len(done.replaced), "replaced"),
        (len(done.unchanged), "unchanged"),
    ]
    usable = sum(count for count, _ in counts)
    counts.append((len(done.problems), "unusable"))
    say(", ".join(f"{count} {what}" for count, what in counts) + f" in {library}")
    raise typer.Exit(DONE if not done.problems else SOME_UNUSABLE if usable else NOTHING_DONE)
