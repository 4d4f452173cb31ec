"""All edits by name, and chains of them."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from benchmarks.edits.film import KINDS, Context, Edit, Film
from benchmarks.edits.framing import FRAMING
from benchmarks.edits.layouts import LAYOUTS
from benchmarks.edits.overlays import OVERLAYS
from benchmarks.edits.quality import QUALITY

SINGLE: Mapping[str, Edit] = {**QUALITY, **FRAMING, **OVERLAYS, **LAYOUTS}


def draw_chain(length: int, random: np.random.Generator) -> tuple[str, ...]:
    """Names of so many single edits, no two of one kind, in the order in which they are done."""
    kinds = sorted(random.permutation(len(KINDS))[:length])
    by_kind = [[name for name, edit in SINGLE.items() if edit.kind == KINDS[kind]] for kind in kinds]
    return tuple(names[int(random.integers(len(names)))] for names in by_kind)


def apply_all(names: Sequence[str], film: Film, context: Context) -> Film:
    for name in names:
        film = SINGLE[name].apply(film, context)
    return film


def _chain(length: int, film: Film, context: Context) -> Film:
    return apply_all(draw_chain(length, context.random), film, context)


CHAINS: Mapping[str, Edit] = {f"chain-{length}": Edit(partial(_chain, length), "chain") for length in range(2, 6)}
EDITS: Mapping[str, Edit] = {**SINGLE, **CHAINS}
"""Every edit of a film, by the name that a truth file gives it."""


def steps(name: str, seed: int) -> tuple[str, ...]:
    """The single edits that an edit does when `make_film` is given that seed: its own name, or a chain's members."""
    if name not in CHAINS:
        return (name,)
    return draw_chain(int(name.rpartition("-")[2]), np.random.default_rng(seed))
