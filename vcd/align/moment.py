"""Which moment of a film a picture shows: the stored frames are far apart, so the film is looked at around one.

The nearest stored frame of a fast scene may look little like the picture that lies beside it in time.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vcd.types import Descriptors, Look, Segment, Span

REACH_S = 2.5
"""How far around the stored frame is looked: the stored ones are 2 s apart at most, by default."""
STEP_S = 0.2
FINE_STEP_S = 0.03
"""About a frame."""
AS_ALIKE = 0.0001
"""Of moments that look as alike as this, as in a static shot, the one nearest to the stored frame stays."""


def refine_moment(segment: Segment, picture: Descriptors, look: Look, duration_s: float, floor: float) -> Segment:
    """The segment of a still query at the moment of the film that looks most like it, marked as refined.

    `look` decodes the film, `floor` is the similarity of unrelated pictures. The evidence grows by what the moment
    looks more alike than the stored frame does. Unchanged where nothing can be seen there.
    """
    at_s = segment.reference_span.start_s
    before_s, similarities = _similarities(look, picture, at_s, REACH_S, duration_s, STEP_S)
    if not len(before_s) or segment.evidence is None:
        return segment
    stored = float(similarities[np.argmin(np.abs(before_s - at_s))])
    coarse_s = _nearest_of_best(before_s, similarities, at_s)
    fine_s, finer = _similarities(look, picture, coarse_s, STEP_S, duration_s, FINE_STEP_S)
    times_s, similarities = np.concatenate([before_s, fine_s]), np.concatenate([similarities, finer])
    found_s = _nearest_of_best(times_s, similarities, at_s)
    margin = min(1.0, segment.evidence.margin + max(0.0, float(similarities.max()) - stored) / (1 - floor))
    evidence = replace(segment.evidence, margin=margin, low_margin=margin)
    return replace(segment, reference_span=Span(found_s, found_s), evidence=evidence, refined=True)


def _similarities(
    look: Look, picture: Descriptors, at_s: float, reach_s: float, duration_s: float, step_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times of the film's frames around a moment, every `step_s` of them, and how alike each is to the picture."""
    start_s = max(0.0, at_s - reach_s)
    found = look(Span(start_s, max(start_s, min(duration_s, at_s + reach_s))), step_s)
    return found.times_s, (found.vectors @ picture.vectors[0]).astype(np.float64)


def _nearest_of_best(times_s: NDArray[np.float64], similarities: NDArray[np.float64], at_s: float) -> float:
    best = times_s[similarities >= similarities.max() - AS_ALIKE]
    return float(best[np.argmin(np.abs(best - at_s))])
