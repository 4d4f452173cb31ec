"""`vcd library`: look after a library."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vcd.cli.options import (
    DEFAULT_LIBRARY,
    DEFAULT_PLACE,
    DONE,
    NOTHING_DONE,
    SOME_UNUSABLE,
    ConfigOption,
    LibraryOption,
    PlaceOption,
    QuietOption,
)
from vcd.cli.streams import say, write_stdout

library = typer.Typer(no_args_is_help=True, help="Look after a library.")
ListFormat = Annotated[Literal["table", "json", "csv"], typer.Option("--format", help="How to print the list.")]
InfoFormat = Annotated[Literal["table", "json"], typer.Option("--format", help="How to print the facts.")]
HashesOption = Annotated[bool, typer.Option("--hashes", help="Perceptual hashes instead, as lists to exchange.")]
KindOption = Annotated[
    Literal["pdq", "phash", "dhash", "whash", "crop-resistant"],
    typer.Option("--kind", help="Which hashes, with --hashes."),
]


@library.command("list")
def list_(
    library: PlaceOption = DEFAULT_PLACE,
    format: ListFormat = "table",
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """List the references."""
    from vcd import upkeep
    from vcd.cli.screen import set_up
    from vcd.cli.sheets import render_sheet
    from vcd.config import load_config

    set_up(quiet)
    write_stdout(render_sheet(upkeep.list_references(library, load_config(config)), format))


@library.command()
def info(
    library: PlaceOption = DEFAULT_PLACE,
    format: InfoFormat = "table",
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Say what the library holds, what made it, and which files could not be indexed."""
    from vcd import upkeep
    from vcd.cli.screen import set_up
    from vcd.cli.sheets import render_facts
    from vcd.config import load_config

    set_up(quiet)
    write_stdout(render_facts(upkeep.library_info(library, load_config(config)), format))


@library.command()
def remove(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="As `vcd library list` shows them, or paths.")],
    library: PlaceOption = DEFAULT_PLACE,
    hashes: Annotated[bool, typer.Option("--hashes", help="The names are those of imported lists of hashes.")] = False,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Take references out of the library; the media files stay as they are."""
    from vcd import upkeep
    from vcd.cli.screen import set_up, tell_problems
    from vcd.config import load_config

    set_up(quiet)
    if hashes:
        from vcd.hashes.lists import remove_hashes
        from vcd.library.stores import require_folder

        folder = require_folder(library, "perceptual hashes")
        say(f"{remove_hashes(names, folder, load_config(config))} lists of hashes removed from {library}")
        raise typer.Exit(DONE)
    removed, problems = upkeep.remove(names, library, load_config(config))
    tell_problems(problems)
    say(f"{len(removed)} removed from {library}")
    raise typer.Exit(DONE if not problems else SOME_UNUSABLE if removed else NOTHING_DONE)


@library.command()
def verify(
    library: PlaceOption = DEFAULT_PLACE,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Check that everything in the library fits together; exit code 1 and the findings when not."""
    from vcd import upkeep
    from vcd.cli.screen import set_up
    from vcd.config import load_config

    set_up(quiet)
    findings = upkeep.verify(library, load_config(config))
    for finding in findings or [f"{library}: no faults found"]:
        say(finding)
    raise typer.Exit(NOTHING_DONE if findings else DONE)


@library.command()
def compact(
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write many small vector files as few, without what was removed, and the index as one piece."""
    from vcd import upkeep
    from vcd.cli.screen import set_up
    from vcd.config import load_config

    set_up(quiet)
    done = upkeep.compact(library, load_config(config))
    say(f"{done.parts_before} parts are now {done.parts_after}, {done.rows_dropped} removed frames gone from {library}")


@library.command()
def merge(
    others: Annotated[list[Path], typer.Argument(metavar="OTHER...", help="Folders of libraries of the same model.")],
    library: LibraryOption = DEFAULT_LIBRARY,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Add the references of other libraries; content that is already there is left out."""
    from vcd import upkeep
    from vcd.cli.screen import set_up
    from vcd.config import load_config

    set_up(quiet)
    done = upkeep.merge_libraries(others, library, load_config(config))
    say(f"{done.added} added, {done.held} already there in {library}")


@library.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE.parquet", help="Where to write; a row for each frame.")],
    library: LibraryOption = DEFAULT_LIBRARY,
    hashes: HashesOption = False,
    kind: KindOption = "pdq",
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write all descriptors to one Parquet file, or the stored hashes as a list.

    With --hashes the name says which list: FILE.txt a PDQ list, FILE.jsonl vPDQ as JSON, a name without ending a folder
    of vPDQ files.
    """
    from vcd import upkeep
    from vcd.cli.screen import set_up
    from vcd.config import load_config

    set_up(quiet)
    if hashes:
        from vcd.hashes.lists import export_hashes

        references, count = export_hashes(library, file, kind, load_config(config))
        say(f"{count} {kind} hashes of {references} references of {library} written to {file}")
        raise typer.Exit(DONE)
    say(f"{upkeep.export_descriptors(library, file, load_config(config))} frames of {library} written to {file}")


@library.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="As `vcd library export` writes them.")],
    library: LibraryOption = DEFAULT_LIBRARY,
    hashes: HashesOption = False,
    kind: KindOption = "pdq",
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> None:
    """Add the references of exported files; content that is already there is left out.

    With --hashes the files are lists of hashes (PDQ, vPDQ), which every query is compared with from then on.
    """
    from vcd import upkeep
    from vcd.cli.screen import set_up
    from vcd.config import load_config

    set_up(quiet)
    if hashes:
        from vcd.hashes.lists import import_hashes

        entries, count = import_hashes(files, library, kind, load_config(config))
        say(f"{count} {kind} hashes of {entries} entries imported into {library}")
        raise typer.Exit(DONE)
    done = upkeep.import_descriptors(files, library, load_config(config))
    say(f"{done.added} added, {done.held} already there in {library}")
