"""The aligners there are, by name."""

from collections.abc import Callable, Mapping
from functools import partial

from vcd.align.aligner import Aligner
from vcd.align.baselines.dynamic_programming import find_by_dynamic_programming
from vcd.align.baselines.exhaustive import find_exhaustively
from vcd.align.baselines.extrapolation import find_by_extrapolation
from vcd.align.baselines.hough import find_by_hough
from vcd.align.baselines.stretches import BaselineAligner
from vcd.align.baselines.temporal_network import find_by_network
from vcd.align.vote import VoteAligner
from vcd.config import AlignConfig
from vcd.errors import UnknownName

ALIGNERS: Mapping[str, Callable[[AlignConfig, float], Aligner]] = {
    "vote": VoteAligner,
    "temporal-network": partial(BaselineAligner, find_by_network),
    "hough": partial(BaselineAligner, find_by_hough),
    "dynamic-programming": partial(BaselineAligner, find_by_dynamic_programming),
    "extrapolation": partial(BaselineAligner, find_by_extrapolation),
    "exhaustive": partial(BaselineAligner, find_exhaustively),
}
"""The first is the default; the others are there to measure it against."""


def make_aligner(config: AlignConfig, unrelated_similarity: float) -> Aligner:
    """`unrelated_similarity` is the model card's: what lies below is no evidence."""
    if config.aligner not in ALIGNERS:
        raise UnknownName("aligner", config.aligner, ALIGNERS)
    return ALIGNERS[config.aligner](config, unrelated_similarity)
