"""The log of the shipped model's training, and its accuracy by step -> a picture."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.ablations.scoring import ALL, EDITS

PICTURE = Path("docs/images/training.png")
CURVES = (
    ("InfoNCE", ("info_nce",)),
    ("cosine to the other view, to the nearest other", ("positive", "nearest_negative")),
    ("learning rate", ("rate",)),
)
"""Panels: title and names in the log."""


def draw(log: Path, steps: Sequence[Mapping[str, Any]], picture: Path) -> Path:
    """Four panels over training steps; `steps` are those of `benchmarks.ablations.learnt`."""
    from matplotlib.figure import Figure

    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    figure = Figure(figsize=(10, 6), layout="constrained")
    panels = figure.subplots(2, 2).flat
    for axes, (title, names) in zip(panels, CURVES, strict=False):
        for name in names:
            axes.plot([line["step"] for line in lines], [line[name] for line in lines], label=name.replace("_", " "))
        axes.set_title(title)
        if len(names) > 1:
            axes.legend(frameon=False)
    last = figure.axes[3]
    for edit in (*EDITS, ALL):
        values = [row["recall_at_p90"][edit] for row in steps]
        last.plot([row["step"] for row in steps], values, marker="o", label=edit)
    last.set_title("recall at 90 % precision, development pictures")
    last.set_ylim(0, 1.02)
    last.legend(frameon=False, fontsize="small")
    for axes in figure.axes:
        axes.set_xlabel("steps")
        axes.grid(alpha=0.3)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=110)
    return picture
