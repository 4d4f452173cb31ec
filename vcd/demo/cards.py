"""Scenes with letters and scenes that stand still: titles, credits, a slide with a chart, a still life."""

import numpy as np
from numpy.random import Generator

from vcd.demo.canvas import (
    Colour,
    Points,
    Scene,
    Size,
    blend,
    box,
    by_light,
    gradient,
    palette,
    plain,
    polygon,
    round_points,
    text_width,
    write,
)
from vcd.demo.textures import leaves, noise, tinted
from vcd.types import Picture

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
WORDS = (
    "harbour", "lantern", "paper", "garden", "winter", "signal", "orchard", "marble", "river", "copper",
    "shadow", "compass", "meadow", "engine", "island", "velvet", "north", "carnival", "salt", "morning",
    "letter", "bridge", "falcon", "thunder", "window", "pepper", "glass", "station", "forest", "silver",
)  # fmt: skip


def words(rng: Generator, count: int) -> str:
    """So many different words, the first letter large."""
    return " ".join(str(word) for word in rng.choice(WORDS, count, replace=False)).capitalize()


def title(rng: Generator, size: Size) -> Scene:
    """Two lines of large letters that glide in over a cloudy ground where blocks move."""
    colours = by_light(palette(rng, 6))
    dark = bool(rng.random() < 0.5)
    back = tinted(noise(rng, size, int(rng.integers(2, 5))), colours[:3] if dark else colours[3:][::-1])
    ink, accent = (WHITE, colours[5]) if dark else (blend(colours[0], BLACK, 0.6), colours[1])
    first, second = words(rng, 1).upper(), words(rng, 3)
    # At most as wide as the picture is high.
    height = size.height_px * min(rng.uniform(0.16, 0.3), 100 / text_width(first, 100))
    left, base = rng.uniform(0.04, 0.25) * size.width_px, rng.uniform(0.35, 0.75) * size.height_px
    blocks = rng.random((5, 3))
    side = rng.choice([-1, 1])

    def show(time_s: float) -> Picture:
        picture = back.copy()
        for start, tall, pace in blocks:
            x = ((start + side * (0.1 + 0.2 * pace) * time_s) % 1.4 - 0.2) * size.width_px
            y = 0.9 * (1 - tall) * size.height_px
            box(picture, x, y, 0.12 * size.width_px, 0.25 * size.height_px, accent)
        glide = size.width_px * 0.6 * np.exp(-3.5 * time_s)
        write(picture, first, left + glide + 6 * time_s, base, height, ink)
        line = 0.5 * size.width_px * (1 - np.exp(-time_s))
        box(picture, left, base + 0.25 * height, line, height / 8, accent)
        write(picture, second, left - glide - 4 * time_s, base + 1.0 * height, 0.4 * height, ink)
        return picture

    return show


def credits(rng: Generator, size: Size) -> Scene:
    """Names in two columns that scroll upwards beside a picture."""
    colours = by_light(palette(rng, 6))
    dark = bool(rng.random() < 0.6)
    back, ink = (blend(colours[0], BLACK, 0.5), WHITE) if dark else (colours[5], blend(colours[0], BLACK, 0.7))
    height, pace = size.height_px * rng.uniform(0.04, 0.055), rng.uniform(0.15, 0.3) * size.height_px
    tall = plain(Size(size.width_px, 2 * round((size.height_px + 15 * pace) / 2)), back)
    at_left = bool(rng.random() < 0.5)
    left = (0.28 if at_left else 0.04) * size.width_px
    y = rng.uniform(0.1, 0.6) * size.height_px
    while y < tall.shape[0]:
        role = words(rng, 1)
        write(tall, role, left, y, height * 0.8, colours[3] if dark else colours[1])
        for _ in range(rng.integers(1, 4)):
            write(tall, words(rng, 2).title(), left + 0.22 * size.width_px, y, height, ink)
            y += height * 2.2
        y += height * rng.uniform(1.5, 4)
    aside = leaves(rng, size.grown(0.24, rng.uniform(0.4, 0.9)), 200)
    x = 4 if at_left else size.width_px - aside.shape[1] - 4
    down = (size.height_px - aside.shape[0]) // 2

    def show(time_s: float) -> Picture:
        first = min(round(pace * time_s), tall.shape[0] - size.height_px)
        picture: Picture = tall[first : first + size.height_px].copy()
        picture[down : down + aside.shape[0], x : x + aside.shape[1]] = aside
        return picture

    return show


def chart(rng: Generator, size: Size) -> Scene:
    """A slide: a headline, bars that grow to new values again and again, and a curve drawn through them."""
    colours = by_light(palette(rng, 6))
    paper = blend(colours[5], WHITE, 0.7) if rng.random() < 0.6 else blend(colours[0], BLACK, 0.3)
    ink = BLACK if sum(paper) > 380 else WHITE
    slide = plain(size, paper)
    head = 0.18 * size.height_px
    box(slide, 0, 0, size.width_px, head, colours[int(rng.integers(1, 4))])
    write(slide, words(rng, 3), 0.04 * size.width_px, 0.7 * head, 0.36 * head, WHITE)
    left, base = rng.uniform(0.08, 0.4) * size.width_px, rng.uniform(0.75, 0.92) * size.height_px
    count = int(rng.integers(4, 9))
    values = rng.uniform(0.1, 1.0, (8, count))
    step = (0.96 * size.width_px - left) / count
    room = base - 1.15 * head
    for line in range(5):
        box(slide, left, base - line * room / 4, step * count, 1, blend(paper, ink, 0.3))
        write(slide, str(25 * line), left - 0.07 * size.width_px, base - line * room / 4, 0.18 * head, ink)

    def show(time_s: float) -> Picture:
        picture = slide.copy()
        turn, rest = divmod(time_s / 2.0, 1.0)
        share = 0.5 - 0.5 * np.cos(np.pi * rest)
        now = values[int(turn) % 8] * (1 - share) + values[int(turn + 1) % 8] * share
        for i, value in enumerate(now):
            x = left + step * (i + 0.15)
            box(picture, x, base - room * value, step * 0.7, room * value, colours[i % 6])
        curve = np.stack([left + step * (np.arange(count) + 0.5), base - room * now[::-1]], axis=1)
        polygon(picture, np.vstack([curve, curve[::-1] + np.array([0, size.height_px / 70])]), ink)
        return picture

    return show


def profile(rng: Generator) -> Points:
    """Outline of a vase or a bottle, 1 high, standing on (0, 0)."""
    heights = np.linspace(0, 1, 12)
    grid = rng.uniform(0.12, 0.4, 5)
    half = np.interp(heights, np.linspace(0, 1, 5), grid)
    half = np.convolve(np.pad(half, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    return np.vstack([np.stack([-half, -heights], 1), np.stack([half, -heights], 1)[::-1]])


def still_life(rng: Generator, size: Size) -> Scene:
    """Vases and fruit on a table by a window. Nothing moves."""
    colours = palette(rng, 10)
    edge = rng.uniform(0.5, 0.8) * size.height_px
    picture = gradient(size, colours[0], colours[1], rng.uniform(0, 6.3))
    picture[round(edge) :] = gradient(size, colours[2], colours[3], 0.3)[round(edge) :]
    x, y = rng.uniform(0.05, 0.65) * size.width_px, rng.uniform(0.05, 0.15) * size.height_px
    for pane in range(4):
        across, down = (pane % 2) * 0.13 * size.width_px, (pane // 2) * 0.2 * size.height_px
        box(picture, x + across, y + down, 0.12 * size.width_px, 0.18 * size.height_px, (250, 246, 225))
    count = int(rng.integers(4, 8))
    for place in rng.permutation(np.linspace(0.1, 0.9, count)):
        colour = colours[int(rng.integers(4, 10))]
        height, foot = (
            rng.uniform(0.25, 0.65) * size.height_px,
            edge + rng.uniform(0.02, 0.25) * size.height_px,
        )
        middle = np.array([place * size.width_px, foot])
        shape = round_points(40, 0.3 * height) - [0, 0.28 * height] if rng.random() < 0.4 else profile(rng) * height
        polygon(picture, shape * [1.3, 0.12] + middle + [0.1 * height, 0], blend(colours[3], BLACK, 0.6))
        for layer in range(6):
            shade = blend(blend(colour, BLACK, 0.5), blend(colour, WHITE, 0.35), layer / 5)
            polygon(
                picture,
                shape * [1 - 0.15 * layer, 1 - 0.02 * layer] + middle - [0.02 * layer * height, 0],
                shade,
            )
    return lambda time_s: picture.copy()  # noqa: ARG005
