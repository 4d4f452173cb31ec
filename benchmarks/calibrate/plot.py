"""The check of a calibration -> its reliability plot."""

from collections.abc import Mapping
from typing import Any

from vcd.report.figure import FAINT, GRID, INK, Colour, Sheet, axes

SIDE, LEFT, TOP = 420, 80, 90
SHOWN: tuple[tuple[str, str, Colour], ...] = (
    ("evidence_alone", "from the evidence along the line", (45, 98, 135)),
    ("as_shown", "with local features where that is unsure", (222, 85, 20)),
)


def draw_reliability(name: str, checked: Mapping[str, Any]) -> bytes:
    """A PNG: of the rows with about that score, what share was true; dots are as large as there are many rows."""
    sheet = Sheet(LEFT + SIDE + 330, TOP + SIDE + 90)
    box = (float(LEFT), float(TOP), float(LEFT + SIDE), float(TOP + SIDE))
    shares = [number / 5 for number in range(6)]
    for share in shares[1:-1]:
        sheet.line([(LEFT + share * SIDE, TOP), (LEFT + share * SIDE, TOP + SIDE)], GRID)
        sheet.line([(LEFT, TOP + share * SIDE), (LEFT + SIDE, TOP + share * SIDE)], GRID)
    sheet.line([(LEFT, TOP + SIDE), (LEFT + SIDE, TOP)], FAINT, dash=6)
    axes(sheet, box, [(s, f"{s:.1f}") for s in shares], [(1 - s, f"{s:.1f}") for s in shares])
    sheet.text((LEFT, 30), f"Do scores mean what they say? Model {name}", 17)
    sheet.text((LEFT, 58), "segments of a corpus that nothing was fitted to", 13, FAINT)
    sheet.text((LEFT + SIDE / 2, TOP + SIDE + 34), "score", 14, INK, "ma")
    sheet.text_upwards((24, TOP + SIDE / 2), "share of true segments", 14)
    for number, (key, label, colour) in enumerate(SHOWN):
        part = checked[key]
        points = [(LEFT + b["mean_score"] * SIDE, TOP + (1 - b["true_share"]) * SIDE) for b in part["reliability"]]
        sheet.line(points, colour, 2)
        for point, found in zip(points, part["reliability"], strict=True):
            sheet.dot(point, 3 + 9 * float(found["share"]) ** 0.5, colour, (255, 255, 255))
        y = TOP + 10 + 92 * number
        sheet.dot((LEFT + SIDE + 34, y + 8), 6, colour)
        lines = (
            label, f"{part['true']} true, {part['false']} false segments", f"calibration error (ECE) {part['ece']:.3f}",
            f"99 % precision from {part['least_score_with_precision_99'] or 1:.2f} on",
        )  # fmt: skip
        for row, text in enumerate(lines):
            sheet.text((LEFT + SIDE + 48, y + 19 * row), text, 13, INK if row == 0 else FAINT)
    return sheet.as_png()
