"""How many views a second one process makes, and how many a training takes: the edits must not be the bottleneck."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.images.stored import Item, write_items
from vcd.train.batches import Batches
from vcd.train.config import TrainConfig
from vcd.train.loop import Training
from vcd.train.pictures import open_pictures

PICTURES = 1000
ROUNDS = 5


def measure_throughput(
    others: Sequence[Item], work: Path, tell: Callable[[str], None], recipe: TrainConfig | None = None
) -> list[dict[str, Any]]:
    """A row for each size of the views that the recipe (that of the shipped model) has: views a second, on one core
    each, medians of `ROUNDS` batches.
    """
    torch.set_num_threads(1)
    recipe = replace(recipe or TrainConfig(), generated=100)
    shard = work / f"throughput-{PICTURES}.parquet"
    if not shard.exists():
        write_items(shard, others[:PICTURES])
    pictures = open_pictures([shard], work, recipe.seed, recipe.generated)
    rows = []
    for side_px in dict.fromkeys((recipe.small_px, recipe.large_px)):
        tell(f"{side_px} px")
        config = replace(recipe, small_px=side_px, large_px=side_px)
        batches, training = Batches(pictures, config), Training(config, "cpu")
        made_s, taken_s, views = [], [], 0
        for number in range(ROUNDS + 1):
            begin_s = time.perf_counter()
            batch, chosen = batches[number]
            between_s = time.perf_counter()
            training.run_step(batch, chosen)
            made_s.append(between_s - begin_s)
            taken_s.append(time.perf_counter() - between_s)
            views = len(batch)
        made, taken = (views / median(each[1:]) for each in (made_s, taken_s))
        rows.append(
            {
                "side_px": side_px,
                "made_per_s": round(made),
                "trained_per_s": round(taken),
                "ratio": round(made / taken, 1),
            }
        )
    return rows
