"""Scenes with things that move: bouncing toys, a flock, a clockwork, balloons."""

import cv2
import numpy as np
from numpy.random import Generator

from vcd.demo.canvas import (
    Points,
    Scene,
    Size,
    blend,
    by_light,
    dot,
    gradient,
    palette,
    polygon,
    round_points,
)
from vcd.demo.textures import cells, fields, noise, tinted
from vcd.types import Picture


def bouncing(places: Points, low: Points, high: Points) -> Points:
    """Fold places that ran past a wall back between the walls."""
    width = high - low
    return np.asarray(low + width - np.abs((places - low) % (2 * width) - width))


def toys(rng: Generator, size: Size) -> Scene:
    """Big stars, balls and blocks that bounce off the edges of a coloured wall."""
    colours = palette(rng, 9)
    plate = cells(rng, size) if rng.random() < 0.5 else gradient(size, colours[0], colours[1], 2.0)
    light = gradient(size, colours[2], colours[3], rng.uniform(0, 6.3))
    wall: Picture = cv2.addWeighted(plate, 0.6, light, 0.4, 0)
    count = int(rng.integers(6, 11))
    corners = rng.choice([3, 4, 5, 10, 40], count)
    radii = rng.uniform(0.14, 0.34, count) * size.height_px
    far = np.array([size.width_px, size.height_px], dtype=float)
    starts = rng.random((count, 2)) * far
    speeds = rng.choice([-1, 1], (count, 2)) * rng.uniform(0.2, 0.6, (count, 2)) * size.height_px
    turns = rng.uniform(-1.5, 1.5, count)

    def show(time_s: float) -> Picture:
        picture = wall.copy()
        for i in range(count):
            place = bouncing(starts[i] + speeds[i] * time_s, np.zeros(2) + radii[i], far - radii[i])
            inner = 0.45 if corners[i] == 10 else 1.0
            points = round_points(int(corners[i]), radii[i], inner, turns[i] * time_s)
            polygon(picture, points + place + radii[i] * 0.12, blend(colours[i % 9], (0, 0, 0), 0.75))
            polygon(picture, points + place, colours[(i + 4) % 9])
            polygon(picture, points * 0.55 + place, colours[(i + 6) % 9])
        return picture

    return show


def flock(rng: Generator, size: Size) -> Scene:
    """Birds that follow a wandering leader over a cloudy sky."""
    colours = by_light(palette(rng, 6))
    dark = bool(rng.random() < 0.5)
    sky = tinted(noise(rng, size, 2), colours[:3] if dark else colours[3:])
    bird = blend(colours[5], (255, 255, 255), 0.5) if dark else blend(colours[0], (0, 0, 0), 0.5)
    count = 110
    lag, phase = rng.uniform(0, 1.3, count), rng.uniform(0, 6.3, count)
    beside = rng.normal(0, 0.11, (count, 2)) * size.height_px
    rates, shifts = rng.uniform(0.5, 1.1, 2), rng.uniform(0, 6.3, 2)
    span = np.array([size.width_px, size.height_px])
    wings = rng.uniform(0.035, 0.06) * size.height_px

    def leader(time_s: Points) -> Points:
        return np.asarray((0.5 + 0.36 * np.sin(time_s[:, None] * rates + shifts)) * span)

    def show(time_s: float) -> Picture:
        picture = sky.copy()
        places = leader(time_s - lag) + beside * (1 + 0.3 * np.sin(time_s + phase))[:, None]
        lift = wings * 0.6 * np.sin(9 * time_s + phase)
        for (x, y), up in zip(places, lift, strict=True):
            shape = np.array([[-wings, -up], [0, wings * 0.25], [wings, -up], [0, -wings * 0.15]])
            polygon(picture, shape + np.array([x, y]), bird)
        return picture

    return show


def clockwork(rng: Generator, size: Size) -> Scene:
    """Toothed wheels in two colours that turn at different speeds in front of a plate."""
    colours = palette(rng, 9)
    plate = gradient(size, colours[0], colours[1], rng.uniform(0, 6.3))
    for x in range(0, size.width_px, max(4, size.height_px // 12)):
        cv2.line(plate, (x, 0), (x - size.height_px, size.height_px), colours[2], 1, cv2.LINE_AA)
    count = int(rng.integers(4, 8))
    radii = np.sort(rng.uniform(0.12, 0.5, count))[::-1] * size.height_px
    places = rng.uniform(0.05, 0.95, (count, 2)) * [size.width_px, size.height_px]
    turns = rng.choice([-1, 1], count) * rng.uniform(0.5, 1.6, count)
    teeth = rng.integers(10, 22, count) * 2
    sectors = rng.integers(2, 5, count)
    slide = rng.uniform(-0.06, 0.06, 2) * size.width_px

    def show(time_s: float) -> Picture:
        picture = plate.copy()
        for i in range(count):
            place = places[i] + slide * time_s
            angle = turns[i] * time_s
            polygon(picture, round_points(int(teeth[i]), radii[i], 0.86, angle) + place, colours[i % 9])
            for part in range(int(sectors[i])):
                arc = angle + (part + np.linspace(0, 0.5, 9)) * 2 * np.pi / sectors[i]
                rim = np.stack([np.cos(arc), np.sin(arc)], axis=1) * radii[i] * 0.74
                polygon(picture, np.vstack([rim, [0, 0]]) + place, colours[(i + 3) % 9])
            dot(picture, place[0], place[1], radii[i] * 0.2, colours[(i + 5) % 9])
        return picture

    return show


def balloons(rng: Generator, size: Size) -> Scene:
    """Striped balloons rising, swaying, at several distances over fields far below."""
    colours = palette(rng, 9)
    haze = gradient(size, colours[0], colours[8])
    floor = cv2.GaussianBlur(fields(rng, size), (0, 0), size.height_px / 180)
    back: Picture = cv2.addWeighted(haze, 0.65, floor, 0.35, 0)
    count = int(rng.integers(4, 8))
    radii = np.sort(rng.uniform(0.16, 0.4, count)) * size.height_px
    starts = rng.random((count, 2)) * [size.width_px, 1.6 * size.height_px]
    rise, sway = rng.uniform(0.15, 0.3) * size.height_px, rng.uniform(0, 6.3, count)
    wind = rng.uniform(-0.08, 0.08) * size.width_px

    def show(time_s: float) -> Picture:
        picture = back.copy()
        for i in range(count):
            speed = 0.4 + radii[i] / radii[-1]
            x = starts[i, 0] + wind * time_s * speed + 0.2 * radii[i] * np.sin(1.5 * time_s + sway[i])
            y = (starts[i, 1] - rise * speed * time_s) % (1.9 * size.height_px) - 0.4 * size.height_px
            for stripe in range(5):
                width = radii[i] * (1.0, 0.8, 0.55, 0.3, 0.1)[stripe]
                points = round_points(36, 1.0) * [width, radii[i] * 1.1]
                polygon(picture, points + np.array([x, y]), colours[(i + 3 * (stripe % 2) + 1) % 9])
            basket = np.array([[-0.18, 1.45], [0.18, 1.45], [0.14, 1.75], [-0.14, 1.75]]) * radii[i]
            polygon(picture, basket + np.array([x, y]), (96, 64, 38))
        return picture

    return show
