"""Pairs -> groups around a best file, without chains.

A file joins a group only when the group's best file itself holds enough of it; that A is like B and B like C makes
no group of A, B and C. Pairs that the search left open, as it does where very many files are alike, are looked at when
they would complete a group.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from vcd.dedupe.records import Group, Pair
from vcd.library import MediaRow

LookAt = Callable[[MediaRow, MediaRow], Pair | None]


@dataclass(frozen=True, slots=True)
class _Graph:
    """Which file holds enough of which."""

    min_coverage: float
    pairs: dict[frozenset[int], Pair | None] = field(default_factory=dict)
    """All that were looked at, by both ids."""
    holds: dict[int, set[int]] = field(default_factory=dict)
    near: dict[int, set[int]] = field(default_factory=dict)
    """Those that a file holds or is held by."""
    rows: dict[int, MediaRow] = field(default_factory=dict)

    def add(self, one: int, other: int, pair: Pair | None) -> None:
        self.pairs[frozenset((one, other))] = pair
        if pair is None:
            return
        for row, by in ((pair.held, pair.holder), (pair.holder, pair.held)):
            self.rows[row.id] = row
            if pair.share_of(row.id) >= self.min_coverage:
                self.holds.setdefault(by.id, set()).add(row.id)
                self.near.setdefault(by.id, set()).add(row.id)
                self.near.setdefault(row.id, set()).add(by.id)

    def pairs_of(self, best: int, members: Iterable[int]) -> list[Pair]:
        found = (self.pairs[frozenset((best, member))] for member in members)
        return [pair for pair in found if pair]


def make_groups(pairs: Iterable[Pair], min_coverage: float, look_at: LookAt) -> tuple[list[Group], list[Pair]]:
    """Groups of at least two files, largest first, and the pairs that were found on the way.

    The file that holds most others is the best of the first group, and so on with those that are left; of equals the
    one with most pixels, then most frames, then most bytes, then by path.
    """
    graph = _Graph(min_coverage)
    for pair in pairs:
        graph.add(pair.holder.id, pair.held.id, pair)
    known = set(graph.pairs)
    free = set(graph.near)
    groups = []
    queue = [_rank(graph, media_id, free) for media_id in graph.holds]
    heapq.heapify(queue)
    while queue:
        *_, media_id = rank = heapq.heappop(queue)
        if media_id not in free or not graph.holds[media_id] & free:
            continue
        if (now := _rank(graph, media_id, free)) != rank:
            heapq.heappush(queue, now)
            continue
        members = _complete(graph, media_id, free, look_at)
        free -= {media_id, *members}
        found = graph.pairs_of(media_id, members)
        found.sort(key=lambda pair: (-_held_of(pair, media_id), _other(pair, media_id).path))
        groups.append(Group(graph.rows[media_id], tuple(found)))
    more = [found for ids, found in graph.pairs.items() if found and ids not in known]
    return sorted(groups, key=lambda group: (-len(group.pairs), group.best.path)), more


def _rank(graph: _Graph, media_id: int, free: set[int]) -> tuple[int, int, int, int, str, int]:
    row = graph.rows[media_id]
    held = len(graph.holds[media_id] & free)
    return -held, -row.width_px * row.height_px, -row.frames, -row.size_bytes, row.path, media_id


def _complete(graph: _Graph, best: int, free: set[int], look_at: LookAt) -> set[int]:
    """The free files that the best one holds, after a look at those that are near to one of them."""
    asked: set[int] = {best}
    while members := (graph.holds[best] & free) - asked:
        asked |= members
        for other in sorted(set().union(*(graph.near[member] for member in members)) & free - asked):
            if frozenset((best, other)) not in graph.pairs:
                graph.add(best, other, look_at(graph.rows[best], graph.rows[other]))
    return graph.holds[best] & free - {best}


def _other(pair: Pair, media_id: int) -> MediaRow:
    return pair.held if pair.holder.id == media_id else pair.holder


def _held_of(pair: Pair, best: int) -> float:
    return pair.share_of(_other(pair, best).id)
