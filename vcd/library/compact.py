"""Many small parts -> few large ones, without what was removed.

The new parts are written beside the old ones and become the library's in one commit: a process that dies before it
leaves files that the next writer deletes, and one that dies after it leaves the old files, which go the same way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vcd.errors import LibraryDamaged
from vcd.library.disk import writing
from vcd.library.gather import Piece, gather, join
from vcd.library.parts import ROWS_A_PART, part_path, read_part, write_part
from vcd.library.records import MediaRow, PartRow
from vcd.library.writer import LibraryWriter


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction came to."""

    parts_before: int
    parts_after: int
    rows_dropped: int
    """Frames of removed references that were still stored."""


def compact(writer: LibraryWriter) -> Compacted:
    """Write parts that are small, or hold rows of removed references, anew as few parts; then the index as one.

    The largest volume without removed references is added to, and not made anew.

    Until the index is done, queries compare with what it lacks one by one: slower, and as whole as ever.

    Needs room on the disk for both. Takes memory for one part, and for the index. Raises `LibraryDamaged` when a
    part cannot be read (nothing is changed then), and `LibraryError` when the disk is full.
    """
    writer.delete_stray_parts()
    media, parts = writer.catalog.snapshot()
    users = _users(media)
    chosen = [part for part in parts if _is_worth_rewriting(part, users[part.id])]
    dropped = sum(part.rows - sum(row.frames for row in users[part.id]) for part in chosen)
    if len(chosen) > 1 or dropped:
        _rewrite(writer, chosen, users)
    writer.update_index(into_one=True)
    return Compacted(len(parts), len(writer.catalog.snapshot()[1]), dropped)


def _users(media: Sequence[MediaRow]) -> dict[int, list[MediaRow]]:
    """The references in each part, by row."""
    users: dict[int, list[MediaRow]] = {}
    for row in sorted(media, key=lambda row: (row.part_id, row.first_row)):
        users.setdefault(row.part_id, []).append(row)
    return users


def _is_worth_rewriting(part: PartRow, users: Sequence[MediaRow]) -> bool:
    return part.rows < ROWS_A_PART // 2 or part.rows > sum(row.frames for row in users)


def _rewrite(writer: LibraryWriter, chosen: Sequence[PartRow], users: dict[int, list[MediaRow]]) -> None:
    next_id = writer.catalog.next_id("parts")
    written: list[tuple[PartRow, list[MediaRow]]] = []
    for number, pieces in enumerate(gather(_pieces(writer, chosen, users))):
        rows, content = join(pieces, next_id + number)
        with writing(writer.folder, "the vectors"):
            written.append((write_part(writer.folder, next_id + number, content, str(writer.settings["model"])), rows))
    with writer.catalog.change() as change:
        for part, rows in written:
            change.add_part(part)
            for row in rows:
                change.place_media(row.id, row.part_id, row.first_row)
        change.remove_unused_parts()
    writer.delete_stray_parts()


def _pieces(writer: LibraryWriter, chosen: Sequence[PartRow], users: dict[int, list[MediaRow]]) -> Iterator[Piece]:
    for part in chosen:
        path = part_path(writer.folder, part.id)
        try:
            content = read_part(writer.folder, part)
        except (LibraryDamaged, FileNotFoundError) as error:
            raise _damaged(
                writer, str(error) if isinstance(error, LibraryDamaged) else f"{path}: is missing"
            ) from error
        for row in users[part.id]:
            own = content.of_media(row)
            if own is None:
                raise _damaged(writer, f"{path}: does not hold the rows of {row.path}")
            yield Piece(row, own)


def _damaged(writer: LibraryWriter, fault: str) -> LibraryDamaged:
    return LibraryDamaged(f"{fault}; to see how to mend it, run: vcd library verify --library {writer.folder}")
