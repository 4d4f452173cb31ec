"""What `dedupe` finds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from vcd.library import MediaRow
from vcd.types import Segment, Span

Relation = Literal["identical", "duplicate", "part", "overlap"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files that share something."""

    holder: MediaRow
    """The one with more to it: see `by_size`."""
    held: MediaRow
    segments: tuple[Segment, ...]
    """With the held file as query and the holder as reference; none where the files are the same bytes."""
    share_of_held: float
    """What part of the held file's time the holder has too, in [0, 1]; a still picture is all there."""
    share_of_holder: float
    """What part of the holder's time the held file has too; 0 where that is a still picture and the holder is none."""
    same_bytes: bool = False

    @property
    def score(self) -> float:
        """Probability that they share something."""
        return 1.0 if self.same_bytes else max(segment.score for segment in self.segments)

    @property
    def shared_s(self) -> float:
        """Seconds of the held file that the holder has too."""
        return self.share_of_held * self.held.duration_s

    def share_of(self, media_id: int) -> float:
        return self.share_of_held if media_id == self.held.id else self.share_of_holder

    def sort_key(self) -> tuple[str, float, str]:
        """By holder, falling share of the held file, held file."""
        return self.holder.path, -self.share_of_held, self.held.path

    def relation(self, min_coverage: float) -> Relation:
        """identical: the same bytes. duplicate: each holds so much of the other. part: one does. overlap: neither."""
        if self.same_bytes:
            return "identical"
        if self.share_of_held < min_coverage:
            return "overlap" if self.share_of_holder < min_coverage else "part"
        return "duplicate" if self.share_of_holder >= min_coverage else "part"


@dataclass(frozen=True, slots=True)
class Group:
    """Files that one of them holds."""

    best: MediaRow
    """The one to keep, as far as a program can tell: it holds all others, and is the largest that does."""
    pairs: tuple[Pair, ...]
    """Of the best and each other file, most held first."""

    def members(self) -> tuple[MediaRow, ...]:
        """The other files, in the order of `pairs`."""
        return tuple(pair.held if pair.holder.id == self.best.id else pair.holder for pair in self.pairs)


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one file."""

    row: MediaRow
    span: Span


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch that several files share which are no copies of each other."""

    kind: Literal["intro", "outro", "inside"]
    """Where most of them have it."""
    places: tuple[Place, ...]
    """By path."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Files that look alike, most typical first."""

    files: tuple[MediaRow, ...]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The answer of `dedupe`."""

    groups: tuple[Group, ...]
    """Largest first, then by the best file's path; no file is in two."""
    pairs: tuple[Pair, ...]
    """All that share something, but for shared stretches; by holder, falling share of the held file, held file."""
    stretches: tuple[Stretch, ...]
    """Those of most files first."""
    files: int
    """How many the library holds."""
    left_out: int
    """Pairs left out because a person said they are no duplicates."""
    min_coverage: float
    clusters: tuple[Cluster, ...] = ()
    made_with: dict[str, Any] = field(default_factory=dict)

    def group_of(self) -> dict[int, int]:
        """Number of the group, from 1, by the media id of each of its files."""
        return {row.id: number for number, group in enumerate(self.groups, 1) for row in (group.best, *group.members())}


def by_size(rows: Sequence[MediaRow]) -> list[MediaRow]:
    """Most to it first: the longer, then larger, then more densely sampled one; of equals by path."""
    return sorted(rows, key=lambda row: (-row.duration_s, -row.width_px * row.height_px, -row.frames, row.path))
