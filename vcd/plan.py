"""What `index` has to read: files against what the library already holds of them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from vcd.errors import InputError
from vcd.library import MediaRow
from vcd.library.stores import ReferencesWriter
from vcd.media import hash_file
from vcd.media.files import MediaPath
from vcd.types import Problem


@dataclass(frozen=True, slots=True)
class Plan:
    """Files by what is to be done with them, in the order they were found."""

    read: list[tuple[MediaPath, MediaRow | None]] = field(default_factory=list)
    """New and changed files, with the row that a changed one replaces."""
    unchanged: list[str] = field(default_factory=list)
    """Stored paths."""
    problems: list[Problem] = field(default_factory=list)


def make_plan(found: Iterable[MediaPath | InputError], writer: ReferencesWriter) -> Plan:
    """Compare files with the library by place, size and modification time, and where those leave it open by content.

    The same content touched, or moved with its folder, needs no decoding: the library takes note of it at once.
    """
    media = writer.media()
    by_file = {row.file: row for row in media}
    by_name = {row.path: row for row in media}
    plan = Plan()
    for item in found:
        try:
            if isinstance(item, InputError):
                raise item
            row = by_file.get(Path(os.path.abspath(item.path)))
            known = _is_known(item, row, by_name.get(item.name), writer)
            if known:
                plan.unchanged.append(known.path)
            else:
                plan.read.append((item, row))
        except InputError as error:
            name = item.path if isinstance(item, InputError) else item.given
            plan.problems.append(Problem(name, error.reason))
    return plan


def _is_known(
    item: MediaPath, row: MediaRow | None, namesake: MediaRow | None, writer: ReferencesWriter
) -> MediaRow | None:
    """The row of the same content, if the library has it: that of the same place, or one whose file has moved here."""
    try:
        stat = item.path.stat()
    except OSError as error:
        raise InputError(item.path, f"cannot be read: {error.strerror}") from error
    if row and (stat.st_size, stat.st_mtime_ns) == (row.size_bytes, row.mtime_ns):
        return row
    same = row or (namesake if namesake and not namesake.file.exists() else None)
    if not same or stat.st_size != same.size_bytes or hash_file(item.path) != same.content_hash:
        return None
    writer.update_file(same, Path(row.root) if row else item.root, stat)
    return same
