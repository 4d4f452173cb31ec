"""Drawing on a picture what pirates and broadcasters draw: subtitles, captions, logos, stickers."""

import string

import cv2
import numpy as np
from numpy.random import Generator

from vcd.types import Picture

FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX,
         cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_PLAIN)  # fmt: skip
LETTERS = np.array(list(string.ascii_letters + string.digits + "    .,!?-"))


def overlay(picture: Picture, rng: Generator) -> Picture:
    """A copy with none, one or several things drawn on it."""
    drawn = picture.copy()
    if rng.random() < 0.35:
        drawn = _text(drawn, rng)
    if rng.random() < 0.25:
        drawn = _logo(drawn, rng)
    if rng.random() < 0.12:
        drawn = _blurred_patch(drawn, rng)
    return drawn


def _colour(rng: Generator) -> tuple[int, int, int]:
    """White, black or yellow most often."""
    usual = ((255, 255, 255), (0, 0, 0), (255, 220, 0))
    if rng.random() < 0.7:
        return usual[int(rng.integers(3))]
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


def _text(picture: Picture, rng: Generator) -> Picture:
    """One to three lines, at the bottom more often than elsewhere, perhaps on a bar."""
    side = picture.shape[0]
    layer = picture.copy()
    lines = int(rng.integers(1, 4))
    size = rng.uniform(0.05, 0.16) * side
    top = rng.uniform(0.6, 0.9) * side if rng.random() < 0.6 else rng.uniform(0, 0.9) * side
    if rng.random() < 0.3:
        bar = int(top), int(min(side, top + 1.3 * lines * size))
        layer[bar[0] : bar[1]] = _colour(rng)
    for line in range(lines):
        words = "".join(rng.choice(LETTERS, int(rng.integers(4, 28))))
        place = int(rng.uniform(0, 0.4) * side), int(top + (line + 0.9) * 1.25 * size)
        font, colour = FONTS[int(rng.integers(len(FONTS)))], _colour(rng)
        thick = int(rng.integers(1, 3))
        if rng.random() < 0.5:
            cv2.putText(layer, words, place, font, size / 30, (0, 0, 0), thick + 2, cv2.LINE_AA)
        cv2.putText(layer, words, place, font, size / 30, colour, thick, cv2.LINE_AA)
    return _blend(layer, picture, rng)


def _logo(picture: Picture, rng: Generator) -> Picture:
    """One or two filled shapes of up to a third of the side, near a corner or anywhere."""
    side = picture.shape[0]
    layer = picture.copy()
    for _ in range(int(rng.integers(1, 3))):
        radius = int(rng.uniform(0.03, 0.16) * side)
        if rng.random() < 0.6:
            middle = tuple(int(radius + (side - 2 * radius) * round(rng.random())) for _ in range(2))
        else:
            middle = tuple(int(v) for v in rng.integers(0, side, 2))
        kind = int(rng.integers(3))
        if kind == 0:
            cv2.circle(layer, middle, radius, _colour(rng), -1, cv2.LINE_AA)
        elif kind == 1:
            corners = [(middle[0] - radius, middle[1] - radius), (middle[0] + radius, middle[1] + radius // 2)]
            cv2.rectangle(layer, corners[0], corners[1], _colour(rng), -1)
        else:
            points = (np.array(middle) + rng.uniform(-radius, radius, (6, 2))).astype(np.int32)
            cv2.fillPoly(layer, [points], _colour(rng), cv2.LINE_AA)
    return _blend(layer, picture, rng)


def _blurred_patch(picture: Picture, rng: Generator) -> Picture:
    """A rectangle blurred away, as logos are removed."""
    side = picture.shape[0]
    high, wide = (int(v * side) for v in rng.uniform(0.1, 0.4, 2))
    top, left = int(rng.integers(0, side - high)), int(rng.integers(0, side - wide))
    patch = picture[top : top + high, left : left + wide]
    patch[:] = cv2.blur(patch, (9, 9))
    return picture


def _blend(layer: Picture, picture: Picture, rng: Generator) -> Picture:
    opacity = 1.0 if rng.random() < 0.6 else float(rng.uniform(0.2, 1))
    return np.asarray(cv2.addWeighted(layer, opacity, picture, 1 - opacity, 0), dtype=np.uint8)
