"""Rows as bytes, for every list that vcd prints; any file name goes through."""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def encode_json(value: Any, indent: int | None = None) -> bytes:
    """One document and a line end; bytes of a file name that are no UTF-8 as escapes such as ``\\udcff``."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def encode_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """RFC 4180 with ``\\n``; booleans as true and false, None as nothing, file names as their own bytes.

    The `csv` module would leave a carriage return unquoted that its own reader then refuses.
    """
    lines = [",".join(map(_quoted, row)) + "\n" for row in (header, *rows)]
    return "".join(lines).encode("utf-8", "surrogateescape")


def encode_parquet(kinds: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], metadata: Mapping[str, Any]) -> bytes:
    """A table with the columns of `kinds`, of their types, and `metadata` in its schema.

    Parquet takes no text that is no UTF-8: odd bytes of a file name are shown as escapes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    written = [{column: _as_utf8(row[column]) for column in kinds} for row in rows]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(written, schema=pa.schema(list(kinds.items()), metadata=metadata)), sink)
    return sink.getvalue()


def _as_utf8(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else value


def _quoted(value: Any) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    needs_quotes = any(character in text for character in ',"\r\n')
    return '"' + text.replace('"', '""') + '"' if needs_quotes else text
