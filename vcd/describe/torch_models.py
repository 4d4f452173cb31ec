"""Models of torch: networks of torchvision with a pooling behind them, and TorchScript files.

Needs the extra `torch`. Only what loads a model imports it.
"""

import contextlib
import io
import pickle
import warnings
from typing import Any
from urllib.error import URLError

from vcd.describe.card import ModelCard
from vcd.describe.pooling import POOLINGS, pool
from vcd.describe.weights import read_checked
from vcd.errors import ConfigError, MissingExtra, ModelError, SetupError, UnknownName

VGG16 = ModelCard(
    name="vgg16",
    dimension=512,
    unrelated_similarity=0.7,
    description="VGG-16 of torchvision (ImageNet), last map, Gaussian R-MAC; unrelated similarity not measured.",
    licence="BSD-3-Clause (torchvision); trained on ImageNet",
    source="torchvision",
    architecture="vgg16",
    layer="features.29",
    pooling="gaussian-rmac",
)
RESNET18 = ModelCard(
    name="resnet18",
    dimension=256,
    unrelated_similarity=0.7,
    description="ResNet-18 of torchvision (ImageNet), stride 16, R-MAC; unrelated similarity not measured.",
    licence="BSD-3-Clause (torchvision); trained on ImageNet",
    source="torchvision",
    architecture="resnet18",
    layer="layer3",
    pooling="rmac",
)


def load_module(card: ModelCard) -> Any:
    """The card's network as a torch module: float32 (N, 3, H, W) -> (N, D).

    Raises `MissingExtra`, `ConfigError` for a layer or pooling that does not exist, `ModelError` for bad weights.
    """
    _require_torch()
    return _load_backbone(card) if card.architecture else _load_script(card)


def _require_torch() -> Any:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingExtra("torch", "torch") from error
    return torch


def _require_torchvision() -> Any:
    try:
        import torchvision.models.feature_extraction
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name).split(".")[0], "torch") from error
    except (RuntimeError, OSError, ImportError) as error:
        raise SetupError(f"torchvision does not fit the installed torch: {error}") from error
    return torchvision


def _load_script(card: ModelCard) -> Any:
    torch = _require_torch()
    path = card.path(card.weights)
    content = read_checked(path, card.sha256)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*torch.jit")  # deprecated, and what models are published as
            return torch.jit.load(io.BytesIO(content), map_location="cpu")
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"{path}: is no TorchScript file that torch can run: {_first_line(error)}") from error


def _load_backbone(card: ModelCard) -> Any:
    torchvision = _require_torchvision()
    if card.pooling not in POOLINGS:
        raise UnknownName("pooling", card.pooling, POOLINGS)
    if card.architecture not in torchvision.models.list_models(module=torchvision.models):
        raise UnknownName("architecture", card.architecture, torchvision.models.list_models(module=torchvision.models))
    whole = _with_own_weights(card, torchvision) if card.weights else _with_published_weights(card, torchvision)
    try:
        body = torchvision.models.feature_extraction.create_feature_extractor(whole.eval(), {card.layer: "maps"})
    except ValueError as error:
        raise ConfigError(f"model {card.name}: {card.architecture} has no layer {card.layer!r}") from error
    return _pooled(body, card.pooling)


def _with_published_weights(card: ModelCard, torchvision: Any) -> Any:
    """Fetched by torchvision when they are not there yet, with the hash that is part of their name."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # where torch would say that it fetches
            return torchvision.models.get_model(card.architecture, weights="DEFAULT", progress=False)
    except (URLError, TimeoutError, ConnectionError) as error:
        raise ModelError(
            f"model {card.name}: torchvision could not fetch its weights, are you offline? ({error}) "
            "With the file at hand, write a model card that names it in weights"
        ) from error
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError(f"model {card.name}: torchvision's weights are damaged: {_first_line(error)}") from error


def _with_own_weights(card: ModelCard, torchvision: Any) -> Any:
    torch = _require_torch()
    path = card.path(card.weights)
    content = read_checked(path, card.sha256)
    network = torchvision.models.get_model(card.architecture, weights=None)
    try:
        network.load_state_dict(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))
    except (RuntimeError, EOFError, ValueError, TypeError, AttributeError, pickle.UnpicklingError) as error:
        raise ModelError(f"{path}: is no state dict of {card.architecture}: {_first_line(error)}") from error
    return network


def _pooled(body: Any, pooling: str) -> Any:
    torch = _require_torch()

    class Pooled(torch.nn.Module):  # type: ignore[misc,name-defined]
        """A cut network with a pooling behind it."""

        def __init__(self) -> None:
            super().__init__()
            self.body = body

        def forward(self, pictures: Any) -> Any:
            return pool(self.body(pictures)["maps"], pooling, torch)

    return Pooled().eval()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
