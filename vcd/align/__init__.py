"""Stage 5: two `Descriptors` and their `FrameMatches` -> `Segment`s.

`aligner` is what every aligner must do, `vote` the default one; `line` fits speed and offset, `extent` finds where a
copy begins and ends along the line, `still` treats single pictures, `ends` refines, `score` says how sure.
"""

from vcd.align.aligner import Aligner
from vcd.align.ends import refine_ends
from vcd.align.models import ALIGNERS, make_aligner
from vcd.align.overlap import drop_overlapping

__all__ = ["ALIGNERS", "Aligner", "drop_overlapping", "make_aligner", "refine_ends"]
