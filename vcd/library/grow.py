"""Bringing the index up to the parts: what stays as it is, what is added to, what is made anew.

Volumes are few, and each much larger than the next: what is new becomes a volume of its own, and takes in those that
are not much larger than itself. So each frame is written again a few times at most while a library grows, and
adding little to a large library writes little (O'Neil et al., The log-structured merge-tree, 1996).
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.errors import LibraryDamaged
from vcd.library.ivf import MOST_LISTS, TRAINED_ON
from vcd.library.parts import Part, read_part
from vcd.library.records import MediaRow, PartRow
from vcd.library.saved_index import load_volumes, read_volume
from vcd.library.vectors import INDEXES, build_settings, kind_for
from vcd.library.volume import MOST_DEAD_ROWS, IndexedRows, Volume, share_dead

logger = logging.getLogger(__name__)

TAKEN_IN = 8
"""A volume up to so many times as large as what is new is not kept beside it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the index gets up to the parts."""

    kept: tuple[Volume, ...]
    """Stay as they are."""
    base: Volume | None
    """Is added to."""
    fresh: tuple[PartRow, ...]
    """What is added to it, or becomes a volume of its own."""

    def without_base(self, parts: Sequence[PartRow]) -> "Plan":
        """The same with the base made anew, of those of its parts that are there."""
        lost = set(self.base.parts if self.base else ()) & set(parts)
        return Plan(self.kept, None, _in_order({*self.fresh, *lost}))


def make_plan(
    folder: Path, config: LibraryConfig, media: Sequence[MediaRow], parts: Sequence[PartRow], into_one: bool
) -> Plan:
    """`into_one`: all that is left is one volume without dead rows."""
    usable = []
    for volume, rows in load_volumes(folder, config):
        dead = share_dead(rows.alive(media, parts))
        if volume.settings == build_settings(config, len(volume)) and dead <= (0 if into_one else MOST_DEAD_ROWS):
            usable.append((volume, rows.index))
    usable.sort(key=lambda one: (len(one[0]), one[0].index))
    covered = {part for volume, _ in usable for part in volume.parts}
    fresh = {part for part in parts if part not in covered}
    total = sum(part.rows for part in fresh)
    if into_one and not fresh and len(usable) < 2:
        return Plan(tuple(volume for volume, _ in usable), None, ())
    taken = []
    while usable and (into_one or len(usable[0][0]) <= TAKEN_IN * total):
        taken.append(usable.pop(0))
        total += len(taken[-1][0])
    base = None
    if taken and taken[-1][0].kind == kind_for(config, total) and taken[-1][1].suits(total):
        base = taken.pop()[0]
    fresh |= {part for volume, _ in taken for part in volume.parts} & set(parts)
    return Plan(tuple(volume for volume, _ in usable), base, _in_order(fresh))


def _in_order(parts: set[PartRow]) -> tuple[PartRow, ...]:
    return tuple(sorted(parts, key=lambda part: part.id))


def grow(folder: Path, config: LibraryConfig, dimension: int, plan: Plan) -> IndexedRows | None:
    """The plan's base with what is fresh, one part in memory at a time; None when nothing was added.

    A part that is damaged is left out: it must not keep the others from being found fast. Raises `LibraryDamaged` or
    `FileNotFoundError` when the base cannot be read.
    """
    total = sum(part.rows for part in plan.fresh)
    if not total:
        return None
    base = read_volume(folder, plan.base, config, to_grow=True) if plan.base else None
    if base is None:
        index = INDEXES[kind_for(config, total)](dimension, config)
        if index.least_rows > 1:
            index.train(_sample(folder, plan.fresh, total), total)
    else:
        index = base.index
    media_ids = [base.media_ids] if base else []
    times_s = [base.times_s] if base else []
    covered = list(base.parts) if base else []
    before = len(covered)
    for row, part in _read(folder, plan.fresh):
        index.add(part.vectors)
        media_ids.append(part.media_ids)
        times_s.append(part.times_s)
        covered.append(row)
    if len(covered) == before:
        return None
    settings = plan.base.settings if plan.base else build_settings(config, total)
    return IndexedRows(index, np.concatenate(media_ids), np.concatenate(times_s), tuple(covered), settings)


def _sample(folder: Path, rows: Sequence[PartRow], total: int) -> NDArray[np.float16]:
    """Every so-many-th vector of all parts, enough to train the most lists."""
    step = max(1, total // (TRAINED_ON * MOST_LISTS))
    return np.concatenate([part.vectors[::step] for _, part in _read(folder, rows)])


def _read(folder: Path, rows: Sequence[PartRow]) -> Iterator[tuple[PartRow, Part]]:
    for row in rows:
        try:
            yield row, read_part(folder, row)
        except (LibraryDamaged, FileNotFoundError) as error:
            logger.warning("%s; run: vcd library verify --library %s", error, folder)
