"""The records that the metrics work on: what was claimed, and what is true."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from vcd.types import Span

Pair = tuple[str, str]
"""A query and a reference, by name."""


class SegmentLike(Protocol):
    """What a metric reads of a row; both `Row` and `vcd.types.Segment` fit."""

    @property
    def query(self) -> str: ...
    @property
    def reference(self) -> str: ...
    @property
    def query_span(self) -> Span: ...
    @property
    def reference_span(self) -> Span: ...
    @property
    def score(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One copied stretch as a truth or prediction file states it."""

    query: str
    reference: str
    query_span: Span
    reference_span: Span
    score: float = 1.0
    """Any finite number, higher is surer; says nothing in a truth."""
    edit: str = ""
    """How the copy was changed; empty: not stated."""
    strength: str = ""
    """How strongly; empty: not stated."""


@dataclass(frozen=True, slots=True)
class Truth:
    """All queries of a benchmark, with the copies in them."""

    copies: tuple[Row, ...]
    queries_without_copy: tuple[str, ...] = ()
    """Each query once; none of them has a row in ``copies``."""

    def __post_init__(self) -> None:
        silent = set(self.queries_without_copy)
        if len(silent) != len(self.queries_without_copy):
            raise ValueError("queries_without_copy names a query twice")
        if contradicted := silent & {row.query for row in self.copies}:
            raise ValueError(f"{min(contradicted)!r} has a copy and is said to have none")

    def queries(self) -> frozenset[str]:
        """Names of all queries, with and without a copy."""
        return frozenset(row.query for row in self.copies) | frozenset(self.queries_without_copy)


RowT = TypeVar("RowT", bound=SegmentLike)


def pair_of(row: SegmentLike) -> Pair:
    return row.query, row.reference


def by_pair(rows: Iterable[RowT]) -> dict[Pair, list[RowT]]:
    """Rows of each (query, reference) pair; pairs and rows keep their order."""
    groups: dict[Pair, list[RowT]] = {}
    for row in rows:
        groups.setdefault(pair_of(row), []).append(row)
    return groups


def best_first(rows: Iterable[RowT]) -> list[RowT]:
    """Falling score, ties by names and times: the same rows give the same list, however they are ordered."""

    def key(row: RowT) -> tuple[float, str, str, float, float, float, float]:
        query, reference = row.query_span, row.reference_span
        times_s = query.start_s, query.end_s, reference.start_s, reference.end_s
        return (-row.score, row.query, row.reference, *times_s)

    return sorted(rows, key=key)


def share(part: float, whole: float) -> float:
    """``part / whole``; NaN when there is no whole: nothing was there to take a share of."""
    return part / whole if whole else float("nan")
