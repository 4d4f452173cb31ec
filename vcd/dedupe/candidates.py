"""Every file as a query -> pairs of files that may share something, frames that many files hold, what files look like.

The nearest frames of all frames are sought once; what follows looks at pairs of files only. So the time grows with
the number of frames, and with the number of pairs that truly share something.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vcd.config import SearchConfig
from vcd.library import Library, MediaRow
from vcd.model import Model
from vcd.search import count_votes, normalise, novelty
from vcd.types import Descriptors

ALIKE = 0.25
"""A frame with this margin to another may be its copy."""
SAME = 0.5
"""A frame with this margin to another is held by that other's file."""
ENOUGH_VOTES = 1.0, 0.4
"""A pair needs the first, or the second as a share of all votes that the file has: a short one has few."""
SHARED_BY = 3
"""A frame that so many other files hold may be part of an intro."""
MANY = 20
"""What is in so many other files makes no two of them a pair by itself, unless it is half of one."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Frames of one file that at least SHARED_BY others hold: one row (n) for each frame and other file."""

    media_id: int
    starts_s: NDArray[np.float64]
    """float64 (n,), rising: what the frame stands for begins here ..."""
    ends_s: NDArray[np.float64]
    """... and ends here."""
    others: NDArray[np.int64]
    """int64 (n,), media ids."""
    at_s: NDArray[np.float64]
    """float64 (n,), where the other file has it."""

    def take(self, kept: NDArray[np.bool_]) -> "Held":
        return Held(self.media_id, self.starts_s[kept], self.ends_s[kept], self.others[kept], self.at_s[kept])


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What one pass over the library found."""

    pairs: set[tuple[int, int]] = field(default_factory=set)
    """Media ids, the lower first."""
    held: list[Held] = field(default_factory=list)
    looks: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    """Of each file that shows anything: the mean of its vectors, float32 (D,), length 1."""
    biases: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    """Of each such file the bias of its `Descriptors`: to find it is half of the work on a pair."""


@dataclass(frozen=True, slots=True, eq=False)
class _Hits:
    """The best match of each frame of a file with each other file (n of them), by row."""

    rows: NDArray[np.int64]
    ids: NDArray[np.int64]
    at_s: NDArray[np.float64]
    margins: NDArray[np.float64]

    def take(self, kept: NDArray[np.bool_]) -> "_Hits":
        return _Hits(self.rows[kept], self.ids[kept], self.at_s[kept], self.margins[kept])

    def held_by(self) -> NDArray[np.int64]:
        """int64 (n,): how many files hold the row's frame as each one does."""
        return np.bincount(self.rows, minlength=1)[self.rows] if len(self.rows) else self.rows


def find_candidates(
    rows: Iterable[MediaRow], among: Sequence[MediaRow], library: Library, model: Model, config: SearchConfig
) -> Candidates:
    """Each of the rows as a query; only files of `among` are found.

    Raises `LibraryDamaged`. A file that a writer removed meanwhile is left out.
    """
    found = Candidates()
    wanted = np.array([row.id for row in among], dtype=np.int64)
    for row in rows:
        descriptors = library.descriptors(row.id)
        if descriptors is None or not descriptors.quality.any():
            continue
        found.looks[row.id] = look_of(descriptors)
        query = normalise(descriptors, model.background, config)
        found.biases[row.id] = query.bias
        floor = model.calibration.unrelated_similarity
        hits = _find_hits(query, wanted[wanted != row.id], library, config.neighbours, floor)
        others = _choose(query, hits, floor)[: config.candidates]
        found.pairs.update((min(row.id, other), max(row.id, other)) for other in others)
        if held := _held(query, row.id, hits):
            found.held.append(held)
    return found


def look_of(descriptors: Descriptors) -> NDArray[np.float32]:
    """float32 (D,), length 1."""
    mean = descriptors.quality @ descriptors.vectors
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), dtype=np.float32)


def _find_hits(query: Descriptors, wanted: NDArray[np.int64], library: Library, neighbours: int, floor: float) -> _Hits:
    """Margins of at least ALIKE to the files that are wanted."""
    found = library.nearest(query.vectors, neighbours)
    margins = np.minimum(1.0, (found.similarities - query.bias[:, None] - floor) / (1 - floor))
    rows, columns = np.nonzero((margins >= ALIKE) & (query.quality > 0)[:, None])
    here = np.isin(found.media_ids[rows, columns], wanted)
    rows, columns = rows[here], columns[here]
    ids, times_s, worth = found.media_ids[rows, columns], found.times_s[rows, columns], margins[rows, columns]
    order = np.lexsort((times_s, -worth, ids, rows))
    # Of each row and file the first is the best.
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(rows[order]) != 0) | (np.diff(ids[order]) != 0)
    kept = order[first]
    return _Hits(rows[kept], ids[kept], times_s[kept], worth[kept].astype(np.float64))


def _choose(query: Descriptors, hits: _Hits, floor: float) -> list[int]:
    """Media ids of files worth aligning, most votes first, then the lower id."""
    if not len(hits.rows):
        return []
    worth = query.quality * novelty(query, floor)
    enough = min(ENOUGH_VOTES[0], ENOUGH_VOTES[1] * float(worth.sum()))
    usable = int(np.count_nonzero(query.quality > 0))
    # What is left of a file's frames beside those that are everywhere, or all of them where they are half of it.
    rare = hits.held_by() <= MANY
    ids, places = np.unique(hits.ids, return_inverse=True)
    half = np.bincount(places) >= usable / 2
    hits = hits.take(rare | half[places])
    weights = hits.margins * worth[hits.rows]
    ids, places = np.unique(hits.ids, return_inverse=True)
    most = np.bincount(places, weights, minlength=len(ids))
    votes = []
    for place in np.flatnonzero(most >= enough):
        mine = places == place
        offsets_s = hits.at_s[mine] - query.times_s[hits.rows[mine]]
        votes.append((-count_votes(hits.rows[mine], offsets_s, weights[mine].astype(np.float32)), int(ids[place])))
    return [media_id for lost, media_id in sorted(votes) if -lost >= enough]


def _held(query: Descriptors, media_id: int, hits: _Hits) -> Held | None:
    """None for a still picture, which has no stretches, and where nothing is in so many files."""
    if query.info.kind == "image":
        return None
    hits = hits.take(hits.margins >= SAME)
    hits = hits.take(hits.held_by() >= SHARED_BY)
    if not len(hits.rows):
        return None
    spans = {row: query.span(row, row + 1) for row in np.unique(hits.rows).tolist()}
    starts_s, ends_s = np.array([(spans[row].start_s, spans[row].end_s) for row in hits.rows.tolist()]).T
    return Held(media_id, starts_s, ends_s, hits.ids, hits.at_s)
