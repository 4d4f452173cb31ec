"""The pictures of a training, decoded once and kept in one file that all processes share."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vcd.config import MediaConfig, SampleConfig
from vcd.errors import InputError, SetupError
from vcd.media import open_media
from vcd.media.files import MediaPath, find_media
from vcd.train.generate import dead_leaves
from vcd.types import Picture, Progress, quiet

SHORT_SIDE_PX = 160
FRAME_GAP_S = 2.0
"""Frames of one video are at least this far apart: nearer ones may show the same, and are no fair negatives."""
SAME_FRAME = 8.0
"""Mean difference of luminance (of 255) up to which two frames of one video count as the same picture."""


@dataclass(frozen=True, slots=True)
class Item:
    """A picture on its way into the store."""

    picture: Picture
    source: str
    video: str = ""
    """Empty for a still."""


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Many pictures; made by `open_pictures`."""

    path: Path
    """All pictures, one after the other, uint8; mapped by each process that looks at them."""
    offsets: NDArray[np.int64]
    """int64 (N + 1,)."""
    shapes: NDArray[np.int64]
    """int64 (N, 2): height and width."""
    sources: NDArray[np.int64]
    """int64 (N,): number of each picture's source; 0 is the generated ones."""
    videos: NDArray[np.int64]
    """int64 (N,): number of each picture's video, -1 for a still."""
    names: tuple[str, ...]
    """Of the sources."""

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, row: int) -> Picture:
        height, width = self.shapes[row]
        return _mapped(self.path)[self.offsets[row] : self.offsets[row + 1]].reshape(height, width, 3)

    def weights(self) -> NDArray[np.float64]:
        """float64 (N,), sum 1 without the generated ones: large sources count less for each picture, small ones at
        most three times the mean, so that neither one kind of picture nor one picture rules a batch.
        """
        counts = np.bincount(self.sources, minlength=len(self.names)).astype(np.float64)
        each = np.maximum(counts, 1) ** -0.4
        weights = each[self.sources] * (self.sources > 0)
        weights = np.minimum(weights, 3 * weights[weights > 0].mean()) if weights.any() else weights
        return np.asarray(weights / max(weights.sum(), 1e-12))


def open_pictures(
    paths: Sequence[Path],
    work: Path,
    seed: int,
    generated: int,
    media: MediaConfig | None = None,
    progress: Progress = quiet,
) -> Pictures:
    """The pictures of parquet shards (columns image, source), image and video files and folders of them, behind as many
    generated ones.

    Decoded at the first call into `work`, and mapped from there ever after. Raises `SetupError` when there is none.
    """
    made_of = [[str(path.resolve()) for path in paths], seed, generated, SHORT_SIDE_PX]
    key = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12]
    index, data = work / f"pictures-{key}.npz", work / f"pictures-{key}.bin"
    if not index.exists():
        work.mkdir(parents=True, exist_ok=True)
        _write(progress(_items(paths, seed, generated, media or MediaConfig()), "decoding pictures"), index, data)
    with np.load(index) as found:
        columns = {name: found[name] for name in ("offsets", "shapes", "sources", "videos")}
        names = tuple(str(name) for name in found["names"])
    if not (columns["sources"] > 0).any():
        index.unlink()
        raise SetupError(f"no picture to train on under {', '.join(map(str, paths))}")
    return Pictures(path=data, names=names, **columns)


@lru_cache(maxsize=1)
def _mapped(path: Path) -> NDArray[np.uint8]:
    return np.memmap(path, dtype=np.uint8, mode="r")


def _write(items: Iterable[Item], index: Path, data: Path) -> None:
    sources: dict[str, int] = {"generated": 0}
    videos: dict[str, int] = {}
    rows: list[tuple[int, int, int, int]] = []
    with data.open("wb") as file:
        for item in items:
            picture = _shrunk(item.picture)
            file.write(np.ascontiguousarray(picture).tobytes())
            video = videos.setdefault(item.video, len(videos)) if item.video else -1
            rows.append((*picture.shape[:2], sources.setdefault(item.source, len(sources)), video))
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    offsets = np.concatenate([[0], np.cumsum(table[:, 0] * table[:, 1] * 3)])
    unfinished = index.with_suffix(".tmp.npz")
    np.savez(
        unfinished, offsets=offsets, shapes=table[:, :2], sources=table[:, 2], videos=table[:, 3],
        names=np.array(list(sources)),
    )  # fmt: skip
    unfinished.rename(index)


def _shrunk(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    scale = SHORT_SIDE_PX / min(height, width)
    if scale >= 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _items(paths: Sequence[Path], seed: int, generated: int, media: MediaConfig) -> Iterator[Item]:
    rng = np.random.default_rng(seed)
    for _ in range(generated):
        yield Item(dead_leaves(SHORT_SIDE_PX, rng), "generated")
    for path in paths:
        shards = sorted(path.glob("*.parquet")) if path.is_dir() else [path] if path.suffix == ".parquet" else []
        for shard in shards:
            yield from _shard(shard)
        if not shards:
            for found in find_media([path]):
                if isinstance(found, MediaPath):
                    yield from _file(found.path, media)


def _shard(path: Path) -> Iterator[Item]:
    for batch in pq.ParquetFile(path).iter_batches(256, columns=["image", "source"]):
        for row in batch.to_pylist():
            picture = cv2.imdecode(np.frombuffer(row["image"], np.uint8), cv2.IMREAD_COLOR_RGB)
            if picture is not None:
                yield Item(picture.astype(np.uint8), row["source"])


def _file(path: Path, config: MediaConfig) -> Iterator[Item]:
    """An image, or frames of a video that differ from each other; a file that cannot be read is left out."""
    try:
        media = open_media(path, replace(config, short_side_px=SHORT_SIDE_PX))
        is_video = media.info.kind == "video"
        seen: list[NDArray[np.int16]] = []
        for frame in media.frames(SampleConfig(mode="uniform", gap_s=FRAME_GAP_S)):
            small = cv2.resize(cv2.cvtColor(frame.picture, cv2.COLOR_RGB2GRAY), (16, 16), interpolation=cv2.INTER_AREA)
            thumbnail = small.astype(np.int16)
            if small.std() > 8 and all(np.abs(thumbnail - other).mean() > SAME_FRAME for other in islice(seen, 64)):
                seen.append(thumbnail)
                yield Item(frame.picture, "video" if is_video else "images", str(path) if is_video else "")
    except InputError:
        return
