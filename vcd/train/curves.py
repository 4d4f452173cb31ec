"""The log of a training as a picture."""

import json
from pathlib import Path

CURVES = (
    ("InfoNCE", ("info_nce",)),
    ("cosine", ("positive", "nearest_negative")),
    ("KoLeo", ("koleo",)),
    ("learning rate", ("rate",)),
)


def draw_curves(log: Path, picture: Path) -> None:
    """One panel a quantity, over the views that the network has seen."""
    from matplotlib.figure import Figure

    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    figure = Figure(figsize=(10, 6), layout="constrained")
    for axes, (title, names) in zip(figure.subplots(2, 2).flat, CURVES, strict=True):
        for name in names:
            axes.plot([line["step"] for line in lines], [line[name] for line in lines], label=name.replace("_", " "))
        axes.set_title(title)
        axes.set_xlabel("steps")
        axes.grid(alpha=0.3)
        if len(names) > 1:
            axes.legend(frameon=False)
    figure.savefig(picture, dpi=110)
