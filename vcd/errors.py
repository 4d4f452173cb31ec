"""What can go wrong, and whose fault it is.

    VcdError
    ├── InputError          this file is unusable; the run goes on and reports a Problem
    ├── DataError           a table given by the user (truth, predictions) has a bad cell
    └── SetupError          stop now: nothing can be done before somebody acts
        ├── ConfigError         a setting or a model card is wrong
        ├── MissingExtra        an optional dependency is not installed
        ├── UnknownName         no implementation has that name
        ├── ModelError          a network is damaged or does not do what its card says
        └── LibraryError        the library folder cannot be used as asked
            ├── LibraryMissing      there is no library
            ├── LibraryLocked       another process is writing
            ├── LibraryDamaged      its files do not fit together
            └── LibraryMismatch     made by another format version or model

Errors of FFmpeg, FAISS, SQLite and the network engine are turned into these where they arise.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line ends, and bytes of a file name that are no UTF-8."""


class VcdError(Exception):
    """Base of all errors that vcd raises on purpose; the text is one sentence for the user."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without calling `__init__` again, so that a worker process can raise any of them to its parent."""
        return _revive, (type(self), self.args, self.__dict__)


def _revive(kind: type[VcdError], args: tuple[Any, ...], attributes: dict[str, Any]) -> VcdError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class InputError(VcdError):
    """One input is unusable; other inputs can still be processed."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = str(path)
        self.reason = reason


class DataError(VcdError):
    """A table of segments has a bad row; nothing of it is used."""

    def __init__(self, path: Path | str, row: int | None, column: str | None, reason: str) -> None:
        place = "".join(f", {what} {value}" for what, value in (("row", row), ("column", column)) if value is not None)
        super().__init__(f"{path}{place}: {reason}")


class SetupError(VcdError):
    """The run cannot go on until somebody changes something."""


class ConfigError(SetupError):
    """A setting or a model card is wrong."""


class MissingExtra(SetupError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; run: pip install 'vcd[{extra}]'")


class UnknownName(SetupError):
    """No implementation has that name."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown {kind} {name!r}; {suggest(name, known)}")


class ModelError(SetupError):
    """A network file is damaged or does not do what its card says."""


class LibraryError(SetupError):
    """The library folder cannot be used as asked."""


class LibraryMissing(LibraryError):
    """There is no library in the folder."""


class LibraryLocked(LibraryError):
    """Another process is writing to the library."""


class LibraryDamaged(LibraryError):
    """Files of the library are missing or do not fit together."""


class LibraryMismatch(LibraryError):
    """The library was made by another format version or another model."""


def suggest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?``, or all known names when none is near."""
    from difflib import get_close_matches  # slow to import, and seldom needed

    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"


def printable(text: str) -> str:
    """`text` in one line that does nothing to a terminal: what is unprintable shows as an escape."""
    return UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
