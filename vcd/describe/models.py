"""The models there are, by name; an own one is named by the path of its card."""

from collections.abc import Callable, Mapping
from pathlib import Path

from vcd.describe.card import ModelCard, read_card
from vcd.describe.describer import Describer
from vcd.describe.engine import OnnxRuntime
from vcd.describe.network import NetworkDescriber
from vcd.describe.regional_dct import CARD as REGIONAL_DCT
from vcd.describe.regional_dct import RegionalDct
from vcd.errors import UnknownName

MODELS: Mapping[str, tuple[ModelCard, Callable[[], Describer]]] = {
    REGIONAL_DCT.name: (REGIONAL_DCT, RegionalDct),
}


def load_card(model: str) -> ModelCard:
    """The card of a built-in model by its name, or of an own one by its path."""
    if model in MODELS:
        return MODELS[model][0]
    if not model.endswith(".toml"):
        raise UnknownName("model", model, [*MODELS, "the path of a model card (.toml)"])
    return read_card(Path(model))


def make_describer(model: str, threads: int = 1) -> Describer:
    """Raises `UnknownName`, `ConfigError` for a bad card, `ModelError` for bad weights."""
    if model in MODELS:
        return MODELS[model][1]()
    card = load_card(model)
    return NetworkDescriber(card, OnnxRuntime(card.path(card.weights), card.sha256, threads))
