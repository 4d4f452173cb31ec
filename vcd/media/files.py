"""Which files are media files, and what identifies their content."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vcd.errors import InputError

VIDEO_SUFFIXES = frozenset(
    [
        ".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".gxf", ".ivf", ".m1v", ".m2t", ".m2ts",
        ".m2v", ".m4v", ".mkv", ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogm", ".ogv",
        ".qt", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv", ".y4m", ".264", ".265", ".h264", ".h265", ".hevc",
        ".av1", ".obu",
    ]
)  # fmt: skip
IMAGE_SUFFIXES = frozenset(
    [
        ".apng", ".avif", ".avifs", ".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif",
        ".tiff", ".webp",
    ]
)  # fmt: skip
MEDIA_SUFFIXES = VIDEO_SUFFIXES | IMAGE_SUFFIXES
"""Used only to pick files out of a folder; a file that is named by itself is judged by its content."""


@dataclass(frozen=True, slots=True)
class MediaPath:
    """A media file and how the user knows it."""

    path: Path
    """Where it is."""
    name: str
    """Relative to the folder it was found under; as given when it was named by itself."""
    root: Path
    """Absolute folder that `name` is relative to."""
    given: str
    """As the user would write it: the path given, and what lies below it where that is a folder."""


def find_media(paths: Iterable[Path | str]) -> Iterator[MediaPath | InputError]:
    """Every file that is named, and every media file under a folder that is named, each once.

    Files of a folder come sorted by name; hidden files and folders are left out, links to folders are not
    followed. A path that does not exist, that a library could not store, or a folder without media gives an
    `InputError` in its place.
    """
    seen: set[Path] = set()
    for path in map(Path, paths):
        for found in _find(path):
            if isinstance(found, MediaPath):
                key = Path(os.path.abspath(found.path))
                if key in seen:
                    continue
                seen.add(key)
            yield found


def _find(path: Path) -> Iterator[MediaPath | InputError]:
    try:
        if not _is_unicode(Path(os.path.abspath(path))):
            yield _not_unicode(path)
        elif path.is_dir():
            yield from _find_in_folder(path)
        elif not path.exists():
            yield InputError(path, "there is no such file or folder")
        elif not path.is_file():
            yield InputError(path, "is not a regular file")
        else:
            yield MediaPath(path, str(path), Path.cwd(), str(path))
    except OSError as error:
        yield InputError(path, f"cannot be read: {error.strerror}")


def _find_in_folder(folder: Path) -> Iterator[MediaPath | InputError]:
    root = folder.resolve()
    found = 0
    refused: list[OSError] = []
    for parent, subfolders, files in os.walk(root, onerror=refused.append):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(files):
            path = Path(parent, name)
            if not name.startswith(".") and path.suffix.lower() in MEDIA_SUFFIXES and path.is_file():
                found += 1
                below = path.relative_to(root)
                item = MediaPath(path, below.as_posix(), root, str(folder / below))
                yield item if _is_unicode(path) else _not_unicode(path)
    for error in refused:
        yield InputError(error.filename, f"cannot be read: {error.strerror}")
    if not found and not refused:
        yield InputError(folder, "holds no media files")


def _is_unicode(path: Path) -> bool:
    """File names are bytes; those that are no UTF-8 reach Python as text that no database and no screen takes."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _not_unicode(path: Path) -> InputError:
    """The name is shown with a replacement character, so that it can be printed."""
    return InputError(os.fsencode(path).decode(errors="replace"), "has a name that is not valid UTF-8; rename it")


def hash_file(path: Path) -> str:
    """SHA-256 of the content, as hex; raises `InputError` when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from error
