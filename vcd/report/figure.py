"""A sheet to draw diagrams on: smooth lines, text in the font that Pillow brings, axes with round numbers."""

import io
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

FINER = 2
"""Drawn at so many times the size and shrunk: smooth edges."""
PAPER: Colour = (255, 255, 255)
INK: Colour = (33, 37, 43)
FAINT: Colour = (120, 126, 135)
GRID: Colour = (226, 229, 233)
STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000)


class Sheet:
    """A white page; all sizes in pixels of the finished picture."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._image = Image.new("RGB", (width * FINER, height * FINER), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def paste(self, picture: NDArray[np.uint8], box: Box) -> None:
        """uint8 (H, W, 3), RGB, scaled to the box without smoothing."""
        left, top, right, bottom = (round(value * FINER) for value in box)
        scaled = Image.fromarray(picture).resize((right - left, bottom - top), Image.Resampling.NEAREST)
        self._image.paste(scaled, (left, top))

    def line(self, points: Sequence[Point], colour: Colour, width: float = 1.0, dash: float = 0.0) -> None:
        """A line through the points; with `dash` only so many pixels of it, then as many not."""
        pieces = _dashes(points, dash) if dash else [list(points)]
        for piece in pieces:
            scaled = [(x * FINER, y * FINER) for x, y in piece]
            self._draw.line(scaled, fill=colour, width=max(1, round(width * FINER)), joint="curve")

    def box(self, box: Box, outline: Colour | None = None, fill: Colour | None = None, round_px: float = 0) -> None:
        scaled = tuple(value * FINER for value in box)
        self._draw.rounded_rectangle(scaled, round_px * FINER, fill=fill, outline=outline, width=FINER)

    def dot(self, at: Point, radius: float, fill: Colour, outline: Colour | None = None) -> None:
        x, y, r = at[0] * FINER, at[1] * FINER, radius * FINER
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=outline, width=FINER)

    def text(self, at: Point, text: str, size: int = 14, colour: Colour = INK, anchor: str = "la") -> None:
        """`anchor` as Pillow has it: horizontally l, m or r, vertically a (top), m or s (base line)."""
        self._draw.text((at[0] * FINER, at[1] * FINER), text, colour, _font(size), anchor=anchor)

    def text_upwards(self, at: Point, text: str, size: int = 14, colour: Colour = INK) -> None:
        """Text that reads from below, its middle at the point."""
        font = _font(size)
        left, top, right, bottom = (int(value) for value in font.getbbox(text))
        strip = Image.new("RGB", (right - left + 4, bottom - top + 4), PAPER)
        ImageDraw.Draw(strip).text((2 - left, 2 - top), text, colour, font)
        turned = strip.rotate(90, expand=True)
        self._image.paste(turned, (round(at[0] * FINER - turned.width / 2), round(at[1] * FINER - turned.height / 2)))

    def text_width(self, text: str, size: int = 14) -> float:
        return float(_font(size).getlength(text)) / FINER

    def fitting(self, text: str, width: float, size: int = 14) -> str:
        """The text, its beginning left out where it is wider than that."""
        shown = text
        while len(shown) > 4 and self.text_width(shown, size) > width:
            shown = "…" + shown.lstrip("…")[max(1, len(shown) // 20) :]
        return shown

    def as_png(self) -> bytes:
        content = io.BytesIO()
        small = self._image.resize((self.width, self.height), Image.Resampling.LANCZOS)
        small.save(content, "PNG", optimize=True)
        return content.getvalue()


def ticks(length_s: float, most: int) -> list[float]:
    """Round moments from 0 to the end, at most so many and one more."""
    step_s = next((step for step in STEPS_S if length_s / step <= most), STEPS_S[-1])
    return [number * step_s for number in range(int(length_s / step_s + 1e-9) + 1)]


def clock_label(seconds: float) -> str:
    """``1:05`` or ``1:02:05``; with a tenth where it has one."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    second = f"{rest / 10:04.1f}" if rest % 10 else f"{rest // 10:02d}"
    return f"{hours}:{minutes:02d}:{second}" if hours else f"{minutes}:{second}"


def axes(sheet: Sheet, box: Box, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]]) -> None:
    """A frame with ticks and labels at shares (0 to 1) of its width from the left and of its height from the top."""
    left, top, right, bottom = box
    for share, label in x_ticks:
        x = left + share * (right - left)
        sheet.line([(x, bottom), (x, bottom + 5)], FAINT)
        sheet.text((x, bottom + 9), label, 13, FAINT, "ma")
    for share, label in y_ticks:
        y = top + share * (bottom - top)
        sheet.line([(left - 5, y), (left, y)], FAINT)
        sheet.text((left - 9, y), label, 13, FAINT, "rm")
    sheet.line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], FAINT)


def _dashes(points: Sequence[Point], dash: float) -> list[list[Point]]:
    (x0, y0), (x1, y1) = points[0], points[-1]
    length = max(1e-6, float(np.hypot(x1 - x0, y1 - y0)))
    at: Callable[[float], Point] = lambda d: (x0 + (x1 - x0) * d / length, y0 + (y1 - y0) * d / length)  # noqa: E731
    return [[at(d), at(min(length, d + dash))] for d in np.arange(0, length, 2 * dash).tolist()]


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size * FINER)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
