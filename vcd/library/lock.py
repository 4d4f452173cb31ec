"""The lock that lets one process at a time write."""

import errno
import fcntl
import os
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from vcd.errors import LibraryError, LibraryLocked

LOCK = ".lock"


def lock(folder: Path) -> IO[bytes]:
    """An open file whose lock dies with this process; raises `LibraryLocked`."""
    with ExitStack() as opened:
        try:
            file = opened.enter_context((folder / LOCK).open("ab+", buffering=0))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.truncate(0)
            file.write(str(os.getpid()).encode())
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
        opened.pop_all()
    return file
