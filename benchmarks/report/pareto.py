"""Accuracy against speed: who finds how much for how many processor seconds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from benchmarks.report.results import Results
from benchmarks.report.style import FAINT, INK, colour, figure, note, short_label, spread

PANELS = {
    "index_cpu_s_per_hour": "Indexing an hour of references",
    "query_cpu_s_per_hour": "Asking about an hour of queries",
}
LEGEND = {
    "index_cpu_s_per_hour": "decoding included;  ○ vcd  □ peers, most with vcd's voting",
    "query_cpu_s_per_hour": "decoding included;  △ other searches and aligners on vcd's descriptors",
}
MARKERS = {"vcd": "o", "peer": "s", "aligner": "^"}


def draw_pareto(results: Results, path: Path) -> None:
    """The left upper corner is the place to be; the presets of vcd are joined by a line."""
    with figure(path, 11.5, 5.6) as drawn:
        for axes, (cost, title) in zip(drawn.subplots(1, 2, sharey=True), PANELS.items(), strict=True):
            axes.set_title(title, pad=20)
            note(axes, LEGEND[cost])
            # Aligners share a library: there is nothing to tell apart on the left.
            shown = {
                name: m for name, m in results.methods.items() if cost.startswith("query") or m["group"] != "aligner"
            }
            _panel(axes, shown, cost)
            axes.set_xlabel("processor seconds (fewer is better)")
        drawn.axes[0].set_ylabel("F1, all four times within 3 s")


def _panel(axes: Axes, methods: Mapping[str, Mapping[str, Any]], cost: str) -> None:
    points = {name: (m["cost"][cost], m["overall"]["f1_3s"] or 0.0) for name, m in methods.items()}
    axes.set_xscale("log")
    axes.set_ylim(-0.04, 1.04)
    low, high = min(x for x, _ in points.values()), max(x for x, _ in points.values())
    axes.set_xlim(low / 1.5, high * (high / low) ** 0.75 * 1.6)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}" if x >= 1 else f"{x:g}"))
    presets = sorted(point for name, point in points.items() if methods[name]["group"] == "vcd")
    axes.plot(*zip(*presets, strict=True), color=colour("vcd-default"), linewidth=1.5, alpha=0.5, zorder=2)
    heights = spread([y for _, y in points.values()], 0.048)
    over = max(0.0, max(heights) - 1.02)
    label_x = high * 1.35
    for (name, (x, y)), height in zip(points.items(), heights, strict=True):
        group = methods[name]["group"]
        axes.scatter(x, y, marker=MARKERS[group], s=62, color=colour(name), edgecolor="white", linewidth=0.8, zorder=3)
        axes.plot([x, label_x / 1.04], [y, height - over], color=colour(name), linewidth=0.6, alpha=0.45, zorder=1)
        weight = "bold" if group == "vcd" else "normal"
        axes.text(label_x, height - over, short_label(methods[name]), fontsize=8.2, va="center", fontweight=weight,
                  color=INK if group == "vcd" else FAINT)  # fmt: skip
