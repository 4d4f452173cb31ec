"""Lists and facts as a table, JSON or CSV."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from vcd.errors import printable
from vcd.report.encode import encode_csv, encode_json
from vcd.report.table import render_table


def render_sheet(rows: Sequence[Mapping[str, Any]], format: str) -> bytes:
    """Rows with the same keys; no rows give an empty list, nothing, or one line that says so."""
    if format == "json":
        return encode_json(rows, indent=1)
    if format == "csv":
        return encode_csv(list(rows[0]), [list(row.values()) for row in rows]) if rows else b""
    if not rows:
        return b"empty\n"
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, value in rows[0].items():
        table.add_column(name, justify="right" if isinstance(value, int | float) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    return render_table(table)


def render_facts(facts: Mapping[str, Any], format: str) -> bytes:
    """One fact a line; a list below its name."""
    if format == "json":
        return encode_json(facts, indent=1)
    lines = []
    for name, value in facts.items():
        if isinstance(value, list):
            lines += [f"{name}: {len(value)}", *(f"  {printable(item)}" for item in value)]
        else:
            lines.append(f"{name}: {_text(value)}")
    return ("\n".join(lines) + "\n").encode()


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    return json.dumps(value) if isinstance(value, bool | dict) else printable(str(value))
