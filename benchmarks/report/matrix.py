"""The robustness matrix: every edit at every strength, for vcd and each peer."""

from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from benchmarks.report.results import MAIN, STRENGTHS, Results
from benchmarks.report.style import FAINT, INK, figure, short_label

SHOWN = ("vcd-default", "pdq", "phash", "vpdq", "sift-words", "colour-histogram", "lecture")
COLOUR_MAP = LinearSegmentedColormap.from_list("found", ["#fbe9e7", "#fdf6e3", "#cfe8d5", "#5fb08c", "#116149"])
Cells = dict[str, dict[str, dict[str, Any]]]


def draw_matrix(results: Results, path: Path) -> None:
    """One panel a method; edits from those that vcd finds best to those it finds worst."""
    methods = results.chosen(SHOWN)
    main = methods.get(MAIN) or next(iter(methods.values()))
    edits = sorted(main["cells"], key=lambda edit: (-average(main["cells"], edit, "f1_3s"), edit))
    strengths, names = _columns(main["cells"], edits)
    width = 2.6 + len(methods) * max(0.95, 0.34 * len(strengths) + 0.28)
    with figure(path, width, 1.7 + 0.235 * (len(edits) + 1)) as drawn:
        every = drawn.subplots(1, len(methods), sharey=True, squeeze=False)[0]
        for axes, (name, method) in zip(every, methods.items(), strict=True):
            value = "f1_3s" if method["tells_times"] else "named"
            _panel(axes, method["cells"], edits, strengths, value)
            axes.set_title(
                fill(short_label(method), 13), fontsize=9, loc="center", color=INK if name == MAIN else FAINT
            )
        every[0].set_yticks(range(len(edits) + 1), [*names, "all"], fontsize=8.5)
        every[0].get_yticklabels()[-1].set_fontweight("bold")
        drawn.suptitle("Copies found, edit by edit", x=0.01, ha="left", fontsize=13, fontweight="bold")
        drawn.supxlabel(
            "F1 with all four times within 3 s, at each peer's best threshold and vcd's default one; "
            "vPDQ gives no times: share of references named",
            fontsize=8, color=FAINT,
        )  # fmt: skip


def _columns(cells: Cells, edits: list[str]) -> tuple[list[str | None], list[str]]:
    """Strengths, and names of rows; one column for all strengths (None) where each edit has but one."""
    there = {strength for row in cells.values() for strength in row}
    if len(there) > 1 and all(len(row) == 1 for row in cells.values()):
        return [None], [f"{edit} ({next(iter(cells[edit]))})" for edit in edits]
    known: list[str | None] = [strength for strength in STRENGTHS if strength in there]
    return known + sorted(there - set(known)), edits


def average(cells: Cells, edit: str | None, value: str, strength: str | None = None) -> float:
    """Mean over the cells of an edit, a strength, or all; each copy counts the same."""
    chosen = [
        cell
        for name, row in cells.items()
        for level, cell in row.items()
        if edit in (None, name) and strength in (None, level) and cell[value] is not None
    ]
    counts = [cell["copies"] for cell in chosen]
    return float(np.average([cell[value] for cell in chosen], weights=counts)) if chosen else float("nan")


def _panel(axes: Axes, cells: Cells, edits: list[str], strengths: list[str | None], value: str) -> None:
    rows = [[average(cells, edit, value, s) if edit in cells else np.nan for s in strengths] for edit in edits]
    rows.append([average(cells, None, value, s) for s in strengths])
    grid = np.array(rows)
    axes.imshow(np.ma.masked_invalid(grid), cmap=COLOUR_MAP, vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(grid):
        if np.isfinite(share):
            text = f"{share:.2f}".lstrip("0") if 0.005 <= share < 0.995 else f"{share:.0f}"
            weight = "bold" if row == len(edits) else "normal"
            tone = "white" if share > 0.72 else INK
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color=tone, fontweight=weight)
    axes.set_xticks(range(len(strengths)), [strength or "" for strength in strengths], rotation=90, fontsize=8)
    axes.set_xticks(np.arange(len(strengths) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(edits)) + 0.5, minor=True)
    axes.grid(False)
    axes.grid(which="minor", color="white", linewidth=1.2)
    axes.axhline(len(edits) - 0.5, color=INK, linewidth=1)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
