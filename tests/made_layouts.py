"""Pictures put together as pirates do it, with the rectangles that are known from construction."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from tests.made_scenes import Picture, picture
from vcd.types import Rectangle

WIDTH, HEIGHT = 320, 180
Draw = Callable[[float], Picture]
Made = tuple[list[Picture], list[Rectangle]]
"""Pictures of a few moments, and the parts that show a picture of their own."""


def film(first: int, every_s: float = 3.0) -> Draw:
    """A film with cuts, 320 x 180, without the grain that made scenes have so much more of than films."""

    def draw(t_s: float) -> Picture:
        shown = picture(first + int(t_s // every_s), t_s, (WIDTH, HEIGHT))
        return cv2.GaussianBlur(shown, (0, 0), 2.5).astype(np.uint8, copy=False)

    return draw


def scaled(shown: Picture, width: int, height: int) -> Picture:
    return cv2.resize(shown, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def shoot(draw: Draw, count: int = 24) -> list[Picture]:
    """Pictures a bit more than a second apart, as an encoder leaves them."""
    shots = []
    for number in range(count):
        _, coded = cv2.imencode(".jpg", draw(1.3 * number), [cv2.IMWRITE_JPEG_QUALITY, 70])
        shots.append(cv2.imdecode(coded, cv2.IMREAD_COLOR).astype(np.uint8, copy=False))
    return shots


def boxed(ground: Draw, box: tuple[int, int, int, int], inner: Draw) -> Draw:
    """One film, whole, in a box (left, top, width, height) of another picture."""

    def draw(t_s: float) -> Picture:
        canvas = ground(t_s).copy()
        left, top, width, height = box
        canvas[top : top + height, left : left + width] = scaled(inner(t_s), width, height)
        return canvas

    return draw


def plain(colour: Sequence[int], width: int = WIDTH, height: int = HEIGHT) -> Draw:
    return lambda t_s: np.full((height, width, 3), colour, dtype=np.uint8)


def template(t_s: float) -> Picture:
    """A patterned ground that never changes."""
    return picture(900, 0.0, (WIDTH, HEIGHT))


def blurred(inner: Draw, width: int, height: int) -> Draw:
    """The same picture enlarged to fill the frame, and blurred."""

    def draw(t_s: float) -> Picture:
        shown = inner(t_s)
        scale = max(width / shown.shape[1], height / shown.shape[0])
        large = cv2.resize(shown, None, fx=scale, fy=scale)
        top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
        return cv2.GaussianBlur(large[top : top + height, left : left + width], (0, 0), height / 25).astype(np.uint8)

    return draw


def rectangle(box: tuple[int, int, int, int], width: int = WIDTH, height: int = HEIGHT) -> Rectangle:
    left, top, across, down = box
    return Rectangle(left / width, top / height, (left + across) / width, (top + down) / height)
