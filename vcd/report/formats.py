"""The output formats, by name: each turns a `Report` into bytes."""

import csv
import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vcd.errors import SetupError
from vcd.report.rows import COLUMNS, document, problem_row, segment_row
from vcd.report.table import as_table
from vcd.types import Report


def as_json(report: Report) -> bytes:
    return _bytes(json.dumps(document(report), indent=1, ensure_ascii=False) + "\n")


def as_jsonl(report: Report) -> bytes:
    """One segment a line, then one problem a line with ``"problem": true``."""
    rows: list[dict[str, Any]] = [segment_row(segment) for segment in report.segments]
    rows += [{"problem": True, **problem_row(problem)} for problem in report.problems]
    return _bytes("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def as_csv(report: Report) -> bytes:
    """Times with three decimals, booleans as true and false, `verified` empty when it was not checked."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for segment in report.segments:
        row = segment_row(segment)
        writer.writerow([_cell(column, row[column]) for column in COLUMNS])
    return _bytes(text.getvalue())


def as_parquet(report: Report) -> bytes:
    """COLUMNS and `refined`; problems and made_with as JSON in the file's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = ("query", "reference")
    flags = ("mirrored", "verified", "refined")
    kinds = {**dict.fromkeys(text, pa.string()), **dict.fromkeys(flags, pa.bool_())}
    columns = [*COLUMNS, "refined"]
    answer = document(report)
    metadata = {key: json.dumps(answer[key]) for key in ("version", "problems", "made_with")}
    schema = pa.schema([(column, kinds.get(column, pa.float64())) for column in columns], metadata=metadata)
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(answer["segments"], schema=schema), sink)
    return sink.getvalue()


FORMATS: Mapping[str, Callable[[Report], bytes]] = {
    "table": as_table,
    "json": as_json,
    "jsonl": as_jsonl,
    "csv": as_csv,
    "parquet": as_parquet,
}


def render(report: Report, name: str) -> bytes:
    return FORMATS[name](report)


def format_of_file(path: Path) -> str:
    """The format that a file's name asks for; a table when it asks for none."""
    suffix = path.suffix.lower().lstrip(".")
    return suffix if suffix in FORMATS else "table"


def write_atomically(content: bytes, path: Path) -> None:
    """Write under a temporary name beside the file, then rename: no reader sees half of it."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        unfinished.write_bytes(content)
        unfinished.rename(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise SetupError(f"{path}: cannot be written: {error.strerror}") from error


def _cell(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if column in {"q_start", "q_end", "r_start", "r_end"}:
        return f"{value:.3f}"
    if isinstance(value, float):
        return f"{value:.4f}"
    return str(value)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
