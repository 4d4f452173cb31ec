"""Frames that many files hold -> the intros and outros that those files share, which make them no duplicates."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from vcd.dedupe.candidates import SHARED_BY, Held
from vcd.dedupe.pairs import share
from vcd.dedupe.records import Pair, Place, Stretch
from vcd.dedupe.spans import length_s, overlap_s, union
from vcd.library import MediaRow
from vcd.types import Span

GAP_S = 4.0
"""Frames of one stretch are no further apart."""
LEAST_S = 2.0
"""Shorter ones are chance."""
AT_END_S = 5.0
"""A stretch this near to an end of its file is at that end."""
MOSTLY = 0.8
"""A segment with so much of it in shared stretches is no more than that; a file with so much of it has nothing else."""
NEAR_S = 2.0
"""Slack in which two files have the same moment of a stretch."""
COPIES = 0.8
"""A file of which another holds so much is its copy, whatever else both are found in."""


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    media_id: int
    span: Span
    held: Held
    """Its frames only."""


def find_stretches(held: Iterable[Held], pairs: Iterable[Pair], media: Mapping[int, MediaRow]) -> list[Stretch]:
    """Stretches of more than SHARED_BY files, most files first, then by the first file's path."""
    copies = {frozenset((p.holder.id, p.held.id)) for p in pairs if max(p.share_of_held, p.share_of_holder) >= COPIES}
    runs = [run for frames in held for run in _runs(frames, copies)]
    stretches = []
    for group in _connected(runs):
        places = [Place(media[run.media_id], run.span) for run in group]
        if len({place.row.id for place in places}) > SHARED_BY:
            places.sort(key=lambda place: (place.row.path, place.span.start_s))
            stretches.append(Stretch(_kind(places), tuple(places)))
    return sorted(stretches, key=lambda stretch: (-len(stretch.places), stretch.places[0].row.path))


def _runs(held: Held, copies: Collection[frozenset[int]]) -> list[_Run]:
    """Stretches of one file whose frames SHARED_BY files hold that are no copies of it."""
    foreign = np.array([frozenset((held.media_id, other)) not in copies for other in held.others.tolist()], dtype=bool)
    starts, inverse = np.unique(held.starts_s, return_inverse=True)
    by_enough = np.bincount(inverse, foreign, minlength=len(starts)) >= SHARED_BY
    kept = foreign & by_enough[inverse]
    spans = [Span(*ends_s) for ends_s in zip(held.starts_s[kept].tolist(), held.ends_s[kept].tolist(), strict=True)]
    runs = []
    for span in union(spans, GAP_S):
        inside = kept & (held.starts_s >= span.start_s) & (held.ends_s <= span.end_s)
        if span.length_s >= LEAST_S:
            runs.append(_Run(held.media_id, span, held.take(inside)))
    return runs


def _connected(runs: Sequence[_Run]) -> list[list[_Run]]:
    """Runs that hold moments of each other, directly or through others: one stretch of many files."""
    of_media: dict[int, list[int]] = {}
    for number, run in enumerate(runs):
        of_media.setdefault(run.media_id, []).append(number)
    leaders = list(range(len(runs)))

    def leader(number: int) -> int:
        while leaders[number] != number:
            leaders[number] = leaders[leaders[number]]
            number = leaders[number]
        return number

    for number, run in enumerate(runs):
        for other, at_s in zip(run.held.others.tolist(), run.held.at_s.tolist(), strict=True):
            for there in of_media.get(other, ()):
                span = runs[there].span
                if span.start_s - NEAR_S <= at_s <= span.end_s + NEAR_S:
                    leaders[leader(there)] = leader(number)
    groups: dict[int, list[_Run]] = {}
    for number, run in enumerate(runs):
        groups.setdefault(leader(number), []).append(run)
    return list(groups.values())


def _kind(places: Sequence[Place]) -> Literal["intro", "outro", "inside"]:
    begins = sum(place.span.start_s <= AT_END_S for place in places)
    ends = sum(place.span.end_s >= place.row.duration_s - AT_END_S for place in places)
    most = max(begins, ends)
    if most <= len(places) / 2:
        return "inside"
    return "intro" if begins == most else "outro"


def without_stretches(pairs: Iterable[Pair], stretches: Iterable[Stretch]) -> list[Pair]:
    """The pairs that share more than such stretches, with the shares of what lies outside of them.

    A file that is little else than a shared stretch is taken as a whole.
    """
    shared: dict[int, list[Span]] = {}
    for stretch in stretches:
        for place in stretch.places:
            shared.setdefault(place.row.id, []).append(place.span)
    return [kept for pair in pairs if (kept := _outside(pair, shared))]


def _outside(pair: Pair, shared: Mapping[int, list[Span]]) -> Pair | None:
    q_shared, r_shared = shared.get(pair.held.id, []), shared.get(pair.holder.id, [])
    if pair.same_bytes or pair.held.duration_s <= 0 or not (q_shared or r_shared):
        return pair
    if length_s(q_shared) >= MOSTLY * pair.held.duration_s:
        return pair
    segments = tuple(
        segment
        for segment in pair.segments
        if overlap_s([segment.query_span], q_shared) < MOSTLY * segment.query_span.length_s
        and overlap_s([segment.reference_span], r_shared) < MOSTLY * segment.reference_span.length_s
    )
    if not segments:
        return None
    q_spans, r_spans = [s.query_span for s in segments], [s.reference_span for s in segments]
    return replace(
        pair,
        segments=segments,
        share_of_held=_share_outside(q_spans, q_shared, pair.held),
        share_of_holder=_share_outside(r_spans, r_shared, pair.holder),
    )


def _share_outside(spans: list[Span], shared: list[Span], row: MediaRow) -> float:
    rest_s = row.duration_s - length_s(shared)
    if rest_s <= (1 - MOSTLY) * row.duration_s:
        return share(spans, row)
    return min(1.0, max(0.0, (length_s(spans) - overlap_s(spans, shared)) / rest_s))
