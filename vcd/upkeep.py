"""Looking after libraries and models: what `vcd library` and `vcd models` do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vcd.config import Config
from vcd.describe import MODELS, load_card
from vcd.errors import LibraryError
from vcd.library import Library, LibraryWriter, check_library
from vcd.library.writer import find_row
from vcd.types import Problem


def list_references(folder: Path, config: Config) -> list[dict[str, Any]]:
    """One row for each reference, sorted by path."""
    return [
        {
            "path": row.path, "kind": row.kind, "duration_s": round(row.duration_s, 3), "width_px": row.width_px,
            "height_px": row.height_px, "format": row.format, "frames": row.frames, "added_at": row.added_at,
        }
        for row in Library(folder, config.library).media
    ]  # fmt: skip


def library_info(folder: Path, config: Config) -> dict[str, Any]:
    """What the library holds, what made it, and what could not be indexed."""
    library = Library(folder, config.library)
    return {
        "folder": str(folder),
        "references": len(library),
        "hours": round(sum(row.duration_s for row in library.media) / 3600, 3),
        "frames": sum(row.frames for row in library.media),
        "size_bytes": sum(_size_bytes(path) for path in folder.rglob("*")),
        **library.settings,
        "frames_not_in_index": library.frames_not_in_index(),
        "problems": [f"{path}: {reason}" for path, reason in library.problems()],
    }


def _size_bytes(path: Path) -> int:
    """0 for a folder, and for a file that a writer deletes meanwhile."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


def remove(names: Sequence[str], folder: Path, config: Config) -> tuple[list[str], list[Problem]]:
    """Take references out by their stored paths, or the paths of their files; names that are none are problems."""
    with LibraryWriter(folder, config.library) as writer:
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


def verify(folder: Path, config: Config) -> list[str]:
    """All faults of a library, each one sentence with what to do; empty when there are none."""
    return check_library(folder, config.library)


def list_models(config: Config) -> list[dict[str, Any]]:
    """The built-in models, and the one of the settings when it is another."""
    chosen = load_card(config.describe.model)
    cards = {card.name: card for card, _ in MODELS.values()} | {chosen.name: chosen}
    return [
        {
            "name": card.name, "dimension": card.dimension, "chosen": card.identity == chosen.identity,
            "needs weights": bool(card.weights), "licence": card.licence, "description": card.description,
        }
        for card in sorted(cards.values(), key=lambda card: card.name)
    ]  # fmt: skip
