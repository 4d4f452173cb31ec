"""Where a picture shows text: letters have many corners, and the same words stand on pictures of different things.

Strong edges are joined along lines (the gradient and closing of classical text spotting, as in Epshtein et al., CVPR
2010, section 1, lists them); a box stays when it holds two brightnesses, ink and what is around it, and a row of
several pieces of ink of about its height. Misses of single letters and of handwriting cost little: they weigh as much
as anything else in the picture then.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.view import Picture

JOIN = 0.05
"""Letters this near to each other, in shorter sides of the picture, are one line."""
HEIGHTS = 0.025, 0.25
"""How high a line may be, in shorter sides."""
LONG = 1.5
"""A line is so many times as wide as high, at least."""
TWO_TONE = 0.72
"""Share of the variance of brightness in the box that ink and its surroundings explain."""
INK = 0.08, 0.6
"""Share of the box that is ink."""
FEWEST_LETTERS = 3
LETTER_HEIGHT = 0.3
"""A piece of ink lower than this share of the line is a dot or dirt."""
MOST_BOXES = 200
"""A picture with more boxes is a texture; the largest are looked at."""


def find_text(picture: Picture) -> NDArray[np.uint8]:
    """uint8 (H, W): 255 where there are lines of text, else 0."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    short = min(grey.shape)
    found = np.zeros(grey.shape, dtype=np.uint8)
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), dtype=np.uint8))
    _, strong = cv2.threshold(edges, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    width = max(3, round(JOIN * short))
    lines = cv2.morphologyEx(strong, cv2.MORPH_CLOSE, np.ones((1, width), dtype=np.uint8))
    lines = cv2.morphologyEx(lines, cv2.MORPH_OPEN, np.ones((3, width), dtype=np.uint8))
    _, _, boxes, _ = cv2.connectedComponentsWithStats(lines)
    boxes = boxes[1:]
    for left, top, across, down, _ in boxes[np.argsort(-boxes[:, cv2.CC_STAT_AREA], kind="stable")][:MOST_BOXES]:
        fits = HEIGHTS[0] * short <= down <= HEIGHTS[1] * short and across >= LONG * down
        if fits and _is_line(grey[top : top + down, left : left + across]):
            found[top : top + down, left : left + across] = 255
    return np.asarray(cv2.dilate(found, np.ones((5, 5), dtype=np.uint8)), dtype=np.uint8)


def _is_line(box: NDArray[np.uint8]) -> bool:
    """Whether it is of two brightnesses, of which one makes letters in a row."""
    _, bright = cv2.threshold(box, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    share = float(bright.mean())
    variance = float(box.var())
    if variance == 0 or not 0 < share < 1:
        return False
    means = float(box[bright == 1].mean()), float(box[bright == 0].mean())
    if share * (1 - share) * (means[0] - means[1]) ** 2 < TWO_TONE * variance:
        return False
    return any(INK[0] <= part <= INK[1] and _letters(ink) for ink, part in ((bright, share), (1 - bright, 1 - share)))


def _letters(ink: NDArray[np.uint8]) -> bool:
    height, width = ink.shape
    _, _, pieces, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8))
    tall = pieces[1:, cv2.CC_STAT_HEIGHT] >= LETTER_HEIGHT * height
    narrow = pieces[1:, cv2.CC_STAT_WIDTH] <= max(2 * height, width / FEWEST_LETTERS)
    return int((tall & narrow).sum()) >= FEWEST_LETTERS
