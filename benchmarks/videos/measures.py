"""Rows and truth -> the numbers that the report shows. The metrics themselves are those of `vcd.evaluate`."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from vcd.evaluate import Row, Truth, evaluate
from vcd.evaluate.contest import contest_score
from vcd.evaluate.records import SegmentLike, by_pair, pair_of

RIGHT = 0.5
"""A row is right when a true copy covers this share of it on both sides."""
BINS = 10
CURVE = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925,
         0.95, 0.97, 0.98, 0.99, 0.995, 0.999)  # fmt: skip
"""Thresholds at which copies found and false segments are counted."""


def is_right(row: SegmentLike, copies: Sequence[SegmentLike]) -> bool:
    """Whether a copy of the same pair covers half of the row or more, in the query and in the reference."""
    return any(_covers(copy, row) for copy in copies)


def _covers(copy: SegmentLike, row: SegmentLike) -> bool:
    sides = ((copy.query_span, row.query_span), (copy.reference_span, row.reference_span))
    return all(mine.overlap_s(its) >= RIGHT * its.length_s for mine, its in sides)


def measure(
    rows: Sequence[Row], truth: Truth, threshold: float | None, hours: tuple[float, float], times: bool = True
) -> dict[str, Any]:
    """Everything about one method.

    `threshold`: rows below it count for the rankings only; None takes the one with the best F1, which nobody knows
    beforehand: it flatters. `hours`: of references, and of the queries that have no copy. `times`: whether the
    method says where in the reference; if not, the F1 that chooses the threshold is over pairs.
    """
    chosen = best_threshold(rows, truth, times) if threshold is None else threshold
    shown = [row for row in rows if row.score >= chosen]
    best = f"the best for F1 {'at 3 s' if times else 'over pairs'} on this corpus"
    return {
        "threshold": chosen,
        "threshold_is": best if threshold is None else "vcd's default",
        "tells_times": times,
        "overall": _overall(rows, shown, truth),
        "cells": cells(shown, truth),
        "ends_s": end_errors(shown, truth),
        "reliability": reliability(rows, truth),
        "curve": curve(rows, truth, hours),
        "negatives": negatives(shown, truth, hours),
    }


def best_threshold(rows: Sequence[Row], truth: Truth, times: bool = True) -> float:
    """The score from which on F1 is greatest, of 60 tried; of equals the highest. 1 when nothing is right."""
    tried = sorted({1.0, *(row.score for row in rows)}, reverse=True)
    steps = [tried[i] for i in sorted({round(i) for i in np.linspace(0, len(tried) - 1, 60)})]
    wanted = {pair_of(copy) for copy in truth.copies}

    def f1(score: float) -> float:
        shown = [row for row in rows if row.score >= score]
        if times:
            return contest_score(shown, truth.copies, 3.0).f1
        pairs = {pair_of(row) for row in shown}
        return 2 * len(pairs & wanted) / max(1, len(pairs) + len(wanted))

    return float(max(steps, key=lambda score: np.nan_to_num(f1(score))))


def _overall(rows: Sequence[Row], shown: Sequence[Row], truth: Truth) -> dict[str, float | None]:
    """Rankings over all rows, all else over those that are shown."""
    at_threshold, ranking = evaluate(shown, truth).overall.as_dict(), evaluate(rows, truth).overall.as_dict()
    ranked = ("segment_micro_ap", "micro_ap", "recall_at_p90", "mean_ap")
    return {name: ranking[name] if name in ranked else value for name, value in at_threshold.items()}


def cells(shown: Sequence[Row], truth: Truth) -> dict[str, dict[str, dict[str, float | None]]]:
    """By edit and strength: copies, F1 at 3 s, and the shares of copies found at all and of references named."""
    groups: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for copy in truth.copies:
        groups[copy.edit or "unstated"][copy.strength or "unstated"].append(copy)
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for edit, strengths in groups.items():
        for strength, copies in strengths.items():
            queries = {copy.query for copy in copies}
            mine = [row for row in shown if row.query in queries]
            # A query may hold copies of other edits too; rows that are right for those are no fault here.
            others = [copy for copy in truth.copies if copy.query in queries and copy not in copies]
            mine = [row for row in mine if not is_right(row, [c for c in others if pair_of(c) == pair_of(row)])]
            f1 = contest_score(mine, copies, 3.0).f1
            share = float(np.mean([best is not None for best in matched(mine, copies)]))
            pairs = {pair_of(row) for row in mine}
            named = float(np.mean([pair_of(copy) in pairs for copy in copies]))
            found.setdefault(edit, {})[strength] = {
                "copies": len(copies), "f1_3s": f1, "found": share, "named": named,
            }  # fmt: skip
    return found


def matched(shown: Sequence[Row], copies: Sequence[Row]) -> list[Row | None]:
    """For each copy the right row that overlaps it most; None when there is none."""
    by_name = by_pair(shown)
    best: list[Row | None] = []
    for copy in copies:
        right = [row for row in by_name.get(pair_of(copy), []) if _covers(copy, row)]
        best.append(max(right, key=lambda row: row.query_span.overlap_s(copy.query_span), default=None))
    return best


def end_errors(shown: Sequence[Row], truth: Truth) -> list[list[float] | None]:
    """For each copy: found minus true at query start and end, reference start and end; None when it was missed."""
    errors: list[list[float] | None] = []
    for copy, row in zip(truth.copies, matched(shown, truth.copies), strict=True):
        if row is None:
            errors.append(None)
            continue
        sides = ((row.query_span, copy.query_span), (row.reference_span, copy.reference_span))
        errors.append([round(e, 3) for a, b in sides for e in (a.start_s - b.start_s, a.end_s - b.end_s)])
    return errors


def reliability(rows: Sequence[Row], truth: Truth) -> dict[str, Any]:
    """Share of right rows beside their mean score, in bins of the score; ECE (expected calibration error)."""
    copies = by_pair(truth.copies)
    right = np.array([is_right(row, copies.get(pair_of(row), [])) for row in rows], dtype=float)
    scores = np.array([row.score for row in rows])
    numbers = np.minimum((scores * BINS).astype(int), BINS - 1) if len(rows) else np.zeros(0, dtype=int)
    bins = []
    for number in range(BINS):
        inside = numbers == number
        if inside.any():
            facts = {
                "rows": int(inside.sum()),
                "score": float(scores[inside].mean()),
                "right": float(right[inside].mean()),
            }
            bins.append({"low": number / BINS, "high": (number + 1) / BINS, **facts})
    ece = sum(b["rows"] * abs(b["score"] - b["right"]) for b in bins) / len(rows) if rows else None
    return {"bins": bins, "ece": ece, "rows": len(rows)}


def curve(rows: Sequence[Row], truth: Truth, hours: tuple[float, float]) -> list[dict[str, float | None]]:
    """At each threshold: share of the copies found, and false segments on queries without a copy."""
    points = []
    for threshold in CURVE:
        shown = [row for row in rows if row.score >= threshold]
        share = float(np.mean([row is not None for row in matched(shown, truth.copies)])) if truth.copies else None
        points.append({"threshold": threshold, "found": share, **negatives(shown, truth, hours)})
    return points


def negatives(shown: Sequence[Row], truth: Truth, hours: tuple[float, float]) -> dict[str, float | None]:
    """Segments on queries without a copy: as a number, for an hour of reference, and for 1,000 query minutes too."""
    silent = set(truth.queries_without_copy)
    false = sum(row.query in silent for row in shown)
    reference_hours, query_hours = hours
    exposure = 60 * query_hours * reference_hours / 1000
    return {
        "false_segments": false,
        "per_reference_hour": false / reference_hours if silent else None,
        "per_1000_query_minutes_and_reference_hours": false / exposure if silent and exposure else None,
    }
