"""What can be measured on the shipped network without training: pooling, depth, input size, dimension, whitening and
score normalisation.

Its convolutions were trained at 96 and 128 px through a Gaussian R-MAC at the last block: a difference here says what
that network is worth when it is read in another way, not what a network trained that way would be.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ablations.cut import CutNetwork
from benchmarks.ablations.scoring import EDITS, Described, Vectors, row
from benchmarks.images.corpus import Corpus
from benchmarks.images.stored import Item, in_batches
from vcd.describe.card import ModelCard
from vcd.describe.describer import unit_rows
from vcd.describe.network import has_content
from vcd.describe.pooling import POOLINGS, pool
from vcd.describe.weights import load_background
from vcd.types import Picture

SIZES_PX = (160, 224, 256, 320)
"""Beside the card's own."""
DIMENSIONS = (128, 64, 32)
STRENGTH = 0.5
"""Of the whitening that is fitted here; that of the shipped model."""
REGIONAL = "gaussian-rmac"
Kept = dict[str, list[Vectors]]


def measure_pooled(
    card: ModelCard, corpus: Corpus, others: Sequence[Item], threads: int, tell: Callable[[str], None]
) -> dict[str, list[dict[str, Any]]]:
    """Tables by name, each of rows with a label."""
    network = CutNetwork(card, threads)
    own, raw = _own_size(network, corpus, others, tell)
    pooled = {name: row(fitted(each, card.dimension), corpus.copied) for name, each in raw.items()}
    vectors = own["vectors"]
    shipped = row(vectors, corpus.copied)
    by_own = replace(vectors, background=load_background(card))
    sizes = {size: row(_at_size(network, corpus, others, size, tell), corpus.copied) for size in SIZES_PX} | {
        card.input_px: shipped
    }
    last = len(network.places) - 1
    return {
        "pooling": [
            *({"label": name, **pooled[f"{last} {name}"]} for name in POOLINGS),
            {"label": "gaussian-rmac, each region through the trained layer (shipped)", **shipped},
        ],
        "depth": [
            {"label": _depth_label(number, place.channels, number == last), **pooled[f"{number} {REGIONAL}"]}
            for number, place in enumerate(network.places)
        ],
        "input": [{"label": f"{size} px", **sizes[size]} for size in sorted(sizes)],
        "dimension": [
            {"label": str(card.dimension), **shipped},
            *({"label": str(d), **row(vectors.truncated(d), corpus.copied)} for d in DIMENSIONS),
        ],
        "whitening": [
            {"label": "on", **shipped},
            {"label": "off", **row(own["unwhitened"], corpus.copied)},
        ],
        "normalisation": [
            {"label": "on", **shipped},
            {"label": "off", **row(vectors, corpus.copied, normalised=False)},
            {"label": "on, by the shipped background, which has seen these sources", **row(by_own, corpus.copied)},
        ],
    }


def _depth_label(number: int, channels: int, is_last: bool) -> str:
    place = f"block {number}" if number else "stem"
    return f"after the {place}: {channels} channels" + (" (the whole network)" if is_last else "")


def fitted(raw: Described, dimension: int) -> Described:
    """Whitened as the shipped model is, with what the background pictures say."""
    mean = raw.background.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov((raw.background - mean).T))
    order = np.argsort(-variances)[:dimension]
    scale = np.maximum(variances[order], variances.max() * 1e-6) ** (-STRENGTH / 2)
    matrix = (directions[:, order] * scale).astype(np.float32)
    return raw.through(lambda vectors: (vectors - mean) @ matrix)


def _own_size(
    network: CutNetwork, corpus: Corpus, others: Sequence[Item], tell: Callable[[str], None]
) -> tuple[dict[str, Described], dict[str, Described]]:
    """The shipped vectors, and every pooling of the last place and the regional one of the others, in one pass."""
    last = len(network.places) - 1
    wanted = [(last, name) for name in POOLINGS] + [(number, REGIONAL) for number in range(last)]

    def describe(items: Sequence[Item]) -> Iterator[dict[str, Vectors]]:
        for pictures in in_batches(items):
            maps = network.maps(pictures, network.card.input_px, network.places)
            before, after = network.vectors(maps[-1])
            pools = {f"{number} {name}": pool(maps[number], name, np) for number, name in wanted}
            yield seen(pictures, {"unwhitened": before, "vectors": after, **pools})

    found = _described(describe, corpus, others, tell, f"{network.card.input_px} px, all poolings and depths")
    own = {name: found.pop(name) for name in ("vectors", "unwhitened")}
    return own, found


def _at_size(
    network: CutNetwork, corpus: Corpus, others: Sequence[Item], side_px: int, tell: Callable[[str], None]
) -> Described:
    def describe(items: Sequence[Item]) -> Iterator[dict[str, Vectors]]:
        for pictures in in_batches(items):
            maps = network.maps(pictures, side_px, network.places[-1:])[0]
            yield seen(pictures, {"vectors": network.vectors(maps)[1]})

    return _described(describe, corpus, others, tell, f"{side_px} px")["vectors"]


def _described(
    describe: Callable[[Sequence[Item]], Iterator[Mapping[str, Vectors]]],
    corpus: Corpus,
    others: Sequence[Item],
    tell: Callable[[str], None],
    what: str,
) -> dict[str, Described]:
    """By way; unit rows."""
    tell(what)
    sets: dict[str, Mapping[str, NDArray[np.float32]]] = {
        "references": _together(describe(corpus.references())),
        "background": _together(describe(others)),
        **{edit: _together(describe(corpus.queries(edit))) for edit in EDITS},
    }
    return {
        way: Described(sets["references"][way], {edit: sets[edit][way] for edit in EDITS}, sets["background"][way])
        for way in sets["references"]
    }


def seen(pictures: Sequence[Picture], found: Mapping[str, Vectors]) -> dict[str, Vectors]:
    """Zeros for flat pictures, as the describer gives."""
    there = np.array([[has_content(picture)] for picture in pictures], dtype=np.float32)
    return {way: np.asarray(vectors * there, dtype=np.float32) for way, vectors in found.items()}


def _together(batches: Iterator[Mapping[str, Vectors]]) -> dict[str, Vectors]:
    found: Kept = {}
    for batch in batches:
        for way, vectors in batch.items():
            found.setdefault(way, []).append(np.asarray(vectors, dtype=np.float32))
    return {way: unit_rows(np.concatenate(parts)) for way, parts in found.items()}
