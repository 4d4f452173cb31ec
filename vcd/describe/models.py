"""The models there are, by name; an own one is named by the path of its card."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from vcd.describe.card import ModelCard, Precision, read_card
from vcd.describe.describer import Describer
from vcd.describe.engines import make_engine
from vcd.describe.histogram import CARD as COLOUR_HISTOGRAM
from vcd.describe.histogram import ColourHistogram
from vcd.describe.network import NetworkDescriber
from vcd.describe.phash import CARD as PHASH
from vcd.describe.phash import PHash
from vcd.describe.regional_dct import CARD as REGIONAL_DCT
from vcd.describe.regional_dct import RegionalDct
from vcd.describe.torch_models import RESNET18, VGG16
from vcd.errors import UnknownName

WEIGHTS = Path(__file__).parent / "shipped"
"""Networks that come with the package: of each NAME.toml (the card) and the files that it names."""


def shipped(name: str, folder: Path = WEIGHTS) -> Callable[[], ModelCard]:
    """Reads the card of a network of the package when it is asked for."""
    return partial(read_card, folder / f"{name}.toml")


MODELS: Mapping[str, Callable[[], ModelCard]] = {
    "vcd-rmac": shipped("vcd-rmac"),
    REGIONAL_DCT.name: lambda: REGIONAL_DCT,
    RESNET18.name: lambda: RESNET18,
    VGG16.name: lambda: VGG16,
    "sift-words": shipped("sift-words"),
    COLOUR_HISTOGRAM.name: lambda: COLOUR_HISTOGRAM,
    PHASH.name: lambda: PHASH,
}
"""What gives the card of each built-in model; a network of the package is ``"NAME": shipped("NAME")``."""

WITHOUT_NETWORK: Mapping[str, Callable[[], Describer]] = {
    REGIONAL_DCT.name: RegionalDct,
    COLOUR_HISTOGRAM.name: ColourHistogram,
    PHASH.name: PHash,
}
"""Built-in models that are code alone."""


def load_card(model: str) -> ModelCard:
    """The card of a built-in model by its name, or of an own one by its path."""
    if model in MODELS:
        return MODELS[model]()
    if not model.endswith(".toml"):
        raise UnknownName("model", model, [*MODELS, "the path of a model card (.toml)"])
    return read_card(Path(model))


def make_describer(
    model: str, engine: str = "auto", precision: Literal["auto"] | Precision = "auto", threads: int = 1
) -> Describer:
    """Raises `UnknownName`, `ConfigError` for a bad card, `ModelError` for bad weights, and as `make_engine` does."""
    if model in WITHOUT_NETWORK:
        return WITHOUT_NETWORK[model]()
    card = load_card(model)
    if card.has_words:
        from vcd.describe.words import VisualWords  # faiss is slow to import

        return VisualWords(card)
    return NetworkDescriber(card, make_engine(card, engine, precision, threads))


def prove_describer(describer: Describer) -> None:
    """Raise `ModelError` now for what would else stop at the first file: a network that is not what its card says."""
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    describer.describe(list(noise))
    assert describer.background.shape[1] == describer.card.dimension
