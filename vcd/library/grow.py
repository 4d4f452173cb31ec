"""The index of a library, with the parts that it lacks: one part in memory at a time."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.errors import LibraryDamaged
from vcd.library.ivf import MOST_LISTS, TRAINED_ON
from vcd.library.parts import Part, read_part
from vcd.library.records import MediaRow, PartRow
from vcd.library.saved_index import SavedIndex, build_settings, load_index
from vcd.library.vectors import STORED

logger = logging.getLogger(__name__)


def usable_index(
    folder: Path, config: LibraryConfig, media: list[MediaRow], parts: list[PartRow], without_dead_rows: bool
) -> SavedIndex | None:
    """The saved index, to be added to; None when it is better made anew."""
    saved = load_index(folder, config, to_grow=True)
    if saved is None or saved.settings != build_settings(config) or saved.is_worn(media, parts):
        return None
    if without_dead_rows and not saved.alive(media, parts).all():
        return None
    return saved if saved.index.suits(sum(part.rows for part in parts)) else None


def grow(
    folder: Path, config: LibraryConfig, dimension: int, saved: SavedIndex | None, missing: Iterable[PartRow]
) -> SavedIndex | None:
    """The index with the missing parts; None when nothing was added, because there is too little or it is damaged.

    A part that is damaged is left out: it must not keep the others from being found fast.
    """
    rows = sorted(missing, key=lambda row: row.id)
    if saved is None:
        index = STORED[config.index](dimension, config)
        total = sum(row.rows for row in rows)
        if total < index.least_rows:
            return None
        if index.least_rows > 1:
            index.train(_sample(folder, rows, total), total)
    else:
        index = saved.index
    media_ids = [saved.media_ids] if saved else []
    times_s = [saved.times_s] if saved else []
    covered = list(saved.parts) if saved else []
    for row, part in _read(folder, rows):
        index.add(part.vectors)
        media_ids.append(part.media_ids)
        times_s.append(part.times_s)
        covered.append(row)
    if len(covered) == (len(saved.parts) if saved else 0):
        return None
    return SavedIndex(
        index=index, media_ids=np.concatenate(media_ids), times_s=np.concatenate(times_s), parts=tuple(covered),
        settings=build_settings(config),
    )  # fmt: skip


def _sample(folder: Path, rows: list[PartRow], total: int) -> NDArray[np.float16]:
    """Every so-many-th vector of all parts, enough to train the most lists."""
    step = max(1, total // (TRAINED_ON * MOST_LISTS))
    return np.concatenate([part.vectors[::step] for _, part in _read(folder, rows)])


def _read(folder: Path, rows: list[PartRow]) -> Iterator[tuple[PartRow, Part]]:
    for row in rows:
        try:
            yield row, read_part(folder, row)
        except (LibraryDamaged, FileNotFoundError) as error:
            logger.warning("%s; run: vcd library verify --library %s", error, folder)
