"""What needs training: groups of edits, and generated pictures. Very short trainings of a small network from scratch.

All are of equal length and see the same pictures in the same order; a network of this size after minutes is far from
the shipped one after hours, so only large differences say something, and the recipe with another seed says what is
large. Needs the extra `torch`.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.ablations.scoring import EDITS, Described, Vectors, row
from benchmarks.images.corpus import Corpus
from benchmarks.images.stored import Item, in_batches, write_items
from benchmarks.results import read_results, write_results
from vcd.train.augment import GROUPS
from vcd.train.config import TrainConfig
from vcd.train.export import load_network
from vcd.train.fit import Whitening, describe_pictures, fit_whitening
from vcd.train.loop import train
from vcd.train.network import Network
from vcd.train.pictures import Pictures, open_pictures

PICTURES = 6000
INPUT_PX = 96
"""Of the pictures that are described; in training views are smaller."""
SHORT = TrainConfig(
    steps=500, pairs=64, small_px=64, large_px=64, warm_up=50, widths=(32, 64, 128), blocks=(1, 1, 1), dimension=128,
    generated=500, save_every=500,
)  # fmt: skip
STRENGTH = 0.5
RECIPE = "the recipe"


def short_trainings() -> dict[str, TrainConfig]:
    """By what is different."""
    without = {
        f"without {name}: {what}": replace(SHORT, augment=tuple(other for other in SHORT.augment if other != name))
        for name, what in GROUPS.items()
    }
    return {
        RECIPE: SHORT,
        f"{RECIPE}, another seed": replace(SHORT, seed=2),
        **without,
        "no edits but those of easy views": replace(SHORT, augment=()),
        "no generated pictures": replace(SHORT, generated_share=0.0),
        "a fifth of the steps on generated pictures alone, first": replace(SHORT, generated_steps=SHORT.steps // 5),
    }


def measure_trained(
    corpus: Corpus, others: Sequence[Item], work: Path, threads: int, tell: Callable[[str], None]
) -> dict[str, Any]:
    """A table, and what it was measured with; a training that was finished earlier is not repeated.

    `others` are the pictures of all other sources: the first fit the whitening, `PICTURES` of them train.
    """
    torch.set_num_threads(threads)
    shard = work / f"train-{PICTURES}.parquet"
    if not shard.exists():
        write_items(shard, others[:PICTURES])
    pictures = open_pictures([shard], work, SHORT.seed, SHORT.generated)
    rows = [
        {"label": label, **_one(label, config, pictures, corpus, others, work, tell)}
        for label, config in short_trainings().items()
    ]
    facts = {name: getattr(SHORT, name) for name in ("steps", "pairs", "small_px", "widths", "blocks", "dimension")}
    return {"rows": rows, "recipe": facts | {"pictures": PICTURES, "input_px": INPUT_PX}}


def _one(
    label: str,
    config: TrainConfig,
    pictures: Pictures,
    corpus: Corpus,
    others: Sequence[Item],
    work: Path,
    tell: Callable[[str], None],
) -> Mapping[str, Any]:
    folder = work / _name(config)
    done = folder / "row.json"
    if done.exists():
        return read_results(done)
    tell(f"training: {label}")
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = train(pictures, config, folder, workers=1)
    found = row(describe(load_network(checkpoint)[0], config, corpus, others), corpus.copied)
    write_results(done, found)
    return found


def _name(config: TrainConfig) -> str:
    """The same for the same recipe."""
    return f"short-{hashlib.sha256(repr(asdict(config)).encode()).hexdigest()[:12]}"


def describe(network: Network, config: TrainConfig, corpus: Corpus, others: Sequence[Item]) -> Described:
    """Whitened by pictures of the sources that the corpus has not."""

    def of(items: Sequence[Item]) -> Vectors:
        return np.concatenate([describe_pictures(network, group, INPUT_PX) for group in in_batches(items)])

    background = of(others[: 4 * config.dimension])
    whitening: Whitening = fit_whitening(background, STRENGTH, config.dimension)
    return Described(
        whitening.apply(of(corpus.references())),
        {edit: whitening.apply(of(corpus.queries(edit))) for edit in EDITS},
        whitening.apply(background),
    )
