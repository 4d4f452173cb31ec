"""The model card: what a descriptor model is, what it needs, and where it comes from."""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from vcd.config import read_toml
from vcd.errors import ConfigError, suggest

Precision = Literal["fp32", "bf16", "int8"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model's facts; the TOML file of an own model has these keys. Files are named relative to the card."""

    name: str
    dimension: int
    """Length of a descriptor."""
    unrelated_similarity: float
    """Cosine that 99 of 100 pairs of unrelated pictures stay below; what is above counts as evidence."""
    description: str = ""
    licence: str = ""
    source: str = ""
    text: str = ""
    """Markdown file for people: data, recipe, seed, numbers, limits."""
    weights: str = ""
    """ONNX or TorchScript file, or the state dict of an `architecture`; empty for a model that needs none."""
    sha256: str = ""
    """Of the weights; a file with another one is refused."""
    url: str = ""
    """Where the weights can be fetched."""
    precision: Precision = "fp32"
    """The fastest one that costs next to no accuracy; taken where engine and processor have it."""
    int8_weights: str = ""
    """The quantised ONNX file, for precision int8."""
    int8_sha256: str = ""
    background: str = ""
    """Vectors of pictures that are in no library, for score normalisation: an array of numbers (B, dimension), .npy."""
    background_sha256: str = ""
    background_similarity: float = 0.0
    """How alike one of them looks to the nearest others; 0: worked out anew for each query, from all pairs of them."""
    local_map: str = ""
    """Name of the value inside the ONNX network, not negative and of a small stride, in which local features are
    found; empty: none can be."""
    architecture: str = ""
    """A network of torchvision, cut behind `layer` and pooled as `pooling` says; without `weights` it is used with
    torchvision's own."""
    layer: str = ""
    pooling: str = ""
    input_px: int = 224
    """Pictures are resized to a square of this side."""
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    """Subtracted from RGB in [0, 1]; not used by a network that takes bytes."""
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    """What remains is divided by this."""
    folder: str = ""
    """Where the card lies; set when it is read."""

    @property
    def identity(self) -> str:
        """Name and a digest of everything that shapes its vectors: libraries of one identity fit together."""
        shaping: tuple[Any, ...] = (self.name, self.dimension, self.sha256, self.input_px, self.mean, self.std)
        if self.architecture:
            shaping += (self.architecture, self.layer, self.pooling)
        return f"{self.name}@{hashlib.sha256(repr(shaping).encode()).hexdigest()[:12]}"

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Name and SHA-256 of each file that the model consists of."""
        pairs = (
            (self.weights, self.sha256),
            (self.int8_weights, self.int8_sha256),
            (self.background, self.background_sha256),
        )
        return tuple(pair for pair in pairs if pair[0])

    @property
    def needs_torch(self) -> bool:
        """Whether it is a network of torchvision or a TorchScript file."""
        return bool(self.architecture) or Path(self.weights).suffix not in {"", ".onnx", ".npz"}

    @property
    def has_words(self) -> bool:
        """Whether its weights are a vocabulary of visual words rather than a network."""
        return Path(self.weights).suffix == ".npz"

    def path(self, name: str) -> Path:
        """Where a file of the card lies."""
        return Path(self.folder, name)


FILE_KEYS = {"weights": "sha256", "int8_weights": "int8_sha256", "background": "background_sha256"}


def read_card(path: Path) -> ModelCard:
    """Read a card from a TOML file; raises `ConfigError` naming the bad key."""
    values = read_toml(path)
    hints = get_type_hints(ModelCard)
    required = {f.name for f in dataclasses.fields(ModelCard) if f.default is dataclasses.MISSING}
    for key in values:
        if key not in hints or key == "folder":
            raise ConfigError(f"{path}: unknown key {key!r}; {suggest(key, hints)}")
    if "architecture" not in values:
        required |= {"weights", "sha256"}
    required |= {digest for name, digest in FILE_KEYS.items() if name in values}
    if values.get("precision") == "int8":
        required.add("int8_weights")
    for key in sorted(required):
        if key not in values:
            raise ConfigError(f"{path}: the model card lacks {key!r}")
    typed = {key: _typed(path, key, hints[key], value) for key, value in values.items()}
    return ModelCard(**typed, folder=str(path.resolve().parent))


def _typed(path: Path, key: str, hint: Any, value: Any) -> Any:
    if key in {"mean", "std"}:
        if not (isinstance(value, list) and len(value) == 3 and all(isinstance(v, int | float) for v in value)):
            raise ConfigError(f"{path}: {key} is a list of three numbers, not {value!r}")
        return tuple(float(v) for v in value)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{path}: {key} must be one of {', '.join(get_args(hint))}, not {value!r}")
        return value
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:
        raise ConfigError(f"{path}: {key} must be of type {hint.__name__}, not {value!r}")
    if hint is int and value < 1:
        raise ConfigError(f"{path}: {key} must be at least 1, not {value}")
    return value
