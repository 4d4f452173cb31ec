"""The pairs that a person said are no duplicates: a CSV file in the library's folder, one pair a line.

It outlives removing and indexing again, since it names the files as the library does; a line deleted from it makes
the pair a possible duplicate again.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from vcd.config import Config
from vcd.errors import DataError, LibraryError
from vcd.library import Library, MediaRow
from vcd.library.writer import find_row
from vcd.report import write_atomically
from vcd.report.encode import encode_csv

FILE = "not-duplicates.csv"
COLUMNS = ("file", "other")


def find_known(folder: Path) -> set[frozenset[str]]:
    """Pairs of stored paths; none when there is no such file. Raises `DataError` for a line that names no pair."""
    file = folder / FILE
    try:
        text = file.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return set()
    lines = list(csv.reader(io.StringIO(text, newline="")))
    known = set()
    for number, cells in enumerate(lines[1:] if lines[:1] == [list(COLUMNS)] else lines, 1):
        if len(cells) != len(COLUMNS) or cells[0] == cells[1]:
            raise DataError(file, number, None, f"names {len(set(cells))} files instead of two")
        known.add(frozenset(cells))
    return known


def is_known(known: set[frozenset[str]], one: MediaRow, other: MediaRow) -> bool:
    return frozenset((one.path, other.path)) in known


def add_known(names: tuple[str, str], folder: Path, config: Config) -> tuple[str, str]:
    """Note two files, named by stored path or by file, as no duplicates of each other; their stored paths.

    Raises a `LibraryError` for a name that is none, and for two names of one file.
    """
    media = Library(folder, config.library).media
    one, other = (_find(media, name) for name in names)
    if one == other:
        raise LibraryError(f"{names[0]} and {names[1]} are the same file")
    rows = sorted(sorted(pair) for pair in find_known(folder) | {frozenset((one, other))})
    write_atomically(encode_csv(COLUMNS, rows), folder / FILE)
    return one, other


def _find(media: Sequence[MediaRow], name: str) -> str:
    try:
        return find_row(media, name).path
    except LibraryError as error:
        raise LibraryError(f"{name}: {error}") from error
