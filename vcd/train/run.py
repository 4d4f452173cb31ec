"""From pictures to a model: the steps in order."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from vcd.config import MediaConfig, fill, read_toml
from vcd.train.config import ExportConfig, TrainConfig
from vcd.train.curves import draw_curves
from vcd.train.export import export
from vcd.train.loop import train
from vcd.train.pictures import open_pictures
from vcd.types import Progress, quiet


def load_recipe(
    path: Path | None, steps: int | None = None, seed: int | None = None
) -> tuple[TrainConfig, ExportConfig]:
    """The default recipe under a TOML file's tables ``[train]`` and ``[export]``, `steps` and `seed`.

    Raises `ConfigError` for an unknown key or a bad value.
    """
    tables: Mapping[str, Any] = read_toml(path) if path else {}
    both = fill(Recipe(), tables, str(path))
    training = both.train
    if steps is not None:
        training = dataclasses.replace(training, steps=steps)
    if seed is not None:
        training = dataclasses.replace(training, seed=seed)
    return training, both.export


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a recipe file may hold."""

    train: TrainConfig = dataclasses.field(default_factory=TrainConfig)
    export: ExportConfig = dataclasses.field(default_factory=ExportConfig)


def make_model(
    paths: Sequence[Path],
    work: Path,
    recipe: tuple[TrainConfig, ExportConfig],
    media: MediaConfig | None = None,
    progress: Progress = quiet,
) -> Path:
    """Train on the pictures under `paths` and export; everything lands in `work`, and a second call goes on from there.

    Gives the model card's path. Raises `SetupError` without pictures, and for a checkpoint of another recipe.
    """
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    training, exporting = recipe
    pictures = open_pictures(paths, work, training.seed, training.generated, media, progress)
    checkpoint = train(pictures, training, work, workers=max(1, cores // 3), progress=progress)
    draw_curves(work / "log.jsonl", work / "curves.png")
    return export(checkpoint, pictures, work / "model", exporting, progress)
