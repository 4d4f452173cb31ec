"""Pictures with transparent grounds that are laid over films: captions, logos, stickers, the pattern of a screen."""

from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
WORDS = (
    "watch until the end", "follow for more", "part two tomorrow", "you will not believe this", "new every day",
    "share with a friend", "the best moments", "only here", "wait for it", "best scene ever", "number one",
)  # fmt: skip
INKS: tuple[Colour, ...] = ((255, 255, 255), (255, 220, 40), (240, 60, 60), (60, 200, 120), (80, 160, 255))


def _ink(random: np.random.Generator) -> Colour:
    return INKS[int(random.integers(len(INKS)))]


def caption(height_px: int, random: np.random.Generator, ground: int = 0, words: int = 1) -> Image.Image:
    """A line of text, so many pixels high, with a dark outline, upon a box of that opacity (0 to 255)."""
    text = "   ".join(WORDS[int(random.integers(len(WORDS)))] for _ in range(words))
    font = ImageFont.load_default(max(8, round(height_px * 0.7)))
    width_px = round(font.getlength(text)) + height_px
    image = Image.new("RGBA", (width_px, height_px), (0, 0, 0, ground))
    ImageDraw.Draw(image).text(
        (width_px / 2, height_px / 2), text, (*_ink(random), 255), font, "mm",
        stroke_width=max(1, height_px // 24), stroke_fill=(0, 0, 0, 255),
    )  # fmt: skip
    return image


def logo(width_px: int, random: np.random.Generator, opacity: float = 1.0) -> Image.Image:
    """A station's sign: a letter or two in a rounded box."""
    height_px = max(8, round(width_px * 0.6))
    image = Image.new("RGBA", (width_px, height_px))
    draw = ImageDraw.Draw(image)
    alpha = round(255 * opacity)
    back, front = (INKS[int(number)] for number in random.permutation(len(INKS))[:2])
    draw.rounded_rectangle((0, 0, width_px - 1, height_px - 1), height_px / 4, (*back, alpha))
    letters = "".join(chr(int(letter)) for letter in random.integers(65, 91, 2))
    font = ImageFont.load_default(max(8, round(height_px * 0.7)))
    draw.text((width_px / 2, height_px / 2), letters, (*front, alpha), font, "mm")
    return image


def watermark(size_px: tuple[int, int], random: np.random.Generator, opacity: float, rows: int) -> Image.Image:
    """Translucent text in rows all over the picture, slanted."""
    width_px, height_px = size_px
    side_px = round(1.5 * max(size_px))
    image = Image.new("RGBA", (side_px, side_px))
    draw = ImageDraw.Draw(image)
    text, ink = WORDS[int(random.integers(len(WORDS)))], (*_ink(random), round(255 * opacity))
    font = ImageFont.load_default(max(10, round(height_px / 9)))
    for row in range(rows):
        y_px = side_px / 2 + (row - (rows - 1) / 2) * height_px / rows
        for column in range(-1, 2):
            shift = column * (font.getlength(text) + height_px / 4)
            draw.text((side_px / 2 + shift, y_px), text, ink, font, "mm")
    turned = image.rotate(float(random.uniform(10, 30)), Image.Resampling.BILINEAR)
    left, top = (side_px - width_px) // 2, (side_px - height_px) // 2
    return turned.crop((left, top, left + width_px, top + height_px))


def sticker(side_px: int, random: np.random.Generator) -> Image.Image:
    """A star, a flower or a face, opaque."""
    image = Image.new("RGBA", (side_px, side_px))
    draw, middle = ImageDraw.Draw(image), side_px / 2
    points, dent = int(random.integers(5, 10)), float(random.uniform(0.4, 0.8))
    corners = [
        (middle + sin(pi * k / points) * middle * (dent if k % 2 else 1) * 0.97,
         middle - cos(pi * k / points) * middle * (dent if k % 2 else 1) * 0.97)
        for k in range(2 * points)
    ]  # fmt: skip
    draw.polygon(corners, (*_ink(random), 255), (0, 0, 0, 255))
    eye = side_px / 14
    for across in (-1, 1):
        x_px, y_px = middle + across * side_px / 8, middle - side_px / 12
        draw.ellipse((x_px - eye, y_px - eye, x_px + eye, y_px + eye), (0, 0, 0, 255))
    draw.arc((middle - side_px / 6, middle - side_px / 10, middle + side_px / 6, middle + side_px / 6), 20, 160, 0,
             max(1, side_px // 24))  # fmt: skip
    return image


def moire(size_px: tuple[int, int], random: np.random.Generator, depth: float) -> Image.Image:
    """What a camera sees of a screen's lines: bent stripes where they beat with its own, darkening by up to `depth`."""
    width_px, height_px = size_px
    x, y = np.meshgrid(np.arange(width_px), np.arange(height_px))
    waves = np.zeros((height_px, width_px))
    for _ in range(2):
        turn, pitch = random.uniform(0, pi), random.uniform(6, 18)
        bend = 4 * np.sin(2 * pi * (x * random.uniform(0.5, 1.5) + y) / height_px)
        waves += np.sin(2 * pi * (x * cos(turn) + y * sin(turn) + bend) / pitch) / 2
    rows = (y % 3 == 0) * 0.3
    alpha = np.clip(depth * (0.5 + 0.5 * waves + rows), 0, 1)
    pixels = np.zeros((height_px, width_px, 4), np.uint8)
    pixels[..., 3] = np.round(255 * alpha)
    return Image.fromarray(pixels)
