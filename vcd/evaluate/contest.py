"""The F1 of the iQIYI contest: how many copies were found to within a few seconds at all four ends.

Source: CCF BDCI 2019 "video copyright detection" (iQIYI), as its participants describe it: a row is right
when the reference is right and start and end lie within 5 s (first round) or 3 s (final).
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from vcd.evaluate.records import SegmentLike, best_first, by_pair, share

ROUNDING_S = 1e-6
"""Added to a tolerance, so that 2.3 against 1.3 counts as 1 s apart whatever binary fractions make of it."""


@dataclass(frozen=True, slots=True)
class ContestScore:
    """Right rows at one tolerance.

    ``f1`` = 2 right / (predicted + wanted). A wrong row costs 1 in the denominator and so does a missed copy;
    a query with several copies wants several rows. With one copy in each query this is the contest's
    2 TP / (predictions + queries). A query without a copy wants no row: silence on it neither lowers nor
    raises F1, each row for it is a wrong one. Precision is NaN without predictions, recall without copies,
    F1 only without both.
    """

    tolerance_s: float
    right: int
    predicted: int
    wanted: int

    @property
    def precision(self) -> float:
        return share(self.right, self.predicted)

    @property
    def recall(self) -> float:
        return share(self.right, self.wanted)

    @property
    def f1(self) -> float:
        return share(2 * self.right, self.predicted + self.wanted)


def contest_score(
    predictions: Sequence[SegmentLike], copies: Sequence[SegmentLike], tolerance_s: float
) -> ContestScore:
    """Pair predictions with copies one to one, all four times within the tolerance (itself included).

    Best score first: a better row is never dropped for a worse one, but it moves to another copy within its
    tolerance where that makes room. So the number of right rows is the largest possible.
    """
    wanted = by_pair(copies)
    right = sum(
        _right_rows(best_first(rows), wanted[pair], tolerance_s)
        for pair, rows in by_pair(predictions).items()
        if pair in wanted
    )
    return ContestScore(tolerance_s, right, predicted=len(predictions), wanted=len(copies))


def _right_rows(rows: Sequence[SegmentLike], copies: Sequence[SegmentLike], tolerance_s: float) -> int:
    """Largest one-to-one pairing within one (query, reference) pair, grown row by row (Kuhn, 1955)."""
    near = _near(rows, copies, tolerance_s + ROUNDING_S)
    owners: dict[int, int] = {}
    """Copy -> the row that holds it."""
    holdings: dict[int, int] = {}
    """The same the other way round."""
    return sum(_make_room(row, near, owners, holdings) for row in range(len(rows)))


def _near(rows: Sequence[SegmentLike], copies: Sequence[SegmentLike], tolerance_s: float) -> list[list[int]]:
    """For each row, the copies (by number, in order of query start) whose four times are all near."""
    ordered = sorted(copies, key=lambda copy: copy.query_span.start_s)
    starts_s = [copy.query_span.start_s for copy in ordered]
    return [
        [
            i
            for i in range(
                bisect_left(starts_s, row.query_span.start_s - tolerance_s),
                bisect_right(starts_s, row.query_span.start_s + tolerance_s),
            )
            if _furthest_end_s(row, ordered[i]) <= tolerance_s
        ]
        for row in rows
    ]


def _furthest_end_s(row: SegmentLike, copy: SegmentLike) -> float:
    """Seconds between the two rows at the one of the four ends where they differ most."""
    return max(
        abs(row.query_span.start_s - copy.query_span.start_s),
        abs(row.query_span.end_s - copy.query_span.end_s),
        abs(row.reference_span.start_s - copy.reference_span.start_s),
        abs(row.reference_span.end_s - copy.reference_span.end_s),
    )


def _make_room(newcomer: int, near: list[list[int]], owners: dict[int, int], holdings: dict[int, int]) -> bool:
    """Give a row a copy, moving other rows to other copies where needed; False: no arrangement has room."""
    wanted_by: dict[int, int] = {}
    waiting = deque([newcomer])
    while waiting:
        row = waiting.popleft()
        for copy in near[row]:
            if copy in wanted_by:
                continue
            wanted_by[copy] = row
            if copy in owners:
                waiting.append(owners[copy])
                continue
            free: int | None = copy
            while free is not None:
                taker = wanted_by[free]
                left = holdings.get(taker)
                owners[free], holdings[taker] = taker, free
                free = left
            return True
    return False
