"""The describers of peers, by name."""

from collections.abc import Callable, Mapping
from functools import partial

from benchmarks.peers.hashes import Pdq
from vcd.describe import Describer, make_describer

PEER_MODELS: Mapping[str, Callable[[], Describer]] = {
    "phash": partial(make_describer, "phash"),
    "pdq": Pdq,
    "colour-histogram": partial(make_describer, "colour-histogram"),
    "sift-words": partial(make_describer, "sift-words"),
}


def make_any(model: str) -> Describer:
    """A peer's describer, or one of vcd's."""
    return PEER_MODELS[model]() if model in PEER_MODELS else make_describer(model)
