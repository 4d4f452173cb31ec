"""The describers of peers, by name."""

from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.peers.hashes import Pdq, PHash
from benchmarks.peers.histogram import ColourHistogram
from benchmarks.peers.words import VisualWords, Vocabulary
from vcd.describe import Describer, make_describer

PEER_MODELS: Mapping[str, Callable[[Path], Describer]] = {
    "phash": lambda _: PHash(),
    "pdq": lambda _: Pdq(),
    "colour-histogram": lambda _: ColourHistogram(),
    "sift-words": lambda vocabulary: VisualWords(Vocabulary.load(vocabulary)),
}
"""Each is made from the file of the visual words, which most do not need."""


def make_any(model: str, vocabulary: Path) -> Describer:
    """A peer's describer, or one of vcd's."""
    return PEER_MODELS[model](vocabulary) if model in PEER_MODELS else make_describer(model)
