"""The output formats, by name: each turns a `Report` into bytes."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vcd.report.encode import encode_csv, encode_json, encode_parquet
from vcd.report.rows import COLUMNS, MORE, TIMES, document, in_order, problem_row, segment_row
from vcd.report.table import as_table
from vcd.types import Report


def as_json(report: Report) -> bytes:
    return encode_json(document(report), indent=1)


def as_jsonl(report: Report) -> bytes:
    """One segment a line, then one problem a line with ``"problem": true``."""
    rows: list[dict[str, Any]] = [segment_row(segment) for segment in in_order(report.segments)]
    rows += [{"problem": True, **problem_row(problem)} for problem in report.problems]
    return b"".join(map(encode_json, rows))


def as_csv(report: Report) -> bytes:
    """Times with three decimals, booleans as true and false, empty what was not checked or is not known."""
    rows = [segment_row(segment) for segment in in_order(report.segments)]
    return encode_csv(COLUMNS, [[_cell(column, row[column]) for column in COLUMNS] for row in rows])


def as_parquet(report: Report) -> bytes:
    """COLUMNS and MORE; problems and made_with as JSON in the file's metadata."""
    import pyarrow as pa

    kinds: dict[str, Any] = dict.fromkeys((*COLUMNS, *MORE), pa.float64())
    kinds |= dict.fromkeys(("query", "reference", "view", "found_by"), pa.string())
    kinds |= dict.fromkeys(("mirrored", "verified", "refined"), pa.bool_())
    kinds["region"] = pa.list_(pa.float64())
    answer = document(report)
    metadata = {key: json.dumps(answer[key]) for key in ("version", "problems", "made_with")}
    return encode_parquet(kinds, answer["segments"], metadata)


FORMATS: Mapping[str, Callable[[Report], bytes]] = {
    "table": as_table,
    "json": as_json,
    "jsonl": as_jsonl,
    "csv": as_csv,
    "parquet": as_parquet,
}


def render(report: Report, name: str, for_file: bool = False) -> bytes:
    """The report in one of FORMATS; a table has no colours and its full width in a file."""
    return as_table(report, on_terminal=False) if name == "table" and for_file else FORMATS[name](report)


def format_of_file(path: Path) -> str:
    """The format that a file's name asks for; a table when it asks for none."""
    suffix = path.suffix.lower().lstrip(".")
    return suffix if suffix in FORMATS else "table"


def _cell(column: str, value: Any) -> Any:
    if column in TIMES and value is not None:
        return f"{value:.3f}"
    return f"{value:.4f}" if isinstance(value, float) else value
