"""Aligning where one side, or both, is a single picture."""

import numpy as np

from vcd.align.extent import find_run
from vcd.align.score import score_run
from vcd.types import Descriptors, Evidence, Segment, Span


def align_still(query: Descriptors, reference: Descriptors, floor: float) -> list[Segment]:
    """A picture against a video gives the moment that looks most like it; a video against a picture gives the
    stretch that shows it: a picture looks the same for as long as it is shown, so frames that look half as much like
    it as the best one does are other pictures. A picture's own span is 0 to 0.
    """
    similarities = query.vectors @ reference.vectors.T - query.bias[:, None]
    if query.info.kind == "image":
        row = int(np.argmax(similarities[0]))
        at_s = float(reference.times_s[row]) if reference.info.kind == "video" else 0.0
        evidence = still_evidence(float(similarities[0, row]), float(query.quality[0]), floor)
        spans = Span(0.0, 0.0), Span(at_s, at_s)
    else:
        shown = similarities[:, 0].astype(np.float64)
        inside = max(floor, (floor + float(shown.max())) / 2)
        run = find_run(query, shown, np.ones(len(query), dtype=bool), inside)
        if run is None:
            return []
        quality = float(query.quality[run.first : run.stop].max())
        evidence = still_evidence(float(run.similarities.max()), quality, floor)
        spans = query.span(run.first, run.stop), Span(0.0, 0.0)
    score = score_run(evidence)
    return [Segment(query.name, reference.name, *spans, score=score, view=query.view, evidence=evidence)]


def still_evidence(similarity: float, quality: float, floor: float) -> Evidence:
    """One pair of pictures has nothing but its similarity and how much the picture can say."""
    margin = min(1.0, max(0.0, (similarity - floor) / (1 - floor)))
    return Evidence(margin=margin, low_margin=margin, rarity=quality, still=True)
