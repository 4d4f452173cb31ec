"""Vector files: immutable Parquet, written whole or not at all; every read is checked.

One media's rows of a large part are read alone: by the row groups they lie in, whose pages have checksums of their own.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vcd.errors import LibraryDamaged
from vcd.library.disk import appearing, hash_content
from vcd.library.records import MediaRow, PartRow

FOLDER = "vectors"
ROWS_A_PART = 65_536
"""Of a part that holds many media (34 MB at 256 dimensions); one that holds one media may be longer."""
ROWS_A_GROUP = 1024
"""Read at once for one media."""
READ_WHOLE_BYTES = 4 << 20
"""Parts up to this size are read whole and compared with their checksum even where a few rows are wanted."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The rows of one vector file (n of them)."""

    media_ids: NDArray[np.int64]
    times_s: NDArray[np.float64]
    vectors: NDArray[np.float16]
    """float16 (n, D)."""
    quality: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.times_s)

    def of_media(self, row: MediaRow) -> "Part | None":
        """The rows of one media; None when they are not where its row says."""
        stop = row.first_row + row.frames
        ids = self.media_ids[row.first_row : stop]
        if len(ids) != row.frames or not (ids == row.id).all():
            return None
        here = slice(row.first_row, stop)
        return Part(ids, self.times_s[here], self.vectors[here], self.quality[here])


def part_path(folder: Path, part_id: int) -> Path:
    return folder / FOLDER / f"part-{part_id:06d}.parquet"


def write_part(folder: Path, part_id: int, part: Part, model: str) -> PartRow:
    """Now the part exists, but is not yet committed; raises `OSError`."""
    dimension = part.vectors.shape[1]
    binary = pa.binary(2 * dimension)
    vectors = pa.FixedSizeBinaryArray.from_buffers(
        binary, len(part), [None, pa.py_buffer(np.ascontiguousarray(part.vectors))]
    )
    schema = pa.schema(
        [("media_id", pa.int64()), ("time_s", pa.float64()), ("vector", binary), ("quality", pa.float32())],
        metadata={"dimension": str(dimension), "dtype": "float16", "metric": "inner product", "model": model},
    )
    table = pa.Table.from_arrays(
        [pa.array(part.media_ids), pa.array(part.times_s), vectors, pa.array(part.quality)], schema=schema
    )
    path = part_path(folder, part_id)
    path.parent.mkdir(exist_ok=True)
    with appearing(path) as unfinished:
        pq.write_table(
            table, unfinished, compression="none", use_dictionary=False, write_statistics=False,
            row_group_size=ROWS_A_GROUP, write_page_checksum=True,
        )  # fmt: skip
    return PartRow(part_id, len(part), path.stat().st_size, hash_content(path))


def read_part(folder: Path, part: PartRow) -> Part:
    """Read a part and check it; raises `LibraryDamaged`, and `FileNotFoundError` when it is gone."""
    path = part_path(folder, part.id)
    with _explained(path):
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != part.sha256:
            raise ValueError("its checksum differs")
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            return _unpack(file.read(use_threads=False).combine_chunks())


def read_media(folder: Path, part: PartRow, row: MediaRow) -> Part | None:
    """The rows of one media, checked; None when they are not where its row says. Raises as `read_part` does."""
    if part.size_bytes <= READ_WHOLE_BYTES:
        return read_part(folder, part).of_media(row)
    path = part_path(folder, part.id)
    with _explained(path):
        if path.stat().st_size != part.size_bytes:
            raise ValueError("its size differs")
        with pq.ParquetFile(path, memory_map=True, page_checksum_verification=True) as file:
            if file.metadata.num_rows != part.rows:
                raise ValueError("it has another number of rows")
            ends = np.cumsum([file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)])
            first, last = np.searchsorted(ends, [row.first_row, row.first_row + row.frames - 1], side="right")
            groups = range(int(first), min(int(last) + 1, len(ends)))
            some = _unpack(file.read_row_groups(groups, use_threads=False).combine_chunks())
            before = int(ends[first - 1]) if first else 0
            return some.of_media(replace(row, first_row=row.first_row - before))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, KeyError, ValueError, IndexError) as error:
        raise LibraryDamaged(f"{path}: the vectors cannot be read ({error})") from error


def _unpack(table: pa.Table) -> Part:
    vectors = table.column("vector").combine_chunks()
    dimension = vectors.type.byte_width // 2
    flat = np.frombuffer(vectors.buffers()[1], dtype=np.float16, count=len(vectors) * dimension)
    return Part(
        media_ids=table.column("media_id").to_numpy(),
        times_s=table.column("time_s").to_numpy(),
        vectors=flat.reshape(-1, dimension),
        quality=table.column("quality").to_numpy(),
    )
