"""What leaves the program: results on stdout, all else on stderr. Imports nothing heavy."""

import sys
from contextlib import suppress

from vcd.errors import printable


def write_stdout(content: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    """One line on stdout, whatever characters a file name holds."""
    write_stdout(f"{printable(text)}\n".encode())


def tell(text: str) -> None:
    """One line on stderr, whatever characters a file name holds; lost where nobody can take it."""
    with suppress(OSError):
        sys.stderr.write(f"{printable(text)}\n")
        sys.stderr.flush()
