"""Pictures in Parquet files: columns `id`, `source`, `image` (encoded bytes), read a batch at a time."""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, UnidentifiedImageError

from vcd.config import MediaConfig, SampleConfig
from vcd.errors import InputError
from vcd.media import find_media, open_media
from vcd.media.picture import shrink
from vcd.media.still import to_rgb
from vcd.types import Picture

SHORT_SIDE_PX = 224
COLUMNS = ("id", "source", "image")
QUALITY = 95
"""Of the stored JPEGs: what they lose is far less than any edit changes."""


@dataclass(frozen=True, slots=True)
class Item:
    """A picture as it is stored."""

    id: str
    source: str
    image: bytes

    def picture(self, short_side_px: int = SHORT_SIDE_PX) -> Picture:
        """Raises `InputError` for bytes that are no picture."""
        try:
            with Image.open(io.BytesIO(self.image)) as image:
                return shrink(to_rgb(image), short_side_px)
        except (UnidentifiedImageError, OSError) as error:
            raise InputError(Path(self.id), f"is no picture: {error}") from error


def encode(picture: Picture, quality: int = QUALITY) -> bytes:
    """JPEG without chroma subsampling."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def read_items(path: Path) -> list[Item]:
    """The pictures of a Parquet file, of all Parquet files in a folder, or of a folder of pictures.

    Sorted by id, so that the order of files does not matter. Raises `InputError` when there are none, or when a
    Parquet file lacks a column.
    """
    files = [path] if path.is_file() else sorted(path.glob("*.parquet"))
    items = [item for file in files for item in read_parquet(file)] if files else list(_read_folder(path))
    if not items:
        raise InputError(path, "holds no pictures")
    return sorted(items, key=lambda item: item.id)


def read_parquet(path: Path) -> list[Item]:
    try:
        file = pq.ParquetFile(path)
        if missing := [name for name in COLUMNS if name not in file.schema_arrow.names]:
            raise InputError(path, f"lacks the column {missing[0]!r}; it has {', '.join(file.schema_arrow.names)}")
        table = file.read(columns=list(COLUMNS))
    except (pa.ArrowException, OSError) as error:
        raise InputError(path, f"is no readable Parquet file: {error}") from error
    return [Item(*row) for row in zip(*(table[name].to_pylist() for name in COLUMNS), strict=True)]


def _read_folder(folder: Path) -> Iterator[Item]:
    """Stills only; what cannot be read is left out, as the product would."""
    config = MediaConfig(short_side_px=SHORT_SIDE_PX)
    for found in find_media([folder]):
        if isinstance(found, InputError):
            continue
        try:
            media = open_media(found.path, config)
        except InputError:
            continue
        if media.info.kind == "image":
            picture = next(iter(media.frames(SampleConfig()))).picture
            yield Item(str(found.path.relative_to(folder)), folder.name, encode(picture))


def write_items(path: Path, items: Iterable[Item]) -> None:
    """The file appears whole or not at all, also when two processes make it at once."""
    rows = list(items)
    columns = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
    types = {"id": pa.string(), "source": pa.string(), "image": pa.binary()}
    table = pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    pq.write_table(table, partial, compression="none")
    partial.replace(path)


def in_batches(
    items: Sequence[Item], size: int = 32, decode: Callable[[Item], Picture] = Item.picture
) -> Iterator[list[Picture]]:
    """Decoded pictures, so many at a time."""
    stream = iter(items)
    while group := list(islice(stream, size)):
        yield [decode(item) for item in group]
