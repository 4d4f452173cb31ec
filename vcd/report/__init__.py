"""Stage 7: a `Report` -> rows for programs, a table for people."""

from vcd.report.formats import FORMATS, format_of_file, render, write_atomically
from vcd.report.rows import COLUMNS, segment_row

__all__ = ["COLUMNS", "FORMATS", "format_of_file", "render", "segment_row", "write_atomically"]
