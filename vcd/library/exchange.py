"""A library's descriptors <-> one Parquet file, to hand over or to look into with other programs.

One row a frame, the frames of a reference one after the other, references by path. Columns: `path` and `root` (the
name, and the folder it was found under), `content_hash` (SHA-256 of the media file), `size_bytes`, `mtime_ns`, `kind`,
`duration_s`, `width_px`, `height_px`, `format`, `added_at`; then `time_s`, `vector` (D half-precision numbers, little
endian, as binary of 2 D bytes) and `quality` of the frame. The schema's metadata: `vcd_export` (the version, 1),
`model`, `dimension`, `dtype`, `metric`, and `sampling` as JSON.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vcd.errors import LibraryError
from vcd.library.disk import appearing, writing
from vcd.library.gather import Piece, gather
from vcd.library.library import Library
from vcd.library.merge import pieces_of
from vcd.library.parts import Part
from vcd.library.records import MediaRow
from vcd.types import Descriptors

VERSION = "1"
_OF_MEDIA = {
    "path": pa.string(), "root": pa.string(), "content_hash": pa.string(), "size_bytes": pa.int64(),
    "mtime_ns": pa.int64(), "kind": pa.string(), "duration_s": pa.float64(), "width_px": pa.int64(),
    "height_px": pa.int64(), "format": pa.string(), "added_at": pa.string(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origin:
    """What made the vectors of an exported file."""

    model: str
    dimension: int
    sampling: dict[str, Any]


def export_library(library: Library, target: Path) -> int:
    """Write all references to a Parquet file, which appears whole or not at all; the number of frames.

    A name that is no UTF-8 is refused with a `LibraryError`: Parquet has no such text.
    """
    schema = _schema(library)
    frames = 0
    with (
        writing(target.parent, target.name),
        appearing(target) as unfinished,
        pq.ParquetWriter(unfinished, schema, compression="zstd") as writer,
    ):
        for some in gather(pieces_of(library)):
            writer.write_table(_table(some, schema))
            frames += sum(len(piece.content) for piece in some)
    return frames


def _schema(library: Library) -> pa.Schema:
    columns = [*_OF_MEDIA.items(), ("time_s", pa.float64())]
    columns += [("vector", pa.binary(2 * library.dimension)), ("quality", pa.float32())]
    return pa.schema(
        columns,
        metadata={
            "vcd_export": VERSION, "model": library.model, "dimension": str(library.dimension), "dtype": "float16",
            "metric": "inner product", "sampling": json.dumps(library.settings["sampling"]),
        },
    )  # fmt: skip


def _table(pieces: list[Piece], schema: pa.Schema) -> pa.Table:
    lengths = [len(piece.content) for piece in pieces]
    numbers = pa.array(np.repeat(np.arange(len(pieces)), lengths))
    columns = []
    for name, kind in _OF_MEDIA.items():
        try:
            values = pa.array([getattr(piece.row, name) for piece in pieces], kind)
        except UnicodeEncodeError as error:
            raise LibraryError(f"a {name} is no UTF-8 text and cannot be exported: {error.object!r}") from error
        columns.append(values.take(numbers))
    vectors = np.ascontiguousarray(np.concatenate([piece.content.vectors for piece in pieces]))
    columns += [
        pa.array(np.concatenate([piece.content.times_s for piece in pieces])),
        pa.FixedSizeBinaryArray.from_buffers(schema.field("vector").type, len(vectors), [None, pa.py_buffer(vectors)]),
        pa.array(np.concatenate([piece.content.quality for piece in pieces])),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


class ExportedFile:
    """A file that `export_library` wrote; use it in a `with` statement."""

    def __init__(self, path: Path) -> None:
        """Raises `LibraryError` when it is no such file."""
        self._path = path
        with self._explained():
            self._file = pq.ParquetFile(path)
            schema = self._file.schema_arrow
            facts = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
            if facts.get("vcd_export") != VERSION:
                raise ValueError(f"it says version {facts.get('vcd_export')} of vcd's exports, not {VERSION}")
            self.origin = Origin(facts["model"], int(facts["dimension"]), dict(json.loads(facts["sampling"])))
            wanted = {**_OF_MEDIA, "time_s": pa.float64(), "vector": pa.binary(2 * self.origin.dimension)}
            for name, kind in {**wanted, "quality": pa.float32()}.items():
                if name not in schema.names or schema.field(name).type != kind:
                    raise ValueError(f"it has no column {name} of type {kind}")

    def __enter__(self) -> "ExportedFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def pieces(self) -> Iterator[Piece]:
        """Its references with their rows; raises `LibraryError` where they are no descriptors."""
        with self._explained():
            rest: pa.Table | None = None
            for group in range(self._file.num_row_groups):
                table = self._file.read_row_group(group)
                table = table if rest is None else pa.concat_tables([rest, table])
                *whole, last = _starts(table) or [0]
                for start, stop in zip(whole, [*whole[1:], last], strict=True):
                    yield self._piece(table.slice(start, stop - start))
                rest = table.slice(last)
            if rest is not None and len(rest):
                yield self._piece(rest)

    def _piece(self, table: pa.Table) -> Piece:
        first = {name: table.column(name)[0].as_py() for name in _OF_MEDIA}
        if any(column.null_count for column in table.columns):
            raise ValueError(f"a value of {first['path']} is missing")
        joined = b"".join(table.column("vector").to_pylist())
        vectors = np.frombuffer(joined, dtype="<f2").reshape(len(table), self.origin.dimension)
        times_s, quality = table.column("time_s").to_numpy(), table.column("quality").to_numpy()
        row = MediaRow(id=0, part_id=0, first_row=0, frames=len(table), **first)
        Descriptors(row.path, row.info, times_s, vectors.astype(np.float32), quality)  # They check themselves.
        lengths = np.linalg.norm(vectors.astype(np.float32), axis=1)
        if ((abs(lengths - 1) > 0.01) & (lengths > 0)).any():
            raise ValueError(f"a vector of {row.path} has another length than 1")
        return Piece(row, Part(np.zeros(len(table), dtype=np.int64), times_s, vectors, quality))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise LibraryError(f"{self._path}: there is no such file") from error
        except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
            raise LibraryError(
                f"{self._path}: is no file that vcd library export wrote ({error}); export the library again"
            ) from error


def _starts(table: pa.Table) -> list[int]:
    """The rows where another reference begins."""
    names: Iterable[NDArray[Any]] = (table.column(name).to_numpy() for name in ("path", "root", "content_hash"))
    fresh = np.zeros(len(table), dtype=bool)
    fresh[:1] = True
    for column in names:
        fresh[1:] |= column[1:] != column[:-1]
    return [int(row) for row in np.flatnonzero(fresh)]
