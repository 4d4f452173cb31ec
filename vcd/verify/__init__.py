"""Stage 6: a `Segment` and pictures of both files -> the same `Segment` with geometry, and whether it is verified.

`features` finds the transform between two pictures from their local features, `overlays` what lies on top of the
query, `motion` whether the same things move, `judge` puts them together.
"""

from vcd.verify.judge import Snapshot, geometry_of, verify
from vcd.verify.moments import choose_moments, reference_time

__all__ = ["Snapshot", "choose_moments", "geometry_of", "reference_time", "verify"]
