"""How one entry to the iQIYI contest of 2019 chose the reference: its best 100 matches a frame, two rules.

The reference that occurs most often among the matches above a cosine of 0.9, and the one with the highest similarity.
What it does next is the aligner `extrapolation`.
"""

import numpy as np

from vcd.align.baselines.extrapolation import SAME, TOP
from vcd.search import VectorStore
from vcd.types import Descriptors, FrameMatches


def choose_references(query: Descriptors, store: VectorStore) -> list[FrameMatches]:
    """The matches with the one or two references that the rules name; none when no frame matches."""
    found = store.nearest(query.vectors, TOP)
    rows, columns = np.nonzero((found.similarities > SAME) & (found.media_ids >= 0))
    if not len(rows):
        return []
    ids, similarities = found.media_ids[rows, columns], found.similarities[rows, columns]
    often = int(np.bincount(ids).argmax())
    likest = int(ids[np.argmax(similarities)])
    return [
        FrameMatches(media_id, rows[mine], found.times_s[rows, columns][mine], similarities[mine], float(mine.sum()))
        for media_id in dict.fromkeys([often, likest])
        for mine in [ids == media_id]
    ]
