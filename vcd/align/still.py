"""Aligning where one side, or both, is a single picture."""

import numpy as np

from vcd.align.extent import find_run
from vcd.align.score import score_still
from vcd.types import Descriptors, Segment, Span


def align_still(query: Descriptors, reference: Descriptors, floor: float) -> list[Segment]:
    """A picture against a video gives the moment that looks most like it; a video against a picture gives the
    stretch that shows it. A picture's own span is 0 to 0.
    """
    similarities = query.vectors @ reference.vectors.T
    if query.info.kind == "image":
        row = int(np.argmax(similarities[0]))
        at_s = float(reference.times_s[row]) if reference.info.kind == "video" else 0.0
        score = score_still(float(similarities[0, row]), float(query.quality[0]))
        spans = Span(0.0, 0.0), Span(at_s, at_s)
    else:
        shown = similarities[:, 0].astype(np.float64)
        run = find_run(query, shown, np.ones(len(query), dtype=bool), floor)
        if run is None:
            return []
        score = score_still(float(run.similarities.max()), float(query.quality[run.first : run.stop].max()))
        spans = query.span(run.first, run.stop), Span(0.0, 0.0)
    return [Segment(query.name, reference.name, *spans, score=score, view=query.view)]
