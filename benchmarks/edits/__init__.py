"""What pirates do to films, each at three strengths, with the exact truth of the times.

Read in this order: `film` (what an edit takes and gives), `quality`, `framing`, `overlays`, `layouts` (the edits),
`table` (all by name, and chains), `arrange` (several copied stretches), `make` (pieces and an edit -> a file).
"""

from benchmarks.edits.arrange import ARRANGEMENTS, Arrangement, arrange, cut_up
from benchmarks.edits.film import FRAMES_PER_S, STRENGTHS, Edit, Piece, Size, TimeMap
from benchmarks.edits.make import SIZE, Edited, Placed, make_film
from benchmarks.edits.table import CHAINS, EDITS, SINGLE, steps

__all__ = [
    "ARRANGEMENTS", "CHAINS", "EDITS", "FRAMES_PER_S", "SINGLE", "SIZE", "STRENGTHS", "Arrangement", "Edit",
    "Edited", "Piece", "Placed", "Size", "TimeMap", "arrange", "cut_up", "make_film", "steps",
]  # fmt: skip
