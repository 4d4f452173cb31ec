"""Generated pictures: dead leaves (Lee, Mumford and Huang, IJCV 2001), which teach a network much of what photographs
do (Baradad et al., "Learning to See by Looking at Noise", NeurIPS 2021) and belong to nobody."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vcd.types import Picture


def dead_leaves(side_px: int, rng: Generator) -> Picture:
    """uint8 (side, side, 3): shapes with power-law sizes fall over each other, each with a colour or a texture."""
    picture = _texture(side_px, rng)
    palette = rng.integers(0, 256, (int(rng.integers(3, 12)), 3))
    shape = int(rng.integers(4))
    for _ in range(int(rng.integers(20, 160))):
        radius = min(0.4 * side_px, 3 / rng.random() ** 0.6)
        middle = rng.uniform(0, side_px, 2)
        mask = np.zeros((side_px, side_px), dtype=np.uint8)
        kind = shape if shape < 3 else int(rng.integers(3))
        _shape(mask, kind, middle, radius, rng)
        if rng.random() < 0.35:
            leaf = _texture(side_px, rng)
        else:
            leaf = np.clip(palette[int(rng.integers(len(palette)))] + rng.normal(0, 12, 3), 0, 255)
            leaf = np.broadcast_to(leaf.astype(np.uint8), picture.shape)
        picture[mask > 0] = leaf[mask > 0]
    return np.ascontiguousarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1)), dtype=np.uint8)


def _shape(mask: NDArray[np.uint8], kind: int, middle: NDArray[np.float64], radius: float, rng: Generator) -> None:
    angle = float(rng.uniform(0, 360))
    axes = max(1, int(radius)), max(1, int(radius * rng.uniform(0.3, 1)))
    centre = int(middle[0]), int(middle[1])
    if kind == 0:
        cv2.ellipse(mask, centre, axes, angle, 0, 360, 255, -1)
    elif kind == 1:
        box = cv2.boxPoints((centre, (2.0 * axes[0], 2.0 * axes[1]), angle))
        cv2.fillPoly(mask, [box.astype(np.int32)], 255)
    else:
        turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
        reach = radius * rng.uniform(0.4, 1, len(turns))
        points = middle + np.stack([np.cos(turns), np.sin(turns)], axis=1) * reach[:, None]
        cv2.fillPoly(mask, [points.astype(np.int32)], 255)


def _texture(side_px: int, rng: Generator) -> Picture:
    """Noise of a random scale and colour range, sometimes stripes."""
    low, high = np.sort(rng.integers(0, 256, (2, 3)), axis=0)
    if rng.random() < 0.3:
        down, across = np.mgrid[0:side_px, 0:side_px]
        turn = rng.uniform(0, np.pi)
        waves = np.sin((down * np.sin(turn) + across * np.cos(turn)) * rng.uniform(0.05, 1.2)) / 2 + 0.5
        grey = waves[:, :, None]
    else:
        cells = int(rng.integers(2, side_px // 2))
        noise = rng.random((cells, cells, 3 if rng.random() < 0.3 else 1)).astype(np.float32)
        grey = cv2.resize(noise, (side_px, side_px), interpolation=cv2.INTER_CUBIC).reshape(side_px, side_px, -1)
    return np.asarray(np.clip(low + (high - low) * grey, 0, 255), dtype=np.uint8)
