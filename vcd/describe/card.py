"""The model card: what a descriptor model is, what it needs, and where it comes from."""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from vcd.config import read_toml
from vcd.errors import ConfigError, suggest


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model's facts; the TOML file of an own model has these keys."""

    name: str
    dimension: int
    """Length of a descriptor."""
    unrelated_similarity: float
    """Cosine that 99 of 100 pairs of unrelated pictures stay below; what is above counts as evidence."""
    description: str = ""
    licence: str = ""
    source: str = ""
    weights: str = ""
    """ONNX file, relative to the card; empty for a model that needs none."""
    sha256: str = ""
    """Of the weights; a file with another one is refused."""
    background: str = ""
    """NumPy file of descriptors of pictures that have nothing to do with any query or reference, relative to the
    card; with it similarities are normalised."""
    input_px: int = 224
    """Pictures are resized to a square of this side."""
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    """Subtracted from RGB in [0, 1]."""
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    """What remains is divided by this."""
    folder: str = ""
    """Where the card lies; set when it is read."""

    @property
    def identity(self) -> str:
        """Name and a digest of everything that shapes its vectors: libraries of one identity fit together."""
        shaping = (self.name, self.dimension, self.sha256, self.input_px, self.mean, self.std)
        return f"{self.name}@{hashlib.sha256(repr(shaping).encode()).hexdigest()[:12]}"

    @property
    def weights_path(self) -> Path:
        return Path(self.folder, self.weights)


def read_card(path: Path) -> ModelCard:
    """Read a card from a TOML file; raises `ConfigError` naming the bad key."""
    values = read_toml(path)
    hints = get_type_hints(ModelCard)
    required = {f.name for f in dataclasses.fields(ModelCard) if f.default is dataclasses.MISSING}
    for key in values:
        if key not in hints or key == "folder":
            raise ConfigError(f"{path}: unknown key {key!r}; {suggest(key, hints)}")
    for key in sorted(required | {"weights", "sha256"}):
        if key not in values:
            raise ConfigError(f"{path}: the model card lacks {key!r}")
    typed = {key: _typed(path, key, hints[key], value) for key, value in values.items()}
    return ModelCard(**typed, folder=str(path.resolve().parent))


def _typed(path: Path, key: str, hint: Any, value: Any) -> Any:
    if key in {"mean", "std"}:
        if not (isinstance(value, list) and len(value) == 3 and all(isinstance(v, int | float) for v in value)):
            raise ConfigError(f"{path}: {key} is a list of three numbers, not {value!r}")
        return tuple(float(v) for v in value)
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:
        raise ConfigError(f"{path}: {key} must be of type {hint.__name__}, not {value!r}")
    if hint is int and value < 1:
        raise ConfigError(f"{path}: {key} must be at least 1, not {value}")
    return value
