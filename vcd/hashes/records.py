"""Hashes of one file or one entry of a list, and what each kind of them is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vcd.types import MediaInfo

MIN_QUALITY = 50
"""Of 100: hashes of pictures with less in them are not matched, as vPDQ has it."""
STEP_S = 1.0
"""How long the last hash of a film stands for its picture; lists do not say how long a film is."""


@dataclass(frozen=True, slots=True)
class HashKind:
    """A way to hash pictures."""

    bits: int
    limit: int
    """Two hashes of one picture differ by no more bits. PDQ: what the field uses; the others: what fewer than 1 in
    10,000 pairs of 600 pictures of different things stayed within (whash: 1 in 2,000)."""
    unrelated_similarity: float
    """1 - 2 bits / all bits that 99 of 100 pairs of those pictures stay below."""


KINDS: Mapping[str, HashKind] = {
    "pdq": HashKind(256, 31, 0.16),
    "phash": HashKind(64, 7, 0.31),
    "dhash": HashKind(64, 4, 0.41),
    "whash": HashKind(64, 3, 0.63),
    "crop-resistant": HashKind(64, 4, 0.41),
}


@dataclass(frozen=True, slots=True, eq=False)
class Hashes:
    """n hashes of one kind; of one frame there may be several."""

    kind: str
    times_s: NDArray[np.float64]
    """float64 (n,), never falling; all NaN where nobody said when the pictures are shown."""
    quality: NDArray[np.uint8]
    """uint8 (n,), from 0 (says nothing) to 100."""
    bits: NDArray[np.uint8]
    """uint8 (n, bits / 8), the first bit highest: in hexadecimal as everybody writes these hashes."""

    def __post_init__(self) -> None:
        if self.bits.shape != (len(self.times_s), KINDS[self.kind].bits // 8) or len(self.quality) != len(self):
            raise ValueError(f"{len(self)} times, {len(self.quality)} qualities and hashes {self.bits.shape}")

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def timed(self) -> bool:
        return not np.isnan(self.times_s).any()

    def take(self, kept: NDArray[np.bool_] | slice) -> "Hashes":
        return Hashes(self.kind, self.times_s[kept], self.quality[kept], self.bits[kept])


@dataclass(frozen=True, slots=True, eq=False)
class HashList:
    """Things whose hashes are known: references of a library, or the entries of a list of elsewhere."""

    name: str
    """Empty for references."""
    labels: tuple[str, ...]
    """What the entries are called; one name may stand for several."""
    counts: NDArray[np.int64]
    """int64 (entries,): how many hashes each has; those of the first come first."""
    hashes: Hashes
    infos: tuple[MediaInfo, ...] | None = None
    """What the entries are, where that is known."""

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.counts) or int(self.counts.sum()) != len(self.hashes):
            raise ValueError(f"{self.name}: {len(self.labels)} labels, {len(self.counts)} counts, {len(self.hashes)}")

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def of(cls, name: str, kind: str, entries: Sequence[tuple[str, Hashes]]) -> "HashList":
        """An entry whose times are not known becomes one entry for each of its hashes: a picture each."""
        labels: list[str] = []
        counts: list[int] = []
        for label, hashes in entries:
            parts = [len(hashes)] if hashes.timed else [1] * len(hashes)
            labels += [label] * len(parts)
            counts += parts
        every = [hashes for _, hashes in entries]
        none = np.zeros((0, KINDS[kind].bits // 8), dtype=np.uint8)
        together = Hashes(
            kind,
            np.concatenate([np.zeros(0), *(hashes.times_s for hashes in every)]),
            np.concatenate([none[:, 0], *(hashes.quality for hashes in every)]),
            np.concatenate([none, *(hashes.bits for hashes in every)]),
        )
        return cls(name, tuple(labels), np.array(counts, dtype=np.int64), together)

    def entry(self, number: int, ends: NDArray[np.int64]) -> tuple[Hashes, MediaInfo]:
        """The hashes of one entry and what it is; `ends` are the running sums of `counts`.

        With times it is a film, which lasts a second more than they say where nobody knows better, else a picture.
        """
        some = self.hashes.take(slice(int(ends[number] - self.counts[number]), int(ends[number])))
        if self.infos is not None:
            return some, self.infos[number]
        length_s = float(some.times_s[-1]) + STEP_S if some.timed and len(some) else 0.0
        return some, MediaInfo("video" if length_s else "image", length_s, 0, 0, some.kind)
