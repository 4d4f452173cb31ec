"""Looking after libraries and models: what `vcd library` and `vcd models` do."""

import dataclasses
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from vcd.config import Config
from vcd.describe import MODELS, load_card
from vcd.describe.export import export_model
from vcd.describe.fetch import fetch_file, fetch_model
from vcd.describe.torch_models import load_module
from vcd.describe.weights import read_checked, read_text
from vcd.errors import ConfigError, LibraryError
from vcd.hashes.store import check_hashes, copy_hashes
from vcd.library import Library, LibraryWriter
from vcd.library.compact import Compacted
from vcd.library.compact import compact as compact_library
from vcd.library.exchange import ExportedFile, export_library
from vcd.library.merge import Merged, merge, merge_library, require_same_model
from vcd.library.stores import Place, check, is_address, open_library, open_writer, size_bytes
from vcd.library.writer import find_row
from vcd.sieve import hash_facts
from vcd.types import Problem, Progress, quiet


def list_references(folder: Place, config: Config) -> list[dict[str, Any]]:
    """One row for each reference, sorted by path."""
    return [
        {
            "path": row.path, "kind": row.kind, "duration_s": round(row.duration_s, 3), "width_px": row.width_px,
            "height_px": row.height_px, "format": row.format, "frames": row.frames, "added_at": row.added_at,
        }
        for row in open_library(folder, config.library).media
    ]  # fmt: skip


def library_info(folder: Place, config: Config) -> dict[str, Any]:
    """What the library holds, what made it, and what could not be indexed."""
    library = open_library(folder, config.library)
    return {
        "folder": str(folder),
        "references": len(library),
        "hours": round(sum(row.duration_s for row in library.media) / 3600, 3),
        "frames": sum(row.frames for row in library.media),
        "size_bytes": size_bytes(folder),
        **library.settings,
        "frames_not_in_index": library.frames_not_in_index(),
        **hash_facts(library),
        "problems": [f"{path}: {reason}" for path, reason in library.problems()],
    }


def remove(names: Sequence[str], folder: Place, config: Config) -> tuple[list[str], list[Problem]]:
    """Take references out by their stored paths, or the paths of their files; names that are none are problems."""
    with open_writer(folder, config.library) as writer:
        media = writer.media()
        rows, problems = {}, []
        for name in names:
            try:
                row = find_row(media, name)
                rows[row.id] = row
            except LibraryError as error:
                problems.append(Problem(name, str(error)))
        if rows:
            writer.remove(rows.values())
            writer.update_index()
    return sorted(row.path for row in rows.values()), problems


def verify(folder: Place, config: Config) -> list[str]:
    """All faults of a library, each one sentence with what to do; empty when there are none."""
    if is_address(folder):
        return check(folder, config.library)
    return check(folder, config.library) or check_hashes(Path(folder))


def compact(folder: Path, config: Config) -> Compacted:
    """Many small vector files become few; what was removed is gone from the disk."""
    with LibraryWriter(folder, config.library) as writer:
        return compact_library(writer)


def merge_libraries(sources: Sequence[Path], folder: Path, config: Config) -> Merged:
    """Add the references of other libraries, which stay as they are; the library is made when there is none.

    Nothing is added when one of them is of another model.
    """
    first = Library(sources[0], config.library)
    made_by = first.model, first.dimension, first.settings["sampling"]
    with LibraryWriter.open_or_create(folder, config.library, *made_by) as writer:
        for source in sources:
            library = Library(source, config.library)
            require_same_model(folder, writer, library.model, library.dimension, source)
        merged = [merge_library(writer, source) for source in sources]
        for source in sources:
            copy_hashes(writer, source)
        writer.update_index()
    return Merged(sum(one.added for one in merged), sum(one.held for one in merged))


def export_descriptors(folder: Path, target: Path, config: Config) -> int:
    """Write all descriptors to a Parquet file (`vcd.library.exchange` says how); the number of frames."""
    return export_library(Library(folder, config.library), target)


def import_descriptors(sources: Sequence[Path], folder: Path, config: Config) -> Merged:
    """Add the references of exported files, as `merge_libraries` does with libraries."""
    added = held = 0
    with ExitStack() as opened:
        files = [opened.enter_context(ExportedFile(source)) for source in sources]
        origin = files[0].origin
        made_by = origin.model, origin.dimension, origin.sampling
        writer = opened.enter_context(LibraryWriter.open_or_create(folder, config.library, *made_by))
        for file, source in zip(files, sources, strict=True):
            require_same_model(folder, writer, file.origin.model, file.origin.dimension, source)
        for file in files:
            merged = merge(writer, file.pieces())
            added, held = added + merged.added, held + merged.held
        writer.update_index()
    return Merged(added, held)


def list_models(config: Config) -> list[dict[str, Any]]:
    """The built-in models, and the one of the settings when it is another."""
    chosen = load_card(config.describe.model)
    cards = {name: load_card(name) for name in MODELS} | {chosen.name: chosen}
    return [
        {
            "name": card.name, "dimension": card.dimension, "chosen": card.identity == chosen.identity,
            "needs torch": card.needs_torch, "licence": card.licence, "description": card.description,
        }
        for card in sorted(cards.values(), key=lambda card: card.name)
    ]  # fmt: skip


def model_info(model: str) -> tuple[dict[str, Any], str]:
    """The facts of a model's card, its files checked, and its text for people.

    Raises `ModelError` when a file is missing or is not the card's.
    """
    card = load_card(model)
    sizes = {name: len(read_checked(card.path(name), sha256)) for name, sha256 in card.files}
    facts = {name: value for name, value in dataclasses.asdict(card).items() if value != "" and name != "folder"}
    return {"identity": card.identity, **facts, "size_bytes": sum(sizes.values())}, read_text(card)


def fetch(what: str, sha256: str, folder: Path, progress: Progress = quiet) -> list[Path]:
    """Fetch the file or card behind an address into `folder`, or the weights of a model that is named.

    A network of torchvision is fetched by torchvision, to where it keeps its files; then no path is given.
    """
    if "://" in what:
        return fetch_model(what, sha256, folder, progress)
    card = load_card(what)
    if card.url:
        return [fetch_file(card.url, card.sha256, card.path(card.weights), progress)]
    if card.weights or not card.architecture:
        raise ConfigError(f"model {card.name} needs nothing that could be fetched: its card has no url")
    load_module(card)
    return []


def export(model: str, target: Path) -> Path:
    """Write a model as an ONNX file with a card beside it; gives the card's path."""
    return export_model(load_card(model), target)
