"""All metrics of a set of predictions, for the whole truth and for each edit and strength in it."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from typing import Any

from vcd.evaluate.contest import ContestScore, contest_score
from vcd.evaluate.ranking import mean_ap, micro_ap, recall_at_precision
from vcd.evaluate.records import Row, SegmentLike, Truth, best_first
from vcd.evaluate.tables import read_predictions, read_truth
from vcd.evaluate.vcsl import VcslScore, vcsl_score
from vcd.evaluate.vsc import segment_micro_ap

TOLERANCES_S = (1, 3, 5)
"""Of the contest's F1: its two rounds, and one that shows how exact the ends are."""
NO_COPY = "no copy"
"""Group of the queries without a copy. Not "none": that is a likely name for the edit of an exact copy."""
UNSTATED = "unstated"
"""Group of the queries whose copies have an empty edit (or strength) where other queries have one."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Every metric of one group of queries; NaN where a group has nothing to measure it on."""

    queries: int
    queries_without_copy: int
    copies: int
    predictions: int
    contest: tuple[ContestScore, ...]
    """One for each of `TOLERANCES_S`."""
    segment_micro_ap: float
    vcsl: VcslScore
    micro_ap: float
    recall_at_p90: float
    mean_ap: float

    def as_dict(self) -> dict[str, float | None]:
        """Flat, by the names of `vcd.evaluate.sheets.LABELS`; None instead of NaN, which JSON lacks."""
        values: dict[str, float] = {
            "queries": self.queries,
            "queries_without_copy": self.queries_without_copy,
            "copies": self.copies,
            "predictions": self.predictions,
        }
        for score in self.contest:
            values[f"f1_{score.tolerance_s:g}s"] = score.f1
            values[f"precision_{score.tolerance_s:g}s"] = score.precision
            values[f"recall_{score.tolerance_s:g}s"] = score.recall
        values |= {
            "segment_micro_ap": self.segment_micro_ap,
            "vcsl_precision": self.vcsl.precision,
            "vcsl_recall": self.vcsl.recall,
            "vcsl_f": self.vcsl.f,
            "false_rejection_rate": self.vcsl.false_rejection_rate,
            "false_alarm_rate": self.vcsl.false_alarm_rate,
            "micro_ap": self.micro_ap,
            "recall_at_p90": self.recall_at_p90,
            "mean_ap": self.mean_ap,
        }
        return {name: None if isnan(value) else value for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Scores:
    """The metrics of all queries, and of the queries of each edit and each strength.

    A group holds the queries of that edit only, with all their predictions; queries without a copy are a
    group of their own, `NO_COPY`, and in no other. A query whose copies differ in edit is in the group
    ``a+b``. Groups are ordered by number, then name, `NO_COPY` last; there are none when no copy has an edit.
    """

    overall: Metrics
    by_edit: dict[str, Metrics] = field(default_factory=dict)
    by_strength: dict[str, Metrics] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The overall metrics by name, plus ``by_edit`` and ``by_strength``: group -> metrics by name."""
        return {
            **self.overall.as_dict(),
            "by_edit": {name: metrics.as_dict() for name, metrics in self.by_edit.items()},
            "by_strength": {name: metrics.as_dict() for name, metrics in self.by_strength.items()},
        }


def evaluate(predictions: Sequence[SegmentLike], truth: Truth) -> Scores:
    """Score predictions, which may be `Row`s or the segments of a report; the order of rows does not matter.

    A prediction for a query that the truth does not know is a ValueError.
    """
    known = truth.queries()
    if strangers := [row.query for row in predictions if row.query not in known]:
        raise ValueError(f"the truth has no query {strangers[0]!r}")
    ranked = best_first(predictions)
    ordered = Truth(tuple(best_first(truth.copies)), tuple(sorted(truth.queries_without_copy)))
    return Scores(
        overall=_metrics(ranked, ordered),
        by_edit=_by_group(ranked, ordered, lambda row: row.edit),
        by_strength=_by_group(ranked, ordered, lambda row: row.strength),
    )


def evaluate_files(predictions: Path, truth: Path) -> Scores:
    """`evaluate` on two files (see `vcd.evaluate.tables`); with a bad cell in either, nothing is scored."""
    facts = read_truth(truth)
    return evaluate(read_predictions(predictions, facts), facts)


def _metrics(predictions: Sequence[SegmentLike], truth: Truth) -> Metrics:
    return Metrics(
        queries=len(truth.queries()),
        queries_without_copy=len(truth.queries_without_copy),
        copies=len(truth.copies),
        predictions=len(predictions),
        contest=tuple(contest_score(predictions, truth.copies, tolerance_s) for tolerance_s in TOLERANCES_S),
        segment_micro_ap=segment_micro_ap(predictions, truth.copies),
        vcsl=vcsl_score(predictions, truth.copies, truth.queries_without_copy),
        micro_ap=micro_ap(predictions, truth.copies),
        recall_at_p90=recall_at_precision(predictions, truth.copies, percent=90),
        mean_ap=mean_ap(predictions, truth.copies),
    )


def _by_group(predictions: Sequence[SegmentLike], truth: Truth, label: Callable[[Row], str]) -> dict[str, Metrics]:
    """The metrics of the queries of each label; empty when no copy has one."""
    if not any(map(label, truth.copies)):
        return {}
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for row in truth.copies:
        labels[row.query].add(label(row) or UNSTATED)
    group_of = {query: "+".join(sorted(names)) for query, names in labels.items()}
    rows: defaultdict[str, list[SegmentLike]] = defaultdict(list)
    for found in predictions:
        rows[group_of.get(found.query, NO_COPY)].append(found)
    copies: defaultdict[str, list[Row]] = defaultdict(list)
    for row in truth.copies:
        copies[group_of[row.query]].append(row)
    names = sorted(copies, key=_order)
    if truth.queries_without_copy and NO_COPY not in copies:
        names.append(NO_COPY)
    silent = {NO_COPY: truth.queries_without_copy}
    return {name: _metrics(rows[name], Truth(tuple(copies[name]), silent.get(name, ()))) for name in names}


def _order(name: str) -> tuple[bool, float, str]:
    """Numbers by value, then words."""
    try:
        value = float(name)
    except ValueError:
        return True, 0.0, name
    return isnan(value), 0.0 if isnan(value) else value, name
