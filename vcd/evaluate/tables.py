"""Truth and prediction files -> `Truth` and `Row`s, or a DataError that names file, row and column.

    query,reference,q_start,q_end,r_start,r_end[,score][,edit][,strength]

Columns may stand in any order and others are ignored, so what `vcd query --format csv|json|jsonl` writes can
be read as it is (the suffix .json or .jsonl tells; all else is CSV). Times are seconds. Files are UTF-8, with
or without a byte order mark.

Truth: a query without a copy has one row with an empty reference, whose other cells are not read; ``score``
is not read either. Predictions: without a ``score`` column every score is 1; a query for which nothing was
found has no row; a JSON line with ``"problem": true`` is skipped.

Row numbers in errors are line numbers as a text editor shows them, the CSV header being line 1; in a .json
file, which has no lines to speak of, segments are counted from 1.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from vcd.errors import DataError
from vcd.evaluate.records import Row, Truth
from vcd.types import Span

COLUMNS = ("query", "reference", "q_start", "q_end", "r_start", "r_end")
MAX_TIME_S = 1e9
"""Thirty years. A time beyond it is a slip, and so large that seconds drown in rounding."""


@dataclass(frozen=True, slots=True)
class _Record:
    """One row of a file, its cells not yet understood."""

    path: Path
    line: int
    cells: Mapping[str, Any]

    def error(self, column: str | None, reason: str) -> DataError:
        return DataError(self.path, self.line, column, reason)

    def text(self, column: str) -> str:
        """The cell, empty when it is blank."""
        value = self.cells.get(column)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.error(column, f"{value!r} is not text")
        return value if value.strip() else ""

    def label(self, column: str) -> str:
        """An optional cell, empty when it or its column is absent."""
        value = self.cells.get(column)
        return "" if value is None else str(value).strip()

    def number(self, column: str) -> float:
        value = self.cells.get(column)
        if value is None or value == "":
            raise self.error(column, "is missing")
        try:
            # float() takes True and "1_000" as well, which no table means as a number
            number = float("nan") if isinstance(value, bool) or "_" in str(value) else float(value)
        except (ValueError, TypeError, OverflowError):
            number = float("nan")
        if not isfinite(number):
            raise self.error(column, f"{value!r} is no finite number")
        return number

    def span(self, side: str) -> Span:
        """The span in the columns ``side_start`` and ``side_end``."""
        start_s, end_s = self._time_s(f"{side}_start"), self._time_s(f"{side}_end")
        if end_s < start_s:
            raise self.error(f"{side}_end", f"{end_s:g} is before {side}_start ({start_s:g})")
        return Span(start_s, end_s)

    def _time_s(self, column: str) -> float:
        time_s = self.number(column)
        if abs(time_s) > MAX_TIME_S:
            raise self.error(column, f"{time_s:g} is not a time in seconds")
        return time_s

    def row(self, score: float) -> Row:
        query, reference = self.text("query"), self.text("reference")
        for column, name in (("query", query), ("reference", reference)):
            if not name:
                raise self.error(column, "is empty")
        return Row(
            query, reference, self.span("q"), self.span("r"), score,
            edit=self.label("edit"), strength=self.label("strength"),
        )  # fmt: skip


def read_truth(path: Path) -> Truth:
    """The truth in a file; a query may not be listed both with and without a copy."""
    copies: list[tuple[_Record, Row]] = []
    silent: dict[str, int] = {}
    for record in _read_records(path):
        query = record.text("query")
        if record.text("reference") or not query:
            copies.append((record, record.row(score=1.0)))
        elif query in silent:
            raise record.error(None, f"repeats row {silent[query]}")
        else:
            silent[query] = record.line
    for record, row in copies:
        if row.query in silent:
            reason = f"{row.query!r} has a copy here and none in row {silent[row.query]}"
            raise record.error("reference", reason)
    _reject_repeats(copies)
    return Truth(tuple(row for _, row in copies), tuple(silent))


def read_predictions(path: Path, truth: Truth) -> tuple[Row, ...]:
    """The predictions in a file, each for a query that the truth has."""
    records = _read_records(path)
    scored = any("score" in record.cells for record in records)
    queries = truth.queries()
    rows = []
    for record in records:
        row = record.row(record.number("score") if scored else 1.0)
        if row.query not in queries:
            raise record.error("query", f"the truth has no query {row.query!r}; names must be equal")
        rows.append((record, row))
    _reject_repeats(rows)
    return tuple(row for _, row in rows)


def _reject_repeats(rows: Sequence[tuple[_Record, Row]]) -> None:
    """No two rows may state the same stretch, whatever their scores: one of them would count as wrong."""
    seen: dict[tuple[str, str, Span, Span], int] = {}
    for record, row in rows:
        first = seen.setdefault((row.query, row.reference, row.query_span, row.reference_span), record.line)
        if first != record.line:
            raise record.error(None, f"repeats row {first}")


def _read_records(path: Path) -> list[_Record]:
    """Rows of a file that have all `COLUMNS`."""
    read = READERS.get(path.suffix.lower(), _csv_records)
    records = list(read(path, _read_text(path)))
    for record in records:
        for column in COLUMNS:
            if column not in record.cells:
                raise record.error(column, "is missing")
    return records


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(path, None, None, "there is no such file") from error
    except OSError as error:
        raise DataError(path, None, None, f"cannot be read: {error.strerror}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise DataError(path, row, None, "is not UTF-8 text") from error


def _csv_records(path: Path, text: str) -> Iterator[_Record]:
    lines = _csv_lines(path, text)
    number, cells = next(lines, (1, []))
    header = [cell.strip() for cell in cells]
    for column in COLUMNS:
        if column not in header:
            raise DataError(path, number, column, "the header has no such column")
    if repeated := [column for column in header if column and header.count(column) > 1]:
        raise DataError(path, number, repeated[0], "the header has this column twice")
    for number, cells in lines:
        if len(cells) > len(header):
            raise DataError(path, number, None, f"has {len(cells)} cells, the header {len(header)}")
        padded = cells + [""] * (len(header) - len(cells))
        yield _Record(path, number, dict(zip(header, padded, strict=True)))


def _csv_lines(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    first_line = 1
    try:
        for cells in reader:
            if len(cells) > 1 or any(cell.strip() for cell in cells):
                yield first_line, cells
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(path, first_line, None, f"is not CSV: {error}") from error


def _json_records(path: Path, text: str) -> Iterator[_Record]:
    """The segments of a report, `{"version": 1, "segments": [...]}`."""
    report = _load(path, 1, text)
    if report.get("version") != 1:
        raise DataError(path, None, "version", f"{report.get('version')!r} is unknown; 1 is known")
    segments = report.get("segments")
    if not isinstance(segments, list):
        raise DataError(path, None, "segments", "is not a list")
    for number, cells in enumerate(segments, start=1):
        if not isinstance(cells, dict):
            raise DataError(path, number, None, "is not an object")
        yield _Record(path, number, cells)


def _json_line_records(path: Path, text: str) -> Iterator[_Record]:
    # not splitlines(), which also splits at characters that may stand inside a JSON string
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            cells = _load(path, number, line)
            if cells.get("problem") is not True:
                yield _Record(path, number, cells)


def _load(path: Path, first_line: int, text: str) -> dict[str, Any]:
    """The object that the text holds."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"is not JSON: {error.msg}"
        raise DataError(path, first_line + error.lineno - 1, None, reason) from error
    except (RecursionError, ValueError) as error:
        raise DataError(path, first_line, None, f"is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise DataError(path, first_line, None, "is not an object")
    return value


READERS: Mapping[str, Callable[[Path, str], Iterator[_Record]]] = {
    ".csv": _csv_records,
    ".json": _json_records,
    ".jsonl": _json_line_records,
}
