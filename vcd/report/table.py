"""The table for people."""

import io
import shutil
import sys

from rich.console import Console
from rich.table import Table

from vcd.errors import printable
from vcd.report.rows import in_order
from vcd.types import WHOLE, Report, Segment, Span

PLAIN_WIDTH = 160
"""Characters in a line where no terminal limits it."""


def as_table(report: Report, on_terminal: bool | None = None) -> bytes:
    """As wide as the terminal, in colour on one; one line when nothing was found, none when nothing could be asked."""
    if not report.segments:
        return b"no copy found\n" if report.usable else b""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("query", "", "reference", "", "score", "how"):
        table.add_column(title, justify="right" if title == "score" else "left", overflow="fold", no_wrap=title == "")
    for segment in in_order(report.segments):
        table.add_row(
            printable(segment.query), clock_span(segment.query_span),
            printable(segment.reference), reference_clock(segment),
            f"{segment.score:.2f}", how(segment),
        )  # fmt: skip
    return render_table(table, on_terminal)


def render_table(table: Table, on_terminal: bool | None = None) -> bytes:
    """A rich table as text for stdout, or plain for a file when it is not `on_terminal`."""
    if on_terminal is None:
        on_terminal = sys.stdout.isatty()
    text = io.StringIO()
    width = shutil.get_terminal_size().columns if on_terminal else PLAIN_WIDTH
    console = Console(
        file=text, width=width, force_terminal=on_terminal, highlight=False, markup=False, emoji=False
    )  # fmt: skip
    console.print(table)
    lines = [line.rstrip() for line in text.getvalue().split("\n")[:-1]]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def clock_span(span: Span) -> str:
    """``0:12.3 - 0:37.0``; a single moment once."""
    if span.length_s == 0:
        return clock(span.start_s)
    return f"{clock(span.start_s)} - {clock(span.end_s)}"


def reference_clock(segment: Segment) -> str:
    """A question mark where nobody knows when."""
    return clock_span(segment.reference_span) if segment.reference_timed else "?"


def clock(seconds: float) -> str:
    """Seconds as ``m:ss.s`` or ``h:mm:ss.s``."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest / 10:04.1f}" if hours else f"{minutes}:{rest / 10:04.1f}"


def how(segment: Segment) -> str:
    """What is unusual about a segment, in words."""
    notes = []
    if abs(abs(segment.speed) - 1) >= 0.005:
        notes.append(f"speed {abs(segment.speed):.2f}")
    if segment.speed < 0:
        notes.append("backwards")
    if segment.view != WHOLE:
        notes.append(str(segment.view))
    if segment.found_by != "descriptors":
        notes.append(f"by {segment.found_by}")
    if segment.verified is not None:
        notes.append("verified" if segment.verified else "not verified")
    return ", ".join(notes)
