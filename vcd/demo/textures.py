"""Big pictures, drawn once a shot, that scenes travel over."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vcd.demo.canvas import (
    Colour,
    Grey,
    Size,
    blend,
    box,
    by_light,
    dot,
    palette,
    plain,
    polygon,
    round_points,
)
from vcd.types import Picture


def noise(rng: Generator, size: Size, blobs: int, octaves: int = 4) -> Grey:
    """Clouds: ``blobs`` of them from top to bottom, with finer ones on top; uses the whole range of grey."""
    total = np.zeros((size.height_px, size.width_px), np.float32)
    for octave in range(octaves):
        rows = blobs * 2**octave + 1
        grid = rng.random((rows, round(rows * size.width_px / size.height_px) + 1), dtype=np.float32)
        total += cv2.resize(grid, (size.width_px, size.height_px), interpolation=cv2.INTER_CUBIC) * 0.45**octave
    stretched: Grey = cv2.normalize(total, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return stretched


def skyline(rng: Generator, width_px: int, hills: int, roughness: float = 0.5) -> NDArray[np.float64]:
    """Heights of a ridge from left to right, float64 (width,), in [0, 1]."""
    total = np.zeros(width_px)
    for octave in range(5):
        grid = rng.random((1, hills * 2**octave + 2), dtype=np.float32)
        total += cv2.resize(grid, (width_px, 1), interpolation=cv2.INTER_CUBIC)[0] * roughness**octave
    return np.asarray((total - total.min()) / max(1e-9, float(np.ptp(total))))


def tinted(grey: Grey, colours: list[Colour], hard: bool = False) -> Picture:
    """Each grey as a colour: from the first to the last of the list, flowing or (``hard``) in steps."""
    places = np.linspace(0, len(colours) - 1, 256)
    if hard:
        places = np.minimum(np.arange(256) * len(colours) // 256, len(colours) - 1).astype(float)
    table = np.stack(
        [np.interp(places, np.arange(len(colours)), [c[part] for c in colours]) for part in range(3)], axis=1
    ).astype(np.uint8)
    picture: Picture = cv2.LUT(cv2.merge([grey, grey, grey]), table[None])
    return picture


def leaves(rng: Generator, size: Size, count: int = 600) -> Picture:
    """Shapes of all sizes that cover each other, like cut paper or fallen leaves."""
    colours = palette(rng, 9)
    picture = plain(size, colours[0])
    corners = int(rng.choice([3, 4, 5, 10, 40]))
    inner = 0.5 if corners == 10 else 1.0
    stretch = rng.uniform(0.5, 1.0)
    largest = 0.3 * size.height_px
    radii = largest * np.linspace(1.0, 0.12, count) ** 1.8 + 0.012 * size.height_px
    for radius in radii:
        colour = blend(colours[rng.integers(len(colours))], (0, 0, 0), rng.uniform(0, 0.25))
        points = round_points(corners, radius, inner, rng.uniform(0, 6.3)) * np.array([1.0, stretch])
        middle = rng.random(2) * [size.width_px, size.height_px]
        polygon(picture, points + middle + radius * 0.08, blend(colour, (0, 0, 0), 0.6))
        polygon(picture, points + middle, colour)
    return picture


def fields(rng: Generator, size: Size) -> Picture:
    """A patchwork of rectangles with furrows, as farmland looks from a plane."""
    colours = palette(rng, 10)
    picture = plain(size, blend(colours[0], (0, 0, 0), 0.5))
    patches = [(0.0, 0.0, float(size.width_px), float(size.height_px))]
    while len(patches) < 110:
        x, y, width, height = patches.pop(int(np.argmax([w * h for _, _, w, h in patches])))
        share = rng.uniform(0.25, 0.75)
        if width * rng.uniform(0.6, 1.4) > height:
            patches += [(x, y, width * share, height), (x + width * share, y, width * (1 - share), height)]
        else:
            patches += [(x, y, width, height * share), (x, y + height * share, width, height * (1 - share))]
    road = max(1.0, size.height_px / 180)
    for x, y, width, height in patches:
        colour = colours[rng.integers(len(colours))]
        box(picture, x + road, y + road, width - 2 * road, height - 2 * road, colour)
        furrow = blend(colour, (0, 0, 0), 0.3)
        step = rng.uniform(5, 14) * road
        if rng.random() < 0.6:
            for start in np.arange(step, width - 2 * road, 2 * step):
                box(
                    picture,
                    x + start,
                    y + road,
                    min(step, x + width - road - x - start),
                    height - 2 * road,
                    furrow,
                )
    return picture


def islands(rng: Generator, size: Size) -> Picture:
    """A relief seen from above: water, shore, land and peaks, lit from one side."""
    grey = noise(rng, size, int(rng.integers(3, 6)), 5)
    slope = cv2.Sobel(cv2.GaussianBlur(grey, (0, 0), 2), cv2.CV_32F, 1, 0) * 1.2
    flat = tinted(grey, by_light(palette(rng, 6)) if rng.random() < 0.5 else palette(rng, 7), hard=True)
    lit = flat.astype(np.float32) + np.clip(slope, -45, 45)[..., None]
    relief: Picture = np.clip(lit, 0, 255).astype(np.uint8)
    return relief


def cells(rng: Generator, size: Size) -> Picture:
    """A mosaic: every place has the colour of the nearest of many points, with dark joints between."""
    colours = palette(rng, 12)
    seeds = np.full((size.height_px, size.width_px), 255, np.uint8)
    count = int(rng.integers(60, 180))
    seeds[rng.integers(0, size.height_px, count), rng.integers(0, size.width_px, count)] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    chosen = np.array(colours, np.uint8)[rng.integers(0, len(colours), int(labels.max()) + 1)]
    picture: Picture = chosen[labels]
    joints = (labels[1:, 1:] != labels[:-1, 1:]) | (labels[1:, 1:] != labels[1:, :-1])
    thick = cv2.dilate(joints.astype(np.uint8), np.ones((3, 3), np.uint8))
    picture[1:, 1:][thick > 0] = blend(colours[0], (0, 0, 0), 0.8)
    return picture


def wheel(rng: Generator, size: Size) -> Picture:
    """Rays crossed with rings around the middle, each piece in its own colour, and dots on top."""
    colours = palette(rng, 8)
    x = np.arange(size.width_px)[None, :] - size.width_px / 2
    y = np.arange(size.height_px)[:, None] - size.height_px / 2
    rays, rings = int(rng.integers(5, 14)), int(rng.integers(3, 8))
    radius = np.hypot(x, y) / (size.height_px / 2)
    ray = ((np.arctan2(y, x) / (2 * np.pi) + 0.5 + rng.uniform(-0.1, 0.1) * radius) * rays).astype(int)
    piece = ray + 31 * (radius * rings).astype(int)
    picture: Picture = np.array(colours, np.uint8)[rng.integers(0, len(colours), 3000)][piece % 3000]
    for _ in range(25):
        middle = rng.random(2) * [size.width_px, size.height_px]
        dot(picture, middle[0], middle[1], rng.uniform(0.01, 0.05) * size.height_px, colours[rng.integers(8)])
    return picture


def shelves(rng: Generator, size: Size) -> Picture:
    """Rows of book backs of all widths, heights and colours."""
    colours = palette(rng, 10)
    picture = plain(size, blend(colours[0], (20, 12, 8), 0.75))
    rows = int(rng.integers(3, 7))
    row_px = size.height_px / rows
    for row in range(rows):
        x, floor = 0.0, (row + 1) * row_px - 0.06 * row_px
        while x < size.width_px:
            width, height = rng.uniform(0.08, 0.3) * row_px, rng.uniform(0.45, 0.9) * row_px
            colour = colours[rng.integers(len(colours))]
            if rng.random() < 0.88:
                box(picture, x, floor - height, width - 1, height, colour)
                band = colours[rng.integers(len(colours))]
                box(picture, x, floor - height * rng.uniform(0.6, 0.9), width - 1, height * 0.12, band)
            x += width * rng.uniform(1.0, 1.15)
        box(picture, 0, floor, size.width_px, 0.06 * row_px, blend(colours[1], (90, 60, 30), 0.6))
    return picture
