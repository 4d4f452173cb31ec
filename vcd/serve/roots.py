"""Paths that a client names: only inside the folder that the operator allows."""

import os
from pathlib import Path

from vcd.media.files import MediaPath
from vcd.serve.problems import Refused


def path_under(root: Path | None, wanted: str) -> MediaPath:
    """The regular file under the root that `wanted` names relative to it; raises `Refused`.

    Links are followed first and judged by where they lead; what the answer names is free of links. What lies outside
    and what does not exist is told in the same words, so that nothing about other folders can be learnt.
    """
    if root is None:
        raise Refused(403, "no_root", "the service was started without --root, so it takes uploads only")
    nothing = Refused(404, "no_such_file", "there is no such file under the service's root")
    if "\0" in wanted or not wanted.strip():
        raise nothing
    try:
        real_root = root.resolve(strict=True)
        path = Path(real_root, wanted).resolve(strict=True)
        name = path.relative_to(real_root).as_posix()
        name.encode()
    except (OSError, ValueError, RuntimeError) as error:
        raise nothing from error
    if not path.is_file() or not os.access(path, os.R_OK):
        raise nothing
    return MediaPath(path, name, real_root, name)


def is_inside(path: Path, folder: Path) -> bool:
    """Whether a file lies in a folder, with links followed on both sides."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
