"""A checkpoint -> a model that vcd uses: an ONNX file with pooling and whitening inside, a card, a background set."""

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from vcd.config import fill
from vcd.describe.card import ModelCard
from vcd.describe.describer import unit_rows
from vcd.describe.export import card_toml
from vcd.search import Background
from vcd.train.config import ExportConfig, TrainConfig
from vcd.train.fit import Vectors, Whitening, describe_rows, fit_whitening, sample_rows
from vcd.train.loop import read_checkpoint
from vcd.train.network import Network
from vcd.train.pictures import Pictures
from vcd.types import Progress, quiet

FIT_PICTURES = 12_000
"""Pictures that the whitening is fitted to."""
BACKGROUND = 8192
"""Vectors of the background set."""


class Exported(nn.Module):
    """The network with the whitening behind it."""

    def __init__(self, network: Network, whitening: Whitening) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.from_numpy(whitening.mean))
        self.register_buffer("matrix", torch.from_numpy(whitening.matrix))

    def forward(self, pictures: Tensor) -> Tensor:
        """float32 (N, 3, H, W), normalised -> float32 (N, K), unit rows."""
        return functional.normalize((self.network(pictures) - self.mean) @ self.matrix, dim=1)


def load_network(checkpoint: Path) -> tuple[Network, TrainConfig, int]:
    """The running mean of a training's weights, ready for use, its recipe, and the steps it has seen."""
    state = read_checkpoint(checkpoint, "cpu")
    config = fill(
        TrainConfig(),
        {name: list(v) if isinstance(v, tuple) else v for name, v in state["config"].items()},
        str(checkpoint),
    )
    network = Network(config)
    prefix = "module."
    network.load_state_dict({k.removeprefix(prefix): v for k, v in state["mean"].items() if k.startswith(prefix)})
    return network.eval(), config, int(state["step"])


def export(
    checkpoint: Path, pictures: Pictures, folder: Path, config: ExportConfig, progress: Progress = quiet
) -> Path:
    """Write ``NAME.onnx``, ``NAME.toml`` (the card) ``NAME.background.npy`` into `folder`; gives the card's path."""
    network, recipe, steps = load_network(checkpoint)
    rows = sample_rows(pictures, FIT_PICTURES, recipe.seed)
    vectors = describe_rows(network, pictures, rows.tolist(), config.input_px, progress)
    whitening = fit_whitening(vectors, config.whitening, recipe.dimension)
    folder.mkdir(parents=True, exist_ok=True)
    weights, noise = folder / f"{config.name}.onnx", folder / f"{config.name}.background.npy"
    write_onnx(Exported(network, whitening).eval(), config.input_px, weights)
    chosen = np.random.default_rng(recipe.seed).permutation(len(vectors))[:BACKGROUND]
    background = whitening.apply(vectors[np.sort(chosen)])
    kept = background.astype(np.float16)
    np.save(noise, kept)
    card = folder / f"{config.name}.toml"
    text = folder / f"{config.name}.md"
    if not text.exists():
        text.write_text(
            f"# {config.name}\n\nMade by `vcd train`; `log.jsonl` beside the checkpoint tells how.\n", encoding="utf-8"
        )
    facts = ModelCard(
        name=config.name,
        dimension=recipe.dimension,
        unrelated_similarity=round(unrelated_similarity(background), 3),
        description=f"Shallow residual network, {recipe.pooling}; {steps} steps of {recipe.pairs} pairs.",
        licence="Apache-2.0",
        source="trained by vcd train",
        text=text.name,
        weights=weights.name,
        sha256=_digest(weights),
        precision="bf16",
        background=noise.name,
        background_sha256=_digest(noise),
        background_similarity=Background.of(unit_rows(kept.astype(np.float32))).usual,
        input_px=config.input_px,
    )
    card.write_text(card_toml(facts), encoding="utf-8")
    return card


def unrelated_similarity(vectors: Vectors) -> float:
    """Cosine that 99 of 100 pairs of different pictures stay below."""
    half = len(vectors) // 2
    return float(np.quantile(vectors[:half] @ vectors[half : 2 * half].T, 0.99))


def write_onnx(model: nn.Module, side_px: int, path: Path) -> None:
    """Pictures come in batches of any size; weights are stored as float16 and computed with as float32."""
    unfinished = path.with_suffix(".tmp")
    with warnings.catch_warnings():
        # The exporter that torch now prefers needs another package, and gives the same graph. The size of the maps is
        # meant to be constant: regions depend on it.
        for expected in (DeprecationWarning, torch.jit.TracerWarning):
            warnings.simplefilter("ignore", expected)
        torch.onnx.export(
            model, (torch.zeros(2, 3, side_px, side_px),), str(unfinished), input_names=["pictures"],
            output_names=["vectors"], dynamic_axes={"pictures": {0: "n"}, "vectors": {0: "n"}}, dynamo=False,
        )  # fmt: skip
    onnx.save(halve(onnx.load(unfinished)), unfinished)
    unfinished.rename(path)


def halve(model: Any) -> Any:
    """The same graph with its large float32 weights kept as float16, each behind a cast that engines fold away."""
    graph = model.graph
    casts = []
    for weight in list(graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < 1024:
            continue
        graph.initializer.remove(weight)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{weight.name}_half"))
        casts.append(helper.make_node("Cast", [f"{weight.name}_half"], [weight.name], to=TensorProto.FLOAT))
    for number, cast in enumerate(casts):
        graph.node.insert(number, cast)
    onnx.checker.check_model(model)
    return model


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
