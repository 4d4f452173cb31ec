"""How all plots look."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, FAINT, GRID = "#1f2933", "#7b8794", "#e4e7eb"
COLOURS = {
    "vcd-default": "#0b5fa5", "vcd-fast": "#5aa9e6", "vcd-thorough": "#083d77", "vcd-samples": "#7fb2d9",
    "exact-search": "#7fb2d9", "exhaustive": "#12908e", "pdq": "#d1495b", "phash": "#e8871e", "vpdq": "#8f2d56",
    "sift-words": "#66861f", "colour-histogram": "#b8a13a", "lecture": "#7d5ba6", "temporal-network": "#c2408b",
    "hough": "#e8871e", "dynamic-programming": "#66861f", "extrapolation": "#7d5ba6",
}  # fmt: skip
"""Vcd is blue; what is told apart in one plot differs in lightness as well as in hue."""
STAGES = {"decode": "#9aa5b1", "describe": "#0b5fa5", "search": "#5aa9e6", "align": "#12908e", "refine": "#e8b44c",
          "verify": "#d1495b"}  # fmt: skip
RC = {
    "font.family": "DejaVu Sans", "font.size": 9.5, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": FAINT,
    "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titlepad": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
    "grid.color": GRID, "grid.linewidth": 0.8, "xtick.color": FAINT, "ytick.color": FAINT,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "legend.frameon": False, "legend.fontsize": 8.5,
    "figure.facecolor": "white", "savefig.facecolor": "white",
}  # fmt: skip
DPI = 150


@contextmanager
def figure(path: Path, width: float, height: float) -> Iterator[Figure]:
    """A figure in inches, written to a PNG file that appears whole."""
    with mpl.rc_context(RC):
        drawn = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(drawn)
        yield drawn
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.part")
        drawn.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})
        partial.replace(path)


def colour(name: str) -> str:
    return COLOURS.get(name, FAINT)


def short_label(method: Mapping[str, Any]) -> str:
    """Where space is short: that peers' describers are aligned by vcd stands beside the plot."""
    return str(method["label"]).replace(" + vcd's voting", "")


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Positions near those wanted, at least a gap apart: for labels beside points, from low to high."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [wanted[i] for i in order]
    for _ in range(200):
        moved = False
        for k in range(len(placed) - 1):
            overlap = gap - (placed[k + 1] - placed[k])
            if overlap > 1e-9:
                placed[k] -= overlap / 2
                placed[k + 1] += overlap / 2
                moved = True
        if not moved:
            break
    result = [0.0] * len(wanted)
    for i, at in zip(order, placed, strict=True):
        result[i] = at
    return result


def note(axes: Axes, text: str) -> None:
    """A line of small print under the title."""
    axes.text(0, 1.015, text, transform=axes.transAxes, fontsize=8, color=FAINT, va="bottom")
