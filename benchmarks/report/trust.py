"""What the score is worth: observed precision beside it, and false segments against copies found."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from benchmarks.report.results import MAIN, Results
from benchmarks.report.style import FAINT, INK, colour, figure, note, short_label

CURVES = ("vcd-fast", "vcd-default", "vcd-thorough", "pdq", "phash", "sift-words", "colour-histogram", "lecture")
PER = "per_1000_query_minutes_and_reference_hours"


def draw_trust(results: Results, path: Path) -> None:
    with figure(path, 12.5, 4.8) as drawn:
        left, right = drawn.subplots(1, 2, width_ratios=[1, 1.25])
        _reliability(left, results.files[MAIN]["reliability"])
        _false_segments(right, results)


def _reliability(axes: Axes, found: dict[str, Any]) -> None:
    axes.set_title("Is the score a probability?", pad=20)
    ece = "-" if found["ece"] is None else f"{found['ece']:.3f}"
    note(axes, f"vcd default, {found['rows']} rows; calibration error (ECE) {ece}; numbers: rows in the bin")
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--", zorder=1)
    for one in found["bins"]:
        middle = (one["low"] + one["high"]) / 2
        axes.bar(middle, one["right"], width=0.085, color=colour(MAIN), alpha=0.85, zorder=2)
        axes.plot([middle - 0.045, middle + 0.045], [one["score"]] * 2, color="#e8871e", linewidth=2.2, zorder=3)
        axes.text(middle, one["right"] + 0.015, str(one["rows"]), ha="center", fontsize=8, color=INK, zorder=4,
                  bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.8})  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.08)
    axes.set_xlabel("score (orange: mean of the bin)")
    axes.set_ylabel("share of rows that are right")


def _false_segments(axes: Axes, results: Results) -> None:
    axes.set_title("Copies found against false segments", pad=20)
    note(axes, "one point a threshold; the dot is where each is used (vcd: default; others: best F1)")
    for name, method in results.chosen(CURVES).items():
        points = [(p[PER], p["found"]) for p in method["curve"] if p[PER] is not None]
        if not points:
            continue
        is_vcd = method["group"] == "vcd"
        axes.plot(*zip(*points, strict=True), color=colour(name), linewidth=2.4 if name == MAIN else 1.3,
                  label=short_label(method), zorder=3 if is_vcd else 2, linestyle="--" if name == "lecture" else "-",
                  solid_joinstyle="round")  # fmt: skip
        here = min(method["curve"], key=lambda p: abs(p["threshold"] - method["threshold"]))
        axes.scatter(here[PER], here["found"], s=46, color=colour(name), edgecolor="white", zorder=4)
    axes.set_xscale("symlog", linthresh=1, linscale=0.35)
    axes.set_xlim(left=-0.06)
    axes.set_ylim(0, 1.02)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.set_xlabel("false segments per 1,000 query minutes × reference hours, on queries without a copy")
    axes.set_ylabel("share of copies found")
    if axes.lines:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    else:
        axes.text(0.5, 0.5, "every query has a copy", transform=axes.transAxes, ha="center", color=FAINT)
