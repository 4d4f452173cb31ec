"""A `Difference` as a picture."""

from collections.abc import Sequence

import cv2
import numpy as np

from vcd.types import Picture
from vcd.verify.difference import Change, Difference

TITLE_PX = 22
"""Height of the line above each moment."""
MARKS: dict[Change, tuple[int, int, int]] = {
    "covered": (230, 60, 40),
    "removed": (250, 190, 30),
    "recoloured": (60, 140, 250),
}
"""Colour of the frame around a place, by what was done there."""


def draw_difference(query: Picture, difference: Difference) -> tuple[Picture, Picture]:
    """The query with a frame around each place that differs, and beside it the reference as it lies there, in grey,
    with heat on it: uint8 (H, W, 3) each; what only the query has is hatched."""
    marked = query.copy()
    thick = max(2, round(query.shape[1] / 200))
    for box in difference.boxes:
        ends = (box.left, box.top), (box.right - 1, box.bottom - 1)
        cv2.rectangle(marked, *ends, (255, 255, 255), 2 * thick)
        cv2.rectangle(marked, *ends, MARKS[box.change], thick)
    grey = cv2.cvtColor(difference.laid, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    level = np.round(255 * difference.heat).astype(np.uint8)
    hot = cv2.cvtColor(cv2.applyColorMap(level, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB).astype(np.float32)
    share = np.sqrt(difference.heat)[..., None]
    heat = 0.6 * grey * (1 - share) + hot * share
    rows, columns = np.indices(difference.common.shape)
    hatched = np.where((rows + columns) // (2 * thick) % 2, 70, 40)[..., None]
    heat = np.where(difference.common[..., None], heat, hatched)
    return marked, heat.astype(np.uint8)


def beside(query: Picture, difference: Difference) -> Picture:
    """uint8 (H, 3 W, 3): query with frames, reference as it lies in the query, and heat."""
    marked, heat = draw_difference(query, difference)
    return np.hstack([marked, difference.laid, heat])


def difference_png(drawn: Sequence[tuple[str, Picture]]) -> bytes:
    """Pictures, as `beside` draws them, one below the other as a PNG, each with a title of plain ASCII above it.

    Raises `ValueError` when there are none.
    """
    width = max(picture.shape[1] for _, picture in drawn)
    rows = []
    for title, picture in drawn:
        line = np.zeros((TITLE_PX, width, 3), dtype=np.uint8)
        cv2.putText(line, title, (6, TITLE_PX - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
        rows += [line, np.pad(picture, ((0, 0), (0, width - picture.shape[1]), (0, 0)))]
    return cv2.imencode(".png", cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))[1].tobytes()  # type: ignore[no-any-return]
