"""Results -> tables of text."""

from collections.abc import Mapping
from typing import Any

from benchmarks.tables import markdown_table

KINDS = {"plain": "", "normalised": ", normalised"}


def accuracy_sheet(results: Mapping[str, Any]) -> str:
    """A row an edit, a column a method: micro-AP / rank-1 / recall at 90 % precision."""
    columns = [
        (f"{label(row)}{suffix}", row["scores"][kind])
        for row in results["methods"]
        for kind, suffix in KINDS.items()
        if kind in row["scores"]
    ]
    rows = [[edit, *(_three(scores[edit]) for _, scores in columns)] for edit in columns[0][1]]
    return markdown_table(["micro-AP / rank-1 / recall at 90 % precision", *(head for head, _ in columns)], rows)


def cost_sheet(results: Mapping[str, Any]) -> str:
    """A row a method: what a picture costs."""
    rows = [
        [label(row), f"{row['bytes']:,.0f}", f"{row['microseconds']:,.0f}", f"{1e6 / row['microseconds']:,.0f}"]
        for row in results["methods"]
    ]
    return markdown_table(["method", "bytes a picture", "microseconds a picture or view", "per second"], rows)


def label(row: Mapping[str, Any]) -> str:
    return f"{row['method']} + {row['views']}" if row["views"] else str(row["method"])


def _three(found: Mapping[str, float]) -> str:
    return " / ".join(f"{found[name]:.2f}" for name in ("micro_ap", "rank_1", "recall_at_p90"))
