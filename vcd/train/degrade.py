"""Changing a picture's colours, and losing some of it: blur, noise, resolution, compression."""

import cv2
import numpy as np
from numpy.random import Generator

from vcd.types import Picture

WEIGHTS = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Of red, green and blue in luminance (BT.601)."""


def recolour(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Brightness, contrast, gamma, saturation, hue and colour balance in one pass; `strength` 1 is what pirates do."""
    contrast = np.exp(rng.uniform(-0.5, 0.5) * strength)
    brightness = rng.uniform(-0.2, 0.2) * strength
    gamma = np.exp(rng.uniform(-0.6, 0.6) * strength)
    balance = 1 + rng.uniform(-0.15, 0.15, 3) * strength
    levels = np.linspace(0, 1, 256)
    curve = np.clip((levels**gamma - 0.5) * contrast + 0.5 + brightness, 0, 1)
    table = np.clip(curve[:, None] * balance[None, :] * 255, 0, 255).astype(np.uint8)
    toned = cv2.LUT(picture, table[None])
    saturation = 0.0 if rng.random() < 0.2 * strength else np.exp(rng.uniform(-0.9, 0.6) * strength)
    mix = np.float32(saturation) * np.eye(3, dtype=np.float32) + np.float32(1 - saturation) * WEIGHTS[None, :]
    if rng.random() < 0.15 * strength:
        mix = mix @ _hue(rng.uniform(-0.6, 0.6)).astype(np.float32)
    return np.asarray(cv2.transform(toned, mix), dtype=np.uint8)


def _hue(angle: float) -> np.ndarray:
    """Rotation of RGB around grey."""
    axis = np.full(3, 1 / np.sqrt(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * np.outer(axis, axis))


def degrade(picture: Picture, rng: Generator) -> Picture:
    """One or several losses, in the order in which copies suffer them."""
    side = picture.shape[0]
    if rng.random() < 0.35:
        sigma = rng.uniform(0.4, 0.02 * side)
        picture = cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.uint8)
    elif rng.random() < 0.1:
        picture = _motion(picture, rng)
    if rng.random() < 0.3:
        small = max(16, round(side * rng.uniform(0.25, 0.6)))
        back = cv2.INTER_NEAREST if rng.random() < 0.3 else cv2.INTER_LINEAR
        shrunk = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(shrunk, (side, side), interpolation=back).astype(np.uint8)
    if rng.random() < 0.25:
        noise = rng.integers(-1, 2, picture.shape, dtype=np.int16) * np.int16(rng.integers(3, 20))
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        picture = jpeg(picture, int(rng.integers(8, 60)))
    if rng.random() < 0.07:
        picture = _sharpened(picture)
    return picture


def soft_copy(picture: Picture, rng: Generator) -> Picture:
    """What a library's own encoder does."""
    return jpeg(picture, int(rng.integers(30, 90)))


def jpeg(picture: Picture, quality: int) -> Picture:
    """Through JPEG and back; its blocks and halved colour resolution stand for those of video codecs, too."""
    packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR_BGR), dtype=np.uint8)


def _motion(picture: Picture, rng: Generator) -> Picture:
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), dtype=np.float32)
    kernel[length // 2] = 1 / length
    return np.asarray(cv2.filter2D(picture, -1, kernel if rng.random() < 0.5 else kernel.T), dtype=np.uint8)


def _sharpened(picture: Picture) -> Picture:
    return np.asarray(cv2.addWeighted(picture, 1.8, cv2.GaussianBlur(picture, (0, 0), 1.5), -0.8, 0), dtype=np.uint8)
