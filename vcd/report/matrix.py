"""Two `Descriptors` and the segments between them -> a picture that shows why each row is there.

How alike every moment of the query and every moment of the reference look, with a corridor around each segment: a copy
is a dark line that begins and ends with its corridor.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vcd.errors import printable
from vcd.report.figure import FAINT, INK, Box, Colour, Point, Sheet, axes, clock_label, ticks
from vcd.report.rows import in_order
from vcd.report.table import clock_span, how
from vcd.types import Descriptors, Segment

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 1200, 96, 120, 92, 66
MOST_HEIGHT, LEAST_HEIGHT = 900, 300
"""Of the matrix."""
CORRIDOR_PX = 7.0
ROW_PX = 26
MOST_ROWS = 20
"""Segments listed below the matrix."""
SCALE = np.array(
    [[255, 255, 255], [224, 236, 241], [166, 201, 214], [96, 152, 178], [45, 98, 135], [18, 50, 84], [6, 22, 46]],
    dtype=np.float64,
)
"""From unrelated (white) to identical."""
COLOURS: tuple[Colour, ...] = ((222, 85, 20), (23, 138, 74), (150, 50, 165), (196, 30, 58), (176, 126, 0))


def draw_matrix(
    views: Sequence[Descriptors], reference: Descriptors, segments: Sequence[Segment], unrelated_similarity: float
) -> bytes:
    """A PNG of the similarities of all views of a query (the greatest counts) to a reference, and the segments."""
    query = views[0]
    durations_s = _length_s(query), _length_s(reference)
    across = WIDTH - LEFT - RIGHT
    down = int(np.clip(across * durations_s[0] / durations_s[1], LEAST_HEIGHT, MOST_HEIGHT))
    ordered = in_order(segments)
    listed = ordered[:MOST_ROWS]
    sheet = Sheet(WIDTH, TOP + down + BOTTOM + ROW_PX * (max(1, len(listed)) + 1) + 14)
    box = (float(LEFT), float(TOP), float(LEFT + across), float(TOP + down))
    margins = np.max([margin_map(view, reference, unrelated_similarity, down, across) for view in views], axis=0)
    sheet.paste(colour(margins), box)
    axes(
        sheet,
        box,
        [(at_s / durations_s[1], clock_label(at_s)) for at_s in ticks(durations_s[1], 12)],
        [(at_s / durations_s[0], clock_label(at_s)) for at_s in ticks(durations_s[0], max(4, down // 70))],
    )
    _name(sheet, box, query.name, reference.name)
    _legend(sheet, box)
    for number, segment in enumerate(ordered):
        _corridor(sheet, box, segment, durations_s, number)
    _list(sheet, listed, len(ordered), TOP + down + BOTTOM)
    return sheet.as_png()


def margin_map(
    query: Descriptors, reference: Descriptors, unrelated_similarity: float, down: int, across: int
) -> NDArray[np.float32]:
    """float32 (down, across): of all frames shown in a cell's time the greatest margin, 0 to 1; each frame is shown
    until the next. Memory is that of the map and of one row's similarities.
    """
    rows, columns = _cells(query, down), _cells(reference, across)
    found = np.zeros((down, across), dtype=np.float32)
    for number, (first, stop) in enumerate(rows):
        if stop > first:
            some = query.vectors[first:stop] @ reference.vectors.T - query.bias[first:stop, None]
            best = some.max(axis=0)
            starts, stops = columns[:, 0], columns[:, 1]
            greatest = best[np.minimum(starts, len(best) - 1)]
            wide = np.flatnonzero(stops - starts > 1)
            for column in wide:
                greatest[column] = best[starts[column] : stops[column]].max()
            found[number] = np.where(stops > starts, greatest, unrelated_similarity)
    margins = (found - unrelated_similarity) / (1 - unrelated_similarity)
    return np.asarray(np.clip(margins, 0, 1), dtype=np.float32)


def _cells(side: Descriptors, count: int) -> NDArray[np.int64]:
    """int64 (count, 2): first and stop of the frames that each of `count` equal stretches of the file shows."""
    edges_s = np.linspace(0, _length_s(side), count + 1)
    first = np.maximum(0, np.searchsorted(side.times_s, edges_s[:-1], side="right") - 1)
    stop = np.maximum(first + 1, np.searchsorted(side.times_s, edges_s[1:], side="left"))
    return np.stack([first, np.minimum(stop, len(side))], axis=1)


def colour(margins: NDArray[np.float32]) -> NDArray[np.uint8]:
    """uint8 (H, W, 3) of margins (H, W)."""
    at = np.linspace(0, 1, len(SCALE))
    channels = [np.interp(margins, at, SCALE[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def _length_s(side: Descriptors) -> float:
    return max(side.info.duration_s, float(side.times_s[-1]) if len(side) else 0.0, 0.04)


def _name(sheet: Sheet, box: Box, query: str, reference: str) -> None:
    left, top, right, bottom = box
    names = [
        sheet.fitting(printable(name), (right - left) / 2 - 60, 16) for name in (Path(query).name, Path(reference).name)
    ]
    sheet.text((left, 34), f"{names[0]}   in   {names[1]}", 16)
    sheet.text(
        (left, 60), "how alike each moment of both looks; a copy is a dark line, framed where it was found", 13, FAINT
    )
    sheet.text(((left + right) / 2, bottom + 32), "time in the reference", 14, INK, "ma")
    sheet.text_upwards((26, (top + bottom) / 2), "time in the query", 14)


def _legend(sheet: Sheet, box: Box) -> None:
    """The scale of colours, right of the matrix."""
    left, top, high = box[2] + 26, box[1], min(220.0, box[3] - box[1])
    steps = np.linspace(1, 0, 200, dtype=np.float32)[:, None]
    sheet.paste(colour(np.repeat(steps, 16, axis=1)), (left, top, left + 16, top + high))
    sheet.line([(left, top), (left + 16, top), (left + 16, top + high), (left, top + high), (left, top)], FAINT)
    sheet.text((left + 24, top), "identical", 12, FAINT, "la")
    sheet.text((left + 24, top + high), "unrelated", 12, FAINT, "ls")


def _corridor(sheet: Sheet, box: Box, segment: Segment, durations_s: tuple[float, float], number: int) -> None:
    """Two lines beside the segment's own, closed at both ends, and its number where it begins."""
    q, r = segment.query_span, segment.reference_span
    r_ends_s = (r.start_s, r.end_s) if segment.speed > 0 else (r.end_s, r.start_s)
    ends = [_place(box, q_s, r_s, durations_s) for q_s, r_s in zip((q.start_s, q.end_s), r_ends_s, strict=True)]
    (x0, y0), (x1, y1) = ends
    length = float(np.hypot(x1 - x0, y1 - y0))
    tint = COLOURS[number % len(COLOURS)]
    if length < 1:
        sheet.line([(x0 - 8, y0), (x0 + 8, y0)], tint, 2)
        sheet.line([(x0, y0 - 8), (x0, y0 + 8)], tint, 2)
    else:
        aside = CORRIDOR_PX / length * (y1 - y0), -CORRIDOR_PX / length * (x1 - x0)
        one = [(x + aside[0], y + aside[1]) for x, y in ends]
        other = [(x - aside[0], y - aside[1]) for x, y in ends]
        for width, ink in ((3.6, (255, 255, 255)), (1.8, tint)):
            for side in (one, other):
                sheet.line(side, ink, width, dash=8.0 if segment.mirrored else 0.0)
            for first, last in zip(one, other, strict=True):
                sheet.line([first, last], ink, width)
    left, top, right, bottom = box
    at = float(np.clip(x0 + 20, left + 14, right - 14)), float(np.clip(y0 - 14, top + 14, bottom - 14))
    _badge(sheet, at, number, tint)


def _badge(sheet: Sheet, at: Point, number: int, tint: Colour) -> None:
    sheet.dot(at, 10, tint, (255, 255, 255))
    sheet.text(at, str(number + 1), 12, (255, 255, 255), "mm")


def _place(box: Box, q_s: float, r_s: float, durations_s: tuple[float, float]) -> Point:
    left, top, right, bottom = box
    return left + (right - left) * r_s / durations_s[1], top + (bottom - top) * q_s / durations_s[0]


def _list(sheet: Sheet, listed: Sequence[Segment], total: int, top: float) -> None:
    columns = (LEFT + 28, LEFT + 210, LEFT + 400, LEFT + 490)
    if not listed:
        sheet.text((LEFT, top + 8), "no copy found", 14)
        return
    for x, title in zip(columns, ("query", "reference", "score", ""), strict=True):
        sheet.text((x, top + 8), title, 13, FAINT)
    for number, segment in enumerate(listed):
        y = top + ROW_PX * (number + 1) + 16
        _badge(sheet, (LEFT + 10, y), number, COLOURS[number % len(COLOURS)])
        cells = (
            clock_span(segment.query_span),
            clock_span(segment.reference_span),
            f"{segment.score:.2f}",
            how(segment),
        )
        for x, text in zip(columns, cells, strict=True):
            sheet.text((x, y), text, 14, INK, "lm")
    if total > len(listed):
        sheet.text((columns[3], top + 8), f"and {total - len(listed)} more", 13, FAINT)
