"""The lock that lets one process at a time write."""

import errno
import fcntl
import os
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from vcd.errors import LibraryError, LibraryLocked

LOCK = ".lock"


def hold(file: Path) -> IO[bytes]:
    """The file, opened, with the number of this process in it and a lock that dies with it.

    Raises `BlockingIOError` when another process holds it, any other `OSError` when it cannot be opened or written.
    """
    with ExitStack() as opened:
        held = opened.enter_context(file.open("ab+", buffering=0))
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held.truncate(0)
        held.write(str(os.getpid()).encode())
        opened.pop_all()
    return held


def lock(folder: Path) -> IO[bytes]:
    """An open file whose lock dies with this process; raises `LibraryLocked`."""
    try:
        return hold(folder / LOCK)
    except BlockingIOError as error:
        owner = (folder / LOCK).read_text(encoding="utf-8") or "unknown"
        raise LibraryLocked(
            f"{folder}: another process ({owner}) is writing to the library; wait until it is done, or end it"
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            raise LibraryError(
                f"{folder}: the disk cannot lock files ({error.strerror}), and two writers would destroy each "
                "other's work: keep the library on a local disk, or mount this one with locks"
            ) from error
        raise LibraryError(f"{folder}: the library cannot be written: {error.strerror}") from error
