"""What can be measured, by name; a model card (.toml) is named by its path."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.images import hashes
from benchmarks.images.corpus import Corpus
from benchmarks.images.evaluate import Describes, Measured
from benchmarks.images.views import VIEWS
from vcd.describe import MODELS, load_card, make_describer
from vcd.errors import UnknownName


@dataclass(frozen=True, slots=True)
class Method:
    """A describer, and what its results depend on."""

    name: str
    identity: str
    """Changes whenever the vectors may."""
    make: Callable[[Corpus, int], Describes]
    """From the corpus (its background trains what needs training) and a number of threads."""
    bytes_a_picture: Callable[[Measured], float]
    """As it would be stored."""
    views: tuple[str, ...] = ()
    """Query views that it is also measured with, where nothing else is asked for."""


def halves(measured: Measured) -> float:
    """Two bytes a dimension: libraries hold fp16."""
    return 2.0 * measured.dimension


def bits(measured: Measured) -> float:
    return measured.dimension / 8


def sparse(measured: Measured) -> float:
    """The number and the count of each word that occurs, two bytes each."""
    return 4.0 * measured.nonzeros


STORED: Mapping[str, Callable[[Measured], float]] = {"phash": bits, "sift-words": sparse, "colour-histogram": halves}
"""Models that are peers: what of their vectors would have to be kept, where that is less than a library keeps."""


def model(name: str) -> Method:
    """A descriptor of vcd: a built-in one, or one with a card. Raises as `load_card` does."""
    card = load_card(name)
    code = "" if card.weights and not card.has_words else _digest_of_package("vcd/describe")
    return Method(
        card.name,
        f"{card.identity}{code}",
        lambda _, threads: make_describer(name, threads=threads),
        STORED.get(card.name, halves),
        tuple(VIEWS) if card.name not in STORED else ("mirrored",) if card.name == "phash" else (),
    )


def _digest_of_package(folder: str) -> str:
    """A model without weights is its code."""
    files = sorted(Path(__file__).parents[2].joinpath(folder).glob("*.py"))
    return "/" + hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _hash(name: str, package: str, compute: hashes.Hash, views: tuple[str, ...] = ()) -> Callable[[], Method]:
    def make() -> Method:
        return Method(
            name, f"{name}/{version(package)}/1", lambda _corpus, _threads: hashes.Hashes(compute), bits, views
        )

    return make


METHODS: Mapping[str, Callable[[], Method]] = {
    **{name: (lambda name=name: model(name)) for name in MODELS if not load_card(name).needs_torch},  # type: ignore[misc]
    "dhash": _hash("dhash", "imagehash", hashes.dhash),
    "ahash": _hash("ahash", "imagehash", hashes.ahash),
    "whash": _hash("whash", "imagehash", hashes.whash),
    "pdq": _hash("pdq", "pdqhash", hashes.pdq, ("mirrored",)),
}


def make_method(name: str) -> Method:
    """By its name, or by the path of a model card; raises `UnknownName`."""
    if name in METHODS:
        return METHODS[name]()
    if name.endswith(".toml"):
        return model(name)
    raise UnknownName("method", name, [*METHODS, "the path of a model card (.toml)"])
