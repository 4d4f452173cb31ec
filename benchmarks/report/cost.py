"""What each stage of vcd costs for an hour of video, and how the search grows with the library."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from benchmarks.report.results import Results
from benchmarks.report.style import FAINT, INK, STAGES, figure, note

SIDES = {"references": "Indexing an hour of references", "queries": "Asking about an hour of queries"}
INDEXES = {"exact": ("brute force", "#d1495b"), "hnsw": ("HNSW", "#0b5fa5")}


def draw_stages(results: Results, path: Path) -> None:
    presets = [preset for preset in results.presets if f"stages-{preset}" in results.files]
    with figure(path, 11.5, 1.7 + 0.62 * len(presets)) as drawn:
        for axes, (side, title) in zip(drawn.subplots(1, 2), SIDES.items(), strict=True):
            axes.set_title(title, pad=20)
            note(axes, "processor seconds in one process, by stage")
            bars = [results.files[f"stages-{preset}"][side]["s_per_hour"] for preset in presets]
            for row, took_s in enumerate(bars):
                _bar(axes, row, took_s, max(sum(bar.values()) for bar in bars))
            axes.set_yticks(range(len(presets)), presets)
            axes.set_ylim(len(presets) - 0.4, -0.6)
            axes.grid(axis="y", visible=False)
            axes.set_xlim(right=axes.get_xlim()[1] * 1.12)
        used = [s for s in STAGES if any(s in results.files[f"stages-{p}"]["queries"]["s_per_hour"] for p in presets)]
        handles = [drawn.axes[1].barh(0, 0, color=STAGES[stage]) for stage in used]
        drawn.legend(handles, used, loc="outside lower center", ncols=len(used))


def _bar(axes: Axes, row: int, took_s: dict[str, float], widest: float) -> None:
    left, whole = 0.0, sum(took_s.values())
    for stage, seconds in took_s.items():
        axes.barh(row, seconds, left=left, height=0.62, color=STAGES[stage], edgecolor="white", linewidth=0.8)
        if seconds > 0.035 * widest:
            tone = "white" if stage in {"describe", "align"} else INK
            axes.text(left + seconds / 2, row, f"{seconds:.0f}", ha="center", va="center", fontsize=8, color=tone)
        left += seconds
    axes.text(left + 0.01 * whole, row, f" {whole:.0f} s", va="center", fontsize=9, fontweight="bold")


def draw_scaling(results: Results, path: Path) -> None:
    points: list[dict[str, Any]] = results.files["scaling"]["points"]
    with figure(path, 11.5, 4.4) as drawn:
        left, right = drawn.subplots(1, 2, width_ratios=[1.25, 1])
        left.set_title("Searching a growing library", pad=20)
        note(left, f"generated vectors, 256 dimensions; all {results.files['scaling']['machine']['cores']} cores")
        right.set_title("Building the index", pad=20)
        note(right, "HNSW is built as references are added; recall: share of the 20 nearest that it finds")
        for index, (label, tone) in INDEXES.items():
            mine = [point for point in points if point["index"] == index]
            hours = [point["reference_hours"] for point in mine]
            left.plot(hours, [p["ms_per_query_frame"] for p in mine], "o-", color=tone, label=label, linewidth=2)
            if index == "hnsw":
                right.plot(hours, [p["build_s"] for p in mine], "o-", color=tone, linewidth=2)
                for point in mine:
                    at = (point["reference_hours"], point["build_s"])
                    right.annotate(f"recall {point['recall']:.3f}", at, xytext=(7, -11), textcoords="offset points",
                                   fontsize=8, color=FAINT)  # fmt: skip
        left.set_ylabel("milliseconds per query frame")
        right.set_ylabel("seconds")
        left.legend(loc="upper left")
        for axes in (left, right):
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel("hours of reference in the library (a frame every 2 s)")
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}" if x >= 1 else f"{x:g}"))
        right.margins(x=0.22, y=0.12)
