"""Vector files: immutable Parquet, written whole or not at all."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vcd.errors import LibraryDamaged
from vcd.library.catalog import PartRow

FOLDER = "vectors"


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


def part_path(folder: Path, part_id: int) -> Path:
    return folder / FOLDER / f"part-{part_id:06d}.parquet"


def write_part(folder: Path, part_id: int, part: Part, model: str) -> PartRow:
    """Write under a temporary name, flush to the disk, rename; then the part exists but is not yet committed."""
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
    unfinished = path.with_name(f".{path.name}.new")
    pq.write_table(
        table,
        unfinished,
        compression="none",
        use_dictionary=False,
        write_statistics=False,
        write_page_checksum=True,
    )
    sha256, size_bytes = sync_file(unfinished)
    unfinished.rename(path)
    sync_folder(path.parent)
    return PartRow(part_id, len(part), size_bytes, sha256)


def read_part(folder: Path, part_id: int, first_row: int = 0, rows: int | None = None) -> Part:
    """Read a part, or some of its rows; raises `LibraryDamaged`, and `FileNotFoundError` when it is gone."""
    path = part_path(folder, part_id)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read().slice(first_row, rows).combine_chunks()
        vectors = table.column("vector").combine_chunks()
        dimension = vectors.type.byte_width // 2
        start = vectors.offset * 2 * dimension
        flat = np.frombuffer(vectors.buffers()[1], dtype=np.float16, offset=start, count=len(vectors) * dimension)
        return Part(
            media_ids=table.column("media_id").to_numpy(),
            times_s=table.column("time_s").to_numpy(),
            vectors=flat.reshape(-1, dimension),
            quality=table.column("quality").to_numpy(),
        )
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise LibraryDamaged(
            f"{path}: the vectors cannot be read ({error}); run: vcd library verify --library {folder}"
        ) from error


def sync_file(path: Path) -> tuple[str, int]:
    """Flush a file to the disk; its SHA-256 and size."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return sha256, file.tell()


def sync_folder(path: Path) -> None:
    """Flush a folder's entries, so that a rename survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
