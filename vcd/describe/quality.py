"""How much a picture can say: little where it is flat or black, or text on a plain ground."""

import cv2
import numpy as np

from vcd.types import Picture

FULL_CONTRAST = 24.0
"""Standard deviation of luminance (of 255) from which a picture is worth its full weight."""
LONG_SIDE_PX = 200
GROUND_LEVELS = 10
"""Luminance so near to the commonest one is ground."""
GROUND_SHARE = 0.6, 0.8
"""From the first share of ground on a picture may be a slate, from the second it may be nothing else."""
INK_LEVELS = 50
"""Ink differs from the ground by so much."""
STROKE = 0.03
"""Strokes are narrower than this share of the picture's longer side: up to a title over half of it."""
INK_SHARE = 0.6, 0.85
"""Share of what is no ground that is strokes: from the first on it may be text, from the second it is."""
SLATE_WORTH = 0.2
"""Quality that is left of a text slate: the same words stand in many films, and all credits look alike."""

DETAIL_SIDE_PX, CELL_PX = 64, 8
DETAILED = 4.0
"""Standard deviation of luminance (of 255) in a cell above which there is something to see in it."""
DOUBT = 0.2
"""How much more alike than a full part one without detail has to look: nearly flat ones look like nearly flat pictures.

Chosen on development pictures from 0.1, 0.2 and 0.4: with blind parts, recall at 90 % precision of quarter crops is
0.38 without it and 0.78 with it; that of pictures in pictures stays."""


def detail(picture: Picture) -> float:
    """From 0 (flat, black, a soft gradient) to 1: share of the cells of an 8 x 8 grid in which there is something."""
    size = (DETAIL_SIDE_PX, DETAIL_SIDE_PX)
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    cells = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    count = DETAIL_SIDE_PX // CELL_PX
    spread = cells.reshape(count, CELL_PX, count, CELL_PX).std(axis=(1, 3))
    return float((spread > DETAILED).mean())


def part_doubt(picture: Picture) -> float:
    """What is taken off the similarities of a part that was cut out without seeing what it shows; 0 to `DOUBT`."""
    return DOUBT * (1 - detail(picture))


def picture_quality(picture: Picture) -> float:
    """From 0 (black or flat) to 1, by the contrast of its luminance; text slates and credits are worth a fifth."""
    step = max(1, max(picture.shape[:2]) // LONG_SIDE_PX)
    luminance = cv2.cvtColor(np.ascontiguousarray(picture[::step, ::step]), cv2.COLOR_RGB2GRAY)
    contrast = min(1.0, float(luminance.std()) / FULL_CONTRAST)
    return contrast * (1 - (1 - SLATE_WORTH) * _slateness(luminance.astype(np.uint8, copy=False)))


def _slateness(luminance: np.ndarray) -> float:
    """From 0 to 1: how surely it is thin strokes of text, drawings or lines upon one plain ground."""
    levels = np.convolve(np.bincount(luminance.ravel(), minlength=256), np.ones(5), "same")
    away = cv2.absdiff(luminance, np.full_like(luminance, int(np.argmax(levels))))
    ground = _ramp(float((away <= GROUND_LEVELS).mean()), GROUND_SHARE)
    if ground == 0:
        return 0.0
    other = (away > GROUND_LEVELS).astype(np.uint8)
    width = max(3, round(STROKE * max(luminance.shape))) | 1
    broad = cv2.morphologyEx(other, cv2.MORPH_OPEN, np.ones((width, width), dtype=np.uint8))
    count = int(other.sum())
    if count == 0:
        return 0.0
    thin = 1 - float(broad.sum()) / count
    strong = float((away > INK_LEVELS).sum()) / count
    return ground * _ramp(thin, INK_SHARE) * _ramp(strong, (0.2, 0.4))


def _ramp(value: float, ends: tuple[float, float]) -> float:
    return min(1.0, max(0.0, (value - ends[0]) / (ends[1] - ends[0])))
