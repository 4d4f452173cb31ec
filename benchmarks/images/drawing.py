"""What pirates put onto pictures: text, logos, other pictures, borders. Sizes are shares of the shorter side."""

import string

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vcd.types import Picture

Rng = np.random.Generator
BRIGHT = 160
"""Channels of bright colours start here."""


def draw_text(picture: Picture, rng: Rng, size: float, at: float) -> Picture:
    """A line of outlined letters in the middle of the width, its top at the share `at` of the height."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(8, size * min(image.size)))
    words = ["".join(rng.choice(list(string.ascii_lowercase), rng.integers(2, 9))) for _ in range(5)]
    text = " ".join(words).capitalize()
    while len(text) > 4 and draw.textlength(text, font=font) > 0.95 * image.width:
        text = text[:-1]
    colour = tuple(int(value) for value in rng.integers(BRIGHT, 256, 3))
    left = (image.width - draw.textlength(text, font=font)) / 2
    draw.text((left, at * image.height), text, fill=colour, font=font, stroke_width=1, stroke_fill=(0, 0, 0))
    return np.asarray(image)


def draw_logo(picture: Picture, rng: Rng, size: float) -> Picture:
    """A half transparent badge with a letter in one of the corners."""
    image = Image.fromarray(picture)
    side = max(8, round(size * min(image.size)))
    badge = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(badge)
    colour = (*(int(value) for value in rng.integers(0, 256, 3)), int(rng.integers(150, 256)))
    shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
    shape((0, 0, side - 1, side - 1), fill=colour)
    letter = str(rng.choice(list(string.ascii_uppercase)))
    font = ImageFont.load_default(0.7 * side)
    draw.text((side / 2, side / 2), letter, fill=(255, 255, 255, 230), font=font, anchor="mm")
    gap = round(0.04 * min(image.size))
    left = gap if rng.random() < 0.5 else image.width - side - gap
    top = gap if rng.random() < 0.5 else image.height - side - gap
    image.paste(badge, (left, top), badge)
    return np.asarray(image)


def place(onto: Picture, picture: Picture, share: float, rng: Rng) -> Picture:
    """`picture`, its longer side the `share` of what would just fit, somewhere inside `onto`."""
    height, width = onto.shape[:2]
    scale = share * min(width / picture.shape[1], height / picture.shape[0])
    small = resize(picture, scale)
    rows, columns = small.shape[:2]
    top, left = int(rng.integers(0, height - rows + 1)), int(rng.integers(0, width - columns + 1))
    placed = onto.copy()
    placed[top : top + rows, left : left + columns] = small
    return placed


def resize(picture: Picture, scale: float) -> Picture:
    height, width = picture.shape[:2]
    size = max(1, round(scale * width)), max(1, round(scale * height))
    smaller = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=smaller), dtype=np.uint8)


def border(picture: Picture, rng: Rng, top_bottom: float, left_right: float, black: bool = False) -> Picture:
    """Bars of one colour; widths are shares of the height and the width."""
    height, width = picture.shape[:2]
    rows, columns = round(top_bottom * height), round(left_right * width)
    colour = (0, 0, 0) if black else tuple(int(value) for value in rng.integers(0, 256, 3))
    framed = cv2.copyMakeBorder(picture, rows, rows, columns, columns, cv2.BORDER_CONSTANT, value=colour)
    return np.asarray(framed, dtype=np.uint8)
