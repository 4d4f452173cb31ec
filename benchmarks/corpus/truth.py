"""Which stretches of a query are stretches of which references: the rows of ``truth.csv``."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from benchmarks.corpus.programmes import Programme
from benchmarks.corpus.queries import Query
from benchmarks.edits import FRAMES_PER_S, Edited, Placed

HEADER = ("query", "reference", "q_start", "q_end", "r_start", "r_end", "edit", "strength")
SHORTEST_S = 1
"""A stretch that two programmes share is a copy of both only where the query shows a second of it or more."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A stretch of one programme that is also in another place."""

    start_s: Fraction
    end_s: Fraction
    programme: Programme
    shift_s: Fraction
    """Its time there less its time here."""


def shared_stretches(
    programme: Programme, start_s: Fraction, end_s: Fraction, programmes: Sequence[Programme]
) -> list[Shared]:
    """Everywhere else that what a programme shows from `start_s` to `end_s` is shown, from its cut list."""
    found = []
    for take, first in zip(programme.takes, programme.starts, strict=True):
        at_s = Fraction(first, FRAMES_PER_S)
        for other in programmes:
            for twin, twin_first in zip(other.takes, other.starts, strict=True):
                if twin.path != take.path or (other is programme and twin_first == first):
                    continue
                # times of the clip are times of the programme less this
                shift_s = at_s - take.start_s
                begin_s = max(take.start_s, twin.start_s, start_s - shift_s)
                stop_s = min(take.end_s, twin.end_s, end_s - shift_s)
                if stop_s > begin_s:
                    there_s = Fraction(twin_first, FRAMES_PER_S) - twin.start_s
                    found.append(Shared(begin_s + shift_s, stop_s + shift_s, other, there_s - shift_s))
    return [one for one in _joined(found) if one.end_s - one.start_s >= SHORTEST_S]


def _joined(found: list[Shared]) -> list[Shared]:
    """Stretches that go on without a gap in both places, as one."""
    joined: list[Shared] = []
    for one in sorted(found, key=lambda each: (each.programme.name, each.shift_s, each.start_s)):
        last = joined[-1] if joined else None
        if last and (last.programme, last.shift_s, last.end_s) == (one.programme, one.shift_s, one.start_s):
            joined[-1] = Shared(last.start_s, one.end_s, one.programme, one.shift_s)
        else:
            joined.append(one)
    return joined


def rows(query: Query, edited: Edited, programmes: Sequence[Programme]) -> list[tuple[str, ...]]:
    """The rows of one query, in the order of `HEADER`."""
    by_path = {programme.path: programme for programme in programmes}
    found = []
    for placed in edited.placed:
        if placed.piece.copied:
            programme = by_path[placed.piece.path]
            found += list(_stretches(placed, edited.times.scale, programme, programmes))
    if not found:
        return [(query.name, "", "", "", "", "", query.edit, "")]
    ordered = sorted(found, key=lambda each: (each[1], each[0], each[3]))
    return [(query.name, name, *map(decimal, times_s), query.edit, query.strength) for name, *times_s in ordered]


def _stretches(
    placed: Placed, scale: Fraction, programme: Programme, programmes: Sequence[Programme]
) -> Iterator[tuple[str, Fraction, Fraction, Fraction, Fraction]]:
    piece = placed.piece
    yield programme.name, placed.start_s, placed.end_s, piece.start_s, piece.end_s
    for one in shared_stretches(programme, piece.start_s, piece.end_s, programmes):
        from_s = placed.start_s if scale > 0 else placed.end_s
        ends = sorted(from_s + (moment - piece.start_s) * scale for moment in (one.start_s, one.end_s))
        yield one.programme.name, ends[0], ends[1], one.start_s + one.shift_s, one.end_s + one.shift_s


def decimal(seconds: Fraction) -> str:
    """Seconds to a microsecond, without zeros that say nothing."""
    return f"{float(seconds):.6f}".rstrip("0").rstrip(".")


def table(all_rows: Sequence[tuple[str, ...]]) -> str:
    """The rows as CSV."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerows([HEADER, *all_rows])
    return lines.getvalue()
