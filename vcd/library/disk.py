"""Files that appear whole or not at all."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from vcd.errors import LibraryError


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A temporary name to write to; at the end it is flushed to the disk and renamed to `path`.

    When anything fails, the temporary file is deleted and `path` is as it was. A process that is killed leaves the
    temporary file (see `is_unfinished`).
    """
    unfinished = path.with_name(f".{path.name}.new")
    try:
        yield unfinished
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.rename(path)
        sync_folder(path.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def is_unfinished(path: Path) -> bool:
    """Whether a process that was killed left this file behind, while no other process writes."""
    return path.name.startswith(".") and path.name.endswith(".new")


def hash_content(path: Path) -> str:
    """SHA-256 of a file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(path: Path) -> None:
    """Flush a folder's entries, so that a rename survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def writing(folder: Path, what: str) -> Iterator[None]:
    """Turn what the disk says into a `LibraryError` with what to do."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or error
        raise LibraryError(
            f"{folder}: {what} cannot be written ({reason}); make room on the disk or check its permissions, "
            "then run the same command again: it goes on where it stopped"
        ) from error
