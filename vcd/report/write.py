"""Files of results: whole or not at all."""

import os
import threading
from pathlib import Path

from vcd.errors import SetupError


def check_writable(path: Path) -> None:
    """Raise `SetupError` when a file could not be written there, before hours of work end in that."""
    if path.is_dir():
        raise SetupError(f"{path}: cannot be written: is a folder")
    folder = _target(path).parent
    if not _is_device(path) and not folder.is_dir():
        raise SetupError(f"{path}: cannot be written: there is no folder {folder}")
    for needed in [path] if _is_device(path) else [folder, path]:
        if needed.exists() and not os.access(needed, os.W_OK):
            raise SetupError(f"{path}: cannot be written: no permission to change {needed}")


def write_atomically(content: bytes, path: Path) -> None:
    """Write under a temporary name beside the file, then rename: no reader sees half of it.

    A link is followed; a pipe or a device, such as ``/dev/stdout``, is written to.
    """
    target = _target(path)
    unfinished = target.with_name(f".vcd-{os.getpid()}-{threading.get_ident()}.new")
    try:
        if _is_device(path):
            path.write_bytes(content)
            return
        unfinished.write_bytes(content)
        unfinished.rename(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise SetupError(f"{path}: cannot be written: {error.strerror}") from error


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _target(path: Path) -> Path:
    """Where a link leads, else the path itself, with its folder."""
    return Path(os.path.realpath(path))
