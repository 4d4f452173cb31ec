"""The aligners there are, by name."""

from collections.abc import Callable, Mapping

from vcd.align.aligner import Aligner
from vcd.align.vote import VoteAligner
from vcd.config import AlignConfig
from vcd.errors import UnknownName

ALIGNERS: Mapping[str, Callable[[AlignConfig, float], Aligner]] = {"vote": VoteAligner}


def make_aligner(config: AlignConfig, unrelated_similarity: float) -> Aligner:
    """`unrelated_similarity` is the model card's: what lies below is no evidence."""
    if config.aligner not in ALIGNERS:
        raise UnknownName("aligner", config.aligner, ALIGNERS)
    return ALIGNERS[config.aligner](config, unrelated_similarity)
