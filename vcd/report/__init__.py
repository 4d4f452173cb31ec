"""Stage 7: a `Report` -> rows for programs, a table for people."""

from vcd.report.formats import FORMATS, format_of_file, render
from vcd.report.rows import COLUMNS, segment_row
from vcd.report.write import check_writable, write_atomically

__all__ = ["COLUMNS", "FORMATS", "check_writable", "format_of_file", "render", "segment_row", "write_atomically"]
