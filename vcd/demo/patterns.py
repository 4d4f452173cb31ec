"""Scenes without things: a camera over a big picture, flowing clouds, turning wheels, a tunnel."""

import cv2
import numpy as np
from numpy.random import Generator

from vcd.demo.canvas import (
    Colour,
    Scene,
    Size,
    blend,
    by_light,
    camera,
    palette,
    plain,
    polygon,
    round_points,
)
from vcd.demo.textures import cells, fields, islands, leaves, noise, shelves, tinted, wheel
from vcd.types import Picture


def shaded(rng: Generator, texture: Picture) -> Picture:
    """The same picture under uneven light: large bright and dark parts make every view different."""
    size = Size(texture.shape[1], texture.shape[0])
    light = tinted(noise(rng, size, int(rng.integers(3, 7)), 2), [(50, 50, 50), (255, 255, 255)])
    picture: Picture = cv2.multiply(texture, light, scale=1.25 / 255)
    return picture


def collage(rng: Generator, size: Size) -> Scene:
    """A flight over shapes that cover each other."""
    return camera(rng, shaded(rng, leaves(rng, size.grown(2.4, 2.4))), size)


def farmland(rng: Generator, size: Size) -> Scene:
    """A flight over a patchwork of fields."""
    return camera(rng, shaded(rng, fields(rng, size.grown(3.0, 3.0))), size, turning=0.25)


def relief(rng: Generator, size: Size) -> Scene:
    """A flight over islands and mountains."""
    return camera(rng, shaded(rng, islands(rng, size.grown(2.2, 2.2))), size)


def mosaic(rng: Generator, size: Size) -> Scene:
    """A slow look along a mosaic."""
    return camera(rng, shaded(rng, cells(rng, size.grown(2.2, 2.2))), size, pace=0.8)


def bookshelf(rng: Generator, size: Size) -> Scene:
    """A walk along shelves of books."""
    return camera(rng, shaded(rng, shelves(rng, size.grown(2.8, 1.6))), size, turning=0.05)


def spin(rng: Generator, size: Size) -> Scene:
    """A wheel of many colours that turns and breathes around a point beside the middle."""
    texture = wheel(rng, size.grown(2.4, 2.4 * size.width_px / size.height_px))
    hub = np.array([size.width_px, size.height_px]) * rng.uniform(0.2, 0.8, 2)
    texture_hub = np.array([texture.shape[1], texture.shape[0]]) / 2
    turn, turn_per_s = rng.uniform(0, 6.3), rng.choice([-1, 1]) * rng.uniform(0.25, 0.7)
    breath, breath_per_s = rng.uniform(0.15, 0.35), rng.uniform(0.8, 1.8)
    away = rng.uniform(-0.05, 0.05, 2) * size.width_px

    def show(time_s: float) -> Picture:
        angle = turn + turn_per_s * time_s
        zoom = 1.0 + breath * np.sin(breath_per_s * time_s)
        linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shift = texture_hub - linear @ (hub + away * time_s)
        picture: Picture = cv2.warpAffine(
            texture, np.column_stack([linear, shift]), (size.width_px, size.height_px),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT_101,
        )  # fmt: skip
        return picture

    return show


def plasma(rng: Generator, size: Size) -> Scene:
    """Two layers of clouds that drift apart, their sum shown in bands of colour."""
    big = size.grown(2.0, 2.0)
    layers = [cv2.cvtColor(noise(rng, big, int(rng.integers(2, 5)), 3), cv2.COLOR_GRAY2RGB) for _ in range(2)]
    views = [camera(rng, layer, size, turning=0.3) for layer in layers]
    colours = palette(rng, 6)
    hard = bool(rng.random() < 0.6)
    cycle = by_light(colours) if rng.random() < 0.4 else [*colours, *colours[::-1], *colours[:3]]

    def show(time_s: float) -> Picture:
        grey = cv2.addWeighted(views[0](time_s)[..., 0], 0.5, views[1](time_s)[..., 0], 0.5, 0)
        return tinted(grey, cycle, hard)

    return show


def tunnel(rng: Generator, size: Size) -> Scene:
    """Rings of one shape that come towards the viewer while the vanishing point wanders."""
    colours: list[Colour] = palette(rng, 8)
    corners = int(rng.choice([3, 4, 5, 6, 8, 10]))
    inner = 0.62 if corners == 10 else 1.0
    twist, turn_per_s = rng.uniform(-0.5, 0.5), rng.uniform(-0.7, 0.7)
    pace, far = rng.uniform(1.0, 2.0), rng.uniform(0, 6.3, 2)
    order = rng.integers(0, len(colours), 97)
    back = plain(size, colours[int(order[0])])

    def show(time_s: float) -> Picture:
        picture = back.copy()
        gone = pace * time_s
        first = int(np.floor(gone))
        wander = np.array([np.sin(0.9 * time_s + far[0]), np.cos(0.7 * time_s + far[1])])
        for ring in range(first, first + 15):
            depth = ring - gone + 1.0
            radius = size.height_px * 1.9 * 0.76**depth
            middle = np.array([size.width_px, size.height_px]) * (0.5 + wander * 0.2 * (1 - 0.85**depth))
            colour = blend(colours[order[ring % 97]], (0, 0, 0), min(0.6, depth * 0.04))
            turned = round_points(corners, radius, inner, twist * ring + turn_per_s * time_s)
            polygon(picture, turned + middle, colour)
        return picture

    return show
