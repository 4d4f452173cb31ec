"""How exact the ends are: of all copies, the share whose four ends are within some seconds; and which way they err."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from benchmarks.report.results import MAIN, Results
from benchmarks.report.style import FAINT, INK, colour, figure, note, short_label

SHOWN = ("vcd-default", "vcd-samples", "exhaustive", "temporal-network", "hough", "dynamic-programming",
         "extrapolation", "lecture")  # fmt: skip
ENDS = ("query start", "query end", "reference start", "reference end")
LIMITS_S = (0.03, 20.0)


def draw_ends(results: Results, path: Path) -> None:
    with figure(path, 11.5, 4.9) as drawn:
        left, right = drawn.subplots(1, 2, width_ratios=[1.5, 1])
        _shares(left, results)
        _errors(right, results)


def _shares(axes: Axes, results: Results) -> None:
    axes.set_title("All four ends within ...", pad=20)
    note(axes, "share of all copies of the corpus, those that were missed included")
    at_s = np.geomspace(*LIMITS_S, 300)
    for name, method in results.chosen(SHOWN).items():
        worst_s = np.array([max(map(abs, four)) if four else np.inf for four in method["ends_s"]])
        shares = [(worst_s <= limit_s).mean() for limit_s in at_s]
        is_main = name == MAIN
        label = "vcd default, ends refined" if is_main else short_label(method)
        axes.plot(at_s, shares, color=colour(name), linewidth=2.6 if is_main else 1.4, label=label,
                  linestyle="--" if name == "lecture" else "-", zorder=3 if is_main else 2)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(*LIMITS_S)
    axes.set_ylim(0, 1.02)
    for tolerance_s in (1, 3, 5):
        axes.axvline(tolerance_s, color=FAINT, linewidth=0.8, linestyle=":")
    axes.set_xticks([0.03, 0.1, 0.3, 1, 3, 5, 10, 20])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g} s"))
    axes.minorticks_off()
    axes.legend(loc="upper left")


def _errors(axes: Axes, results: Results) -> None:
    """Quartiles as a bar, 5 to 95 % as a line, every copy as a dot."""
    found = [four for four in results.files[MAIN]["ends_s"] if four]
    axes.set_title("vcd default: found minus true", pad=20)
    note(axes, f"{len(found)} copies found; bar: middle half, line: 5 to 95 %, beyond ±2 s at the edge")
    rng = np.random.default_rng(0)
    for row in range(len(ENDS)):
        errors_s = np.array([four[row] for four in found])
        if not len(errors_s):
            continue
        low, first, middle, last, high = np.quantile(errors_s, [0.05, 0.25, 0.5, 0.75, 0.95])
        jitter = rng.uniform(-0.28, 0.28, len(errors_s))
        axes.scatter(np.clip(errors_s, -2, 2), row + jitter, s=9, color=colour(MAIN), alpha=0.3, linewidth=0)
        axes.plot(np.clip([low, high], -2, 2), [row, row], color=INK, linewidth=1.2)
        axes.plot(np.clip([first, last], -2, 2), [row, row], color=INK, linewidth=6, solid_capstyle="butt")
        axes.plot([middle, middle], [row - 0.17, row + 0.17], color="white", linewidth=1.6)
        axes.text(
            2.12, row, f"median |error|\n{np.median(np.abs(errors_s)):.2f} s", fontsize=8, color=FAINT, va="center"
        )
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.set_yticks(range(len(ENDS)), ENDS)
    axes.set_ylim(len(ENDS) - 0.5, -0.5)
    axes.set_xlim(-2.1, 2.1)
    axes.set_xlabel("seconds")
    axes.grid(axis="y", visible=False)
