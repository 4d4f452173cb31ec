"""Scores -> tables of text, for people; `Scores.as_dict` is for programs."""

from dataclasses import dataclass

from vcd.evaluate.scores import TOLERANCES_S, Metrics, Scores

LABELS: dict[str, str] = {
    "queries": "queries",
    "queries_without_copy": "queries without a copy",
    "copies": "copies",
    "predictions": "predictions",
    **{
        f"{name}_{tolerance_s}s": f"{label}, all four times within {tolerance_s} s (iQIYI)"
        for tolerance_s in TOLERANCES_S
        for name, label in (("f1", "F1"), ("precision", "precision"), ("recall", "recall"))
    },
    "segment_micro_ap": "segment micro-AP (VSC2022)",
    "vcsl_precision": "segment precision (VCSL)",
    "vcsl_recall": "segment recall (VCSL)",
    "vcsl_f": "segment F (VCSL)",
    "false_rejection_rate": "false rejection rate (VCSL)",
    "false_alarm_rate": "false alarm rate (VCSL)",
    "micro_ap": "micro-AP over pairs (VSC2022, DISC21)",
    "recall_at_p90": "recall at 90 % precision over pairs",
    "mean_ap": "mean AP over queries (FIVR)",
}
"""What to call each entry of `Metrics.as_dict` in front of a person, in the same order."""
SHORT_LABELS: dict[str, str] = {
    "queries": "queries",
    **{f"f1_{tolerance_s}s": f"F1 {tolerance_s} s" for tolerance_s in TOLERANCES_S},
    "segment_micro_ap": "seg. AP",
    "vcsl_f": "VCSL F",
    "micro_ap": "micro-AP",
    "recall_at_p90": "R@P90",
    "mean_ap": "mAP",
    "false_rejection_rate": "FRR",
    "false_alarm_rate": "FAR",
}
"""Columns of the tables by edit and by strength: as many as fit on a line."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: each row has as many cells as the header; the first is a name, the others are numbers."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sheets(scores: Scores) -> tuple[Sheet, ...]:
    """Every metric of all queries; then, where the truth has them, one table by edit and one by strength."""
    overall = scores.overall.as_dict()
    every = Sheet(("metric", "value"), tuple((label, shown(overall[name])) for name, label in LABELS.items()))
    groups = (("edit", scores.by_edit), ("strength", scores.by_strength))
    return (every, *(_group_sheet(title, metrics) for title, metrics in groups if metrics))


def _group_sheet(title: str, groups: dict[str, Metrics]) -> Sheet:
    values = {name: metrics.as_dict() for name, metrics in groups.items()}
    return Sheet(
        header=(title, *SHORT_LABELS.values()),
        rows=tuple((name, *(shown(of[column]) for column in SHORT_LABELS)) for name, of in values.items()),
    )


def shown(value: float | None) -> str:
    """Counts whole, shares with four decimals, a dash for what could not be measured."""
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"
