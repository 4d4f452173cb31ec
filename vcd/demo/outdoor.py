"""Scenes with a horizon: mountains, a city, a road, the sea, falling snow."""

import cv2
import numpy as np
from numpy.random import Generator

from vcd.demo.canvas import (
    Colour,
    Points,
    Scene,
    Size,
    Strip,
    blend,
    box,
    by_light,
    dot,
    gradient,
    palette,
    plain,
    polygon,
)
from vcd.demo.textures import fields, leaves, noise, skyline, tinted
from vcd.types import Picture

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
TREE: Points = np.array([[-0.3, 0.0], [0.3, 0.0], [0.0, -1.0]])
"""A pointed tree of height 1 that stands on (0, 0)."""


def ridge(rng: Generator, size: Size, per_s: float, top: float, depth: float, colours: list[Colour]) -> Strip:
    """A chain of hills whose peaks reach ``top`` and valleys lie ``depth`` lower, in picture heights."""
    strip = Strip(size, per_s)
    hills = max(2, round(rng.uniform(1.5, 3.5) * strip.width_px / size.width_px))
    edge = (top + depth * (1 - skyline(rng, strip.width_px, hills))) * size.height_px
    rows = np.arange(size.height_px)[:, None]
    strip.mask = np.where(rows >= edge[None, :], 255, 0).astype(np.uint8)
    strip.picture = gradient(Size(strip.width_px, size.height_px), colours[0], colours[1])
    if rng.random() < 0.5:
        for x in rng.uniform(0, strip.width_px, strip.width_px // 25):
            _tree(
                strip,
                x,
                float(edge[int(x)]),
                rng.uniform(0.05, 0.16) * size.height_px,
                blend(colours[1], BLACK, 0.3),
            )
    return strip


def _tree(strip: Strip, x: float, y: float, height: float, colour: Colour) -> None:
    points = np.array([x, y + 3]) + TREE * height
    polygon(strip.picture, points, colour)
    cv2.fillPoly(strip.mask, [np.round(points).astype(np.int32)], 255)


def landscape(rng: Generator, size: Size) -> Scene:
    """Mountain chains that slide past at different speeds under a sun that wanders."""
    colours = palette(rng, 8)
    sky_colours = by_light(colours)[-3:] if rng.random() < 0.5 else by_light(colours)[:3]
    sky = gradient(size, sky_colours[0], sky_colours[2], rng.uniform(0.3, 2.8))
    pace = rng.choice([-1, 1]) * rng.uniform(0.5, 1.2)
    tops = rng.uniform(0.05, 0.4) + np.array([0.0, 0.2, 0.42])
    chains = [
        ridge(rng, size, pace * (0.06 + 0.1 * i), top, rng.uniform(0.15, 0.5), [colours[i], colours[i + 3]])
        for i, top in enumerate(tops)
    ]
    height = size.height_px
    sun, drift = rng.random(2) * [1.0, 0.4], rng.uniform(-0.09, 0.09, 2)
    radius, light = rng.uniform(0.06, 0.2) * height, blend(by_light(colours)[7], WHITE, 0.5)

    def show(time_s: float) -> Picture:
        picture = sky.copy()
        x, y = (sun + drift * time_s) * [size.width_px, height]
        dot(picture, x, y, 1.25 * radius, blend(light, sky_colours[1], 0.5))
        dot(picture, x, y, radius, light)
        for chain in chains:
            chain.draw_on(picture, time_s)
        return picture

    return show


def row_of_houses(
    rng: Generator, size: Size, per_s: float, low: float, high: float, wall: Colour, lamp: Colour
) -> Strip:
    """Houses side by side, ``low`` to ``high`` picture heights tall, with some windows lit."""
    strip = Strip(size, per_s)
    pane = max(2.0, size.height_px / 45)
    x = 0.0
    while x < strip.width_px:
        width, height = rng.uniform(3, 9) * 2 * pane, rng.uniform(low, high) * size.height_px
        top = size.height_px - height
        own = blend(wall, WHITE if rng.random() < 0.5 else BLACK, rng.uniform(0, 0.25))
        box(strip.picture, x, top, width, height, own)
        box(strip.mask, x, top, width, height, WHITE)
        lit = rng.uniform(0.1, 0.8)
        for across in np.arange(x + pane, x + width - pane, 2 * pane):
            for down in np.arange(top + pane, size.height_px, 2.4 * pane):
                box(
                    strip.picture,
                    across,
                    down,
                    pane,
                    1.3 * pane,
                    lamp if rng.random() < lit else blend(own, BLACK, 0.4),
                )
        x += width + rng.choice([0.0, 0.0, 3 * pane])
    return strip


def city(rng: Generator, size: Size) -> Scene:
    """Rows of houses with lit windows; the nearer, the faster they pass; cars drive along the bottom."""
    colours = by_light(palette(rng, 7))
    night = rng.random() < 0.6
    sky = gradient(size, *((colours[0], colours[3]) if night else (colours[6], colours[4])))
    walls = [colours[2], colours[1], colours[0]] if night else [colours[3], colours[5], colours[1]]
    pace, tall = rng.choice([-1, 1]) * rng.uniform(0.6, 1.3), rng.uniform(0.6, 1.05)
    rows = [
        row_of_houses(rng, size, pace * (0.06 + 0.08 * i), 0.5 * share * tall, share * tall, walls[i], colours[6])
        for i, share in enumerate([0.95, 0.65, 0.35])
    ]
    starts, speeds = rng.random(14), rng.choice([-1, 1], 14) * rng.uniform(0.15, 0.45, 14)
    street, radius = 0.08 * size.height_px, max(1.0, size.height_px / 80)

    def show(time_s: float) -> Picture:
        picture = sky.copy()
        for row in rows:
            row.draw_on(picture, time_s)
        box(picture, 0, size.height_px - street, size.width_px, street, blend(colours[0], BLACK, 0.5))
        for start, speed in zip(starts, speeds, strict=True):
            x = (start + speed * time_s) % 1.0 * size.width_px
            lane = size.height_px - street * (0.7 if speed < 0 else 0.3)
            dot(picture, x, lane, radius, (255, 90, 70) if speed < 0 else (255, 250, 210))
        return picture

    return show


def road(rng: Generator, size: Size) -> Scene:
    """A drive over a patterned plain that comes towards the viewer, with trees at both sides."""
    colours = by_light(palette(rng, 8))
    far = round(rng.uniform(0.25, 0.6) * size.height_px)
    depth = size.height_px - far
    ground = _road_surface(rng, blend(colours[0], BLACK, 0.3))
    sky_colours = colours[-3:] if rng.random() < 0.6 else colours[:3]
    sky = Strip(size, rng.choice([-1, 1]) * rng.uniform(0.06, 0.12))
    sky.picture = tinted(noise(rng, Size(sky.width_px, size.height_px), 3), sky_colours)
    sky.mask[:] = 255
    across = 200.0 * depth / size.width_px
    pace, bend, sway = rng.uniform(90, 200), rng.uniform(0.15, 0.35), rng.uniform(0, 6.3)
    trees = np.arange(12) * 60.0 + rng.uniform(0, 30, 12)
    sides = rng.choice([-1, 1], 12) * rng.uniform(60, 130, 12)
    fog = np.linspace(1, 0, max(1, depth // 3))[:, None, None]

    def show(time_s: float) -> Picture:
        middle = size.width_px * (0.5 + bend * np.sin(0.7 * time_s + sway))
        gone = pace * time_s
        sideways, onwards = 1024 - across * middle, 4 * gone + across * depth
        floor = np.array([[across, 256, sideways], [0, gone, onwards], [0, 1, 4]], dtype=float)
        picture = plain(size, BLACK)
        sky.draw_on(picture, time_s)
        picture[far:] = cv2.warpPerspective(
            ground, floor, (size.width_px, depth),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_WRAP,
        )  # fmt: skip
        hazy = picture[far : far + len(fog)]
        hazy[:] = hazy * (1 - fog) + np.asarray(sky_colours[1]) * fog
        away = (trees - gone) % 720.0 + 0.9 * across
        for i in np.argsort(-away):
            near = depth * across / away[i]
            foot = np.array([middle + sides[i] * near / across, far + near - 4.0])
            polygon(picture, foot + TREE * 1.1 * near, colours[1 + i % 5])
        return picture

    return show


def _road_surface(rng: Generator, tar: Colour) -> Picture:
    """512 x 512 pixels that repeat without end: land at both sides of a road with a dashed line."""
    ground = fields(rng, Size(512, 512)) if rng.random() < 0.5 else leaves(rng, Size(512, 512), 350)
    box(ground, 216, 0, 80, 512, tar)
    box(ground, 222, 0, 3, 512, WHITE)
    box(ground, 287, 0, 3, 512, WHITE)
    for start in range(0, 512, 64):
        box(ground, 254, start, 4, 32, WHITE)
    return ground


def waves(rng: Generator, size: Size) -> Scene:
    """Rolling waves in layers with a boat riding on one of them."""
    colours = palette(rng, 8)
    sky = gradient(size, colours[0], colours[1], rng.uniform(0, 3.1))
    count = int(rng.integers(4, 8))
    tops = rng.uniform(0.2, 0.45) + np.arange(count) * 0.7 / count
    lengths, phases = rng.uniform(0.8, 2.6, count), rng.uniform(0, 6.3, count)
    swing, speeds = rng.uniform(0.05, 0.16, count), rng.choice([-1, 1], count) * rng.uniform(1.0, 2.4, count)
    xs = np.linspace(0, 1, 60)
    boat, boat_per_s, boat_size = (
        rng.random(),
        rng.uniform(-0.12, 0.12),
        rng.uniform(0.12, 0.3) * size.height_px,
    )
    hull = np.array([[-1, -0.25], [1, -0.25], [0.7, 0.25], [-0.7, 0.25]]) * boat_size
    sail = np.array([[-0.1, -0.3], [-0.1, -1.8], [0.9, -0.3]]) * boat_size

    def crest(layer: int, x: Points, time_s: float) -> Points:
        roll = np.sin(2 * np.pi * x * lengths[layer] + phases[layer] + speeds[layer] * time_s)
        swell = np.sin(0.9 * time_s + 2.2 * phases[layer]) * 0.6
        return np.asarray((tops[layer] + swing[layer] * (roll + swell)) * size.height_px)

    def show(time_s: float) -> Picture:
        picture = sky.copy()
        for layer in range(count):
            if layer == count // 2:
                x = (boat + boat_per_s * time_s) % 1.0
                place = np.array([x * size.width_px, float(crest(layer, np.array([x]), time_s)[0])])
                polygon(picture, hull + place, blend(colours[2], BLACK, 0.5))
                polygon(picture, sail + place, blend(colours[3], WHITE, 0.7))
            line = np.stack([xs * size.width_px, crest(layer, xs, time_s)], axis=1)
            corners = np.array([[size.width_px, size.height_px], [0, size.height_px]])
            polygon(picture, np.vstack([line, corners]), colours[(layer + 2) % 8])
        return picture

    return show


def winter(rng: Generator, size: Size) -> Scene:
    """Snow or rain falling slantwise over hills and a village that slides past."""
    colours = by_light(palette(rng, 7))
    sky = gradient(size, colours[1], colours[4]) if rng.random() < 0.5 else gradient(size, colours[5], colours[2])
    pace = rng.choice([-1, 1]) * rng.uniform(0.04, 0.1)
    hills = ridge(rng, size, pace / 2, rng.uniform(0.1, 0.4), 0.35, [colours[6], colours[3]])
    village = row_of_houses(rng, size, pace, 0.08, rng.uniform(0.2, 0.45), colours[0], (255, 214, 120))
    flakes = rng.random((160, 2)) * [size.width_px, size.height_px]
    fall = np.array([rng.uniform(-0.3, 0.3), 1.0]) * rng.uniform(0.25, 0.8) * size.height_px
    near = rng.uniform(0.4, 1.0, 160)
    streak = fall * 0.06 if rng.random() < 0.5 else None
    radius = size.height_px / 110

    def show(time_s: float) -> Picture:
        picture = sky.copy()
        hills.draw_on(picture, time_s)
        village.draw_on(picture, time_s)
        places = (flakes + fall * near[:, None] * time_s) % [size.width_px, size.height_px]
        for (x, y), depth in zip(places, near, strict=True):
            if streak is None:
                dot(picture, x, y, radius * depth, (245, 248, 255))
            else:
                end = (round(x + streak[0]), round(y + streak[1]))
                cv2.line(picture, (round(x), round(y)), end, (225, 232, 245), 1, cv2.LINE_AA)
        return picture

    return show
