"""Results -> tables of text."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.markdown import markdown_table

KINDS = {"plain": "", "normalised": ", normalised", "reranked": ", re-ranked"}


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


def recall_sheet(results: Mapping[str, Any]) -> str:
    """A row an edit, a column a method: recall at 90 % precision, plain or normalised, whichever serves the method."""
    columns = {label(row): _best(row) for row in results["methods"]}
    columns |= {
        f"{label(row)}, re-ranked": row["scores"]["reranked"]
        for row in results["methods"]
        if "reranked" in row["scores"]
    }
    edits = next(iter(columns.values()))
    rows = [[edit, *(f"{scores[edit]['recall_at_p90']:.2f}" for scores in columns.values())] for edit in edits]
    return f"{markdown_table(['recall at 90 % precision', *columns], rows)}\n\n{_corpus_text(results['corpus'])}"


def _corpus_text(corpus: Mapping[str, Any]) -> str:
    return (
        f"{corpus['copies']} edited pictures and {corpus['queries_without_copy']} without an original, asked of "
        f"{corpus['references']:,} references ({corpus['distractors']:,} of them frames of other films). Scores are "
        "normalised where that serves the method."
    )


NOT_MEASURED = {
    "resnet18": "its weights are torchvision's, which the machine that measured could not fetch",
    "vgg16": "its weights are torchvision's, which the machine that measured could not fetch",
}
METHOD_NAMES = ("colour-histogram", "phash", "sift-words", "resnet18", "vgg16", "vcd-rmac")
"""What `describe.model` chooses between, in the order of their age."""


def methods_sheet(results: Mapping[str, Any]) -> str:
    """A row a method that one setting selects: recall at 90 % precision by edit, bytes, microseconds."""
    rows = {str(row["method"]): row for row in results["methods"] if not row["views"]}
    edits = [*results["corpus"]["edits"], "all edits"]
    table = []
    for name in METHOD_NAMES:
        if name not in rows:
            table.append([f"`{name}`", *["-"] * len(edits), "-", "-"])
            continue
        row, cost = rows[name], (f"{rows[name]['bytes']:,.0f}", f"{rows[name]['microseconds']:,.0f}")
        table.append([f"`{name}`", *_recalls(_best(row), edits), *cost])
        if "reranked" in row["scores"]:
            table.append([f"`{name}`, re-ranked", *_recalls(row["scores"]["reranked"], edits), *cost])
    missing = [
        f"`{name}`: not measured, {NOT_MEASURED.get(name, 'not in this run')}."
        for name in METHOD_NAMES
        if name not in rows
    ]
    head = ["recall at 90 % precision", *edits, "bytes a picture", "microseconds"]
    return "\n\n".join([markdown_table(head, table), *missing, _corpus_text(results["corpus"])])


def _recalls(scores: Mapping[str, Mapping[str, float]], edits: Sequence[str]) -> list[str]:
    return [f"{scores[edit]['recall_at_p90']:.2f}" if edit in scores else "-" for edit in edits]


def _best(row: Mapping[str, Any]) -> Mapping[str, Mapping[str, float]]:
    """Plain or normalised scores, whichever serve the method."""
    found: Mapping[str, Mapping[str, float]] = max(
        (scores for kind, scores in row["scores"].items() if kind != "reranked"), key=_overall
    )
    return found


def _overall(scores: Mapping[str, Mapping[str, float]]) -> float:
    """Mean of micro-AP over the edits."""
    return sum(found["micro_ap"] for found in scores.values()) / len(scores)


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
