"""A query's hashes and a `HashList` -> segments, found as others are, with hashes in place of descriptors.

Bits as +1 and -1 over the root of their number are vectors of length 1 whose inner product is 1 - 2 bits / all bits. So
candidates, lines in time, ends and evidence are those of the search for descriptors; only who counts as near is the
field's own limit for hashes. Segments have the scores of models that nobody fitted scores for: they rank well.
"""

from collections.abc import Sequence
from dataclasses import replace

import faiss
import numpy as np
from numpy.typing import NDArray

from vcd.align import drop_overlapping, load_calibration, make_aligner, rescore
from vcd.config import Config
from vcd.hashes.records import KINDS, MIN_QUALITY, Hashes, HashList
from vcd.search import find_candidates
from vcd.types import Descriptors, MediaInfo, Neighbours, Segment

MATCHED = tuple(kind for kind in KINDS if kind != "crop-resistant")
"""Kinds with one hash a frame, so that a film of them is a line in time."""


class HashStore:
    """Searched by comparing with all of them; a reference's media id is its number in the list."""

    def __init__(self, listed: HashList) -> None:
        self.listed = listed
        self.kind = KINDS[listed.hashes.kind]
        self._ends = np.cumsum(listed.counts)
        good = listed.hashes.quality >= MIN_QUALITY
        self._owners = np.repeat(np.arange(len(listed)), listed.counts)[good]
        self._times_s = np.nan_to_num(listed.hashes.times_s[good])
        self._index = faiss.IndexBinaryFlat(self.kind.bits)
        self._index.add(np.ascontiguousarray(listed.hashes.bits[good]))

    def nearest(self, queries: NDArray[np.float32], k: int) -> Neighbours:
        """float32 (Q, bits) -> `Neighbours` (Q, k) within the limit of the kind."""
        k = min(k, int(self._index.ntotal))
        if not k or not len(queries):
            shape = (len(queries), max(1, k))
            return Neighbours(np.full(shape, -1), np.zeros(shape), np.full(shape, -1, dtype=np.float32))
        distances, rows = self._index.search(np.packbits(queries > 0, axis=1), k)
        near = (rows >= 0) & (distances <= self.kind.limit)
        similarities = np.where(near, 1 - 2 * distances / self.kind.bits, -1).astype(np.float32)
        return Neighbours(np.where(near, self._owners[rows], -1), self._times_s[rows], similarities)

    def descriptors(self, number: int) -> Descriptors:
        hashes, info = self.listed.entry(number, self._ends)
        return as_descriptors(hashes, self.listed.labels[number], info)


def as_descriptors(hashes: Hashes, name: str, info: MediaInfo) -> Descriptors:
    """Pictures that say too little are worth nothing."""
    signs = np.where(np.unpackbits(hashes.bits, axis=1), 1, -1) / np.sqrt(KINDS[hashes.kind].bits)
    worth = np.where(hashes.quality >= MIN_QUALITY, hashes.quality / np.float32(100), 0).astype(np.float32)
    return Descriptors(name, info, np.nan_to_num(hashes.times_s), signs.astype(np.float32), worth)


def match_hashes(
    found: Sequence[Hashes], name: str, info: MediaInfo, store: HashStore, config: Config
) -> list[Segment]:
    """What of a query is like something of the list, best first; `found` are its hashes, one of each kind.

    A reference of a list is called by the list and its label, ``list.txt:label``. Empty when the query has no hashes
    of the list's kind.
    """
    listed = store.listed
    mine = next((hashes for hashes in found if hashes.kind == listed.hashes.kind), None)
    if mine is None or not len(mine) or not len(listed):
        return []
    floor = store.kind.unrelated_similarity
    calibration = load_calibration(mine.kind, floor)
    aligner = make_aligner(config.align, floor)
    query, candidates = find_candidates(as_descriptors(mine, name, info), store, config.search, floor)
    segments = []
    for matches in candidates:
        reference, label = store.descriptors(matches.media_id), listed.labels[matches.media_id]
        named = f"{listed.name}:{label}" if listed.name else label
        # A picture that is listed may be one of a film, whose moment the list does not say.
        timed = bool(listed.infos) or reference.info.kind == "video"
        for segment in aligner.align(query, reference, matches):
            marked = replace(segment, reference=named, found_by=mine.kind, reference_timed=timed)
            segments.append(rescore(marked, calibration))
    return drop_overlapping(segments)
