"""Stage 5: two `Descriptors` and their `FrameMatches` -> `Segment`s.

`aligner` is what every aligner must do, `vote` the default one; `line` fits speed and offset, `extent` finds where a
copy begins and ends along the line, `still` treats single pictures, `ends` refines, `score` says how sure with the
parameters of `calibration`.
"""

from vcd.align.aligner import Aligner
from vcd.align.calibration import Calibration, load_calibration
from vcd.align.ends import refine_ends
from vcd.align.models import ALIGNERS, make_aligner
from vcd.align.moment import refine_moment
from vcd.align.overlap import drop_overlapping
from vcd.align.score import rescore

__all__ = [
    "ALIGNERS", "Aligner", "Calibration", "drop_overlapping", "load_calibration", "make_aligner", "refine_ends",
    "refine_moment", "rescore",
]  # fmt: skip
