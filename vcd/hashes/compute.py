"""`Frame`s -> `Hashes`. The packages are the extra `hashes`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vcd.describe.quality import picture_quality
from vcd.errors import MissingExtra
from vcd.hashes.records import KINDS, Hashes
from vcd.types import Frame, Picture

Rows = NDArray[np.uint8]
"""uint8 (n, bits / 8)."""


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtra(name, "hashes") from error


def _of_imagehash(function: str) -> Callable[[Picture], tuple[Rows, int]]:
    def compute(picture: Picture) -> tuple[Rows, int]:
        found = getattr(_package("imagehash"), function)(Image.fromarray(picture))
        parts = getattr(found, "segment_hashes", [found])
        rows = np.stack([np.packbits(np.asarray(part.hash, dtype=bool).ravel()) for part in parts])
        return rows, round(100 * picture_quality(picture))

    return compute


def _pdq(picture: Picture) -> tuple[Rows, int]:
    """Meta's own code (Davis and Rosen, 2019), which also says how much the picture can say."""
    bits, quality = _package("pdqhash").compute(np.ascontiguousarray(picture))
    return np.packbits(np.asarray(bits, dtype=bool))[None], int(quality)


HASHERS: Mapping[str, Callable[[Picture], tuple[Rows, int]]] = {
    "pdq": _pdq,
    "phash": _of_imagehash("phash"),
    "dhash": _of_imagehash("dhash"),
    "whash": _of_imagehash("whash"),
    "crop-resistant": _of_imagehash("crop_resistant_hash"),
}
"""By the names of `KINDS`: the hashes of a picture, one but for crop-resistant, and its quality, 0 to 100."""


def require_packages(kinds: Iterable[str]) -> None:
    """Raises `MissingExtra` before hours of work end in that."""
    for kind in kinds:
        _package("pdqhash" if kind == "pdq" else "imagehash")


class HashTap:
    """Hashes frames on their way to somebody else."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self._found: dict[str, list[tuple[float, int, Rows]]] = {kind: [] for kind in kinds}

    def watch(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            for kind, found in self._found.items():
                rows, quality = HASHERS[kind](frame.picture)
                found.append((frame.time_s, quality, rows))
            yield frame

    def hashes(self) -> list[Hashes]:
        """One of each kind, of all frames that have passed."""
        return [_gather(kind, found) for kind, found in self._found.items()]


def _gather(kind: str, found: list[tuple[float, int, Rows]]) -> Hashes:
    counts = [len(rows) for _, _, rows in found]
    none = np.zeros((0, KINDS[kind].bits // 8), dtype=np.uint8)
    return Hashes(
        kind,
        np.repeat(np.array([time_s for time_s, _, _ in found], dtype=np.float64), counts),
        np.repeat(np.array([quality for _, quality, _ in found], dtype=np.uint8), counts),
        np.concatenate([none, *(rows for _, _, rows in found)]),
    )
