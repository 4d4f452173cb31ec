"""References of elsewhere -> this library: from another library, or from a file that one was exported to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vcd.errors import LibraryMismatch
from vcd.library.disk import writing
from vcd.library.gather import Piece, gather, join
from vcd.library.library import Library
from vcd.library.parts import Part, write_part
from vcd.library.writer import LibraryWriter


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the references that were offered."""

    added: int
    held: int
    """Left out, because the library holds the same content."""


def pieces_of(library: Library) -> Iterator[Piece]:
    """All references of a library with their rows, by path; one that a writer removes meanwhile is left out."""
    for row in library.media:
        found = library.descriptors(row.id)
        if found is not None:
            ids = np.full(len(found), row.id, dtype=np.int64)
            yield Piece(row, Part(ids, found.times_s, found.vectors.astype(np.float16), found.quality))


def require_same_model(folder: Path, writer: LibraryWriter, model: object, dimension: object, source: Path) -> None:
    """Raises `LibraryMismatch`: vectors of different models cannot be compared."""
    own = (writer.settings["model"], writer.settings["dimension"])
    if own != (model, dimension):
        raise LibraryMismatch(
            f"{source}: its vectors were made with model {model} ({dimension} dimensions), those of {folder} with "
            f"{own[0]} ({own[1]} dimensions); index its media again, or name another folder with --library"
        )


def merge(writer: LibraryWriter, pieces: Iterable[Piece]) -> Merged:
    """Add references; what was added is there at once, and the same call again goes on where one was stopped.

    A reference whose content (by its hash) the library holds is left out, whatever its name. One with other content
    and a name that is taken gets as many of its folders before its name as set it apart, as in `vcd index`. Raises
    `LibraryError` when the disk is full.
    """
    contents = {row.content_hash for row in writer.media()}
    held = added = 0

    def fresh() -> Iterator[Piece]:
        nonlocal held
        for piece in pieces:
            if piece.row.content_hash in contents:
                held += 1
            else:
                contents.add(piece.row.content_hash)
                yield piece

    for some in gather(fresh()):
        _add(writer, some)
        added += len(some)
    return Merged(added, held)


def _add(writer: LibraryWriter, pieces: list[Piece]) -> None:
    part_id = writer.catalog.next_id("parts")
    rows, content = join(pieces, part_id, first_media_id=writer.catalog.next_id("media"))
    with writing(writer.folder, "the vectors"):
        part = write_part(writer.folder, part_id, content, str(writer.settings["model"]))
    with writer.catalog.change() as change:
        change.add_part(part)
        for row in rows:
            path, root = writer.free_path(row.path, Path(row.root))
            change.add_media(replace(row, path=path, root=str(root)))


def merge_library(writer: LibraryWriter, source: Path) -> Merged:
    """All references of the library in another folder, which stays as it is; raises as `merge` does."""
    library = Library(source, writer.config)
    require_same_model(writer.folder, writer, library.model, library.dimension, source)
    return merge(writer, pieces_of(library))
