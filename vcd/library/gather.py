"""References with their rows -> parts of many references."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from vcd.library.parts import ROWS_A_PART, Part
from vcd.library.records import MediaRow


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One reference and its rows."""

    row: MediaRow
    content: Part


def gather(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Lists of pieces, in their order, of at most `ROWS_A_PART` rows together; a longer piece is a list of its own."""
    some: list[Piece] = []
    rows = 0
    for piece in pieces:
        if some and rows + len(piece.content) > ROWS_A_PART:
            yield some
            some, rows = [], 0
        some.append(piece)
        rows += len(piece.content)
    if some:
        yield some


def join(pieces: list[Piece], part_id: int, first_media_id: int | None = None) -> tuple[list[MediaRow], Part]:
    """The rows of the catalog as they are in the part that holds all pieces, and that part.

    With `first_media_id` the references are numbered from there on; otherwise they keep their ids.
    """
    rows, first_row = [], 0
    for number, piece in enumerate(pieces):
        media_id = piece.row.id if first_media_id is None else first_media_id + number
        rows.append(replace(piece.row, id=media_id, part_id=part_id, first_row=first_row))
        first_row += len(piece.content)
    return rows, Part(
        media_ids=np.repeat(np.array([row.id for row in rows], dtype=np.int64), [row.frames for row in rows]),
        times_s=np.concatenate([piece.content.times_s for piece in pieces]),
        vectors=np.concatenate([piece.content.vectors for piece in pieces]),
        quality=np.concatenate([piece.content.quality for piece in pieces]),
    )
