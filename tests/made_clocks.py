"""Films whose every picture says which frame of which film it is, readable after most edits."""

from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.made import make_video, steady

FRAMES_PER_S = 25
COLUMNS = 16
"""Five of them say which film it is, ten which frame; the last is always white."""
FOREIGN = 31
"""The film that stands for other material."""


def clock_picture(film: int, frame: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """uint8 (H, W, 3): upright bars, dark gray for 0 and light gray for 1."""
    number = (film << 11) | (frame << 1) | 1
    bits = [(number >> (COLUMNS - 1 - column)) & 1 for column in range(COLUMNS)]
    row = np.array([[(50, 50, 50), (205, 205, 205)][bit] for bit in bits], dtype=np.uint8)[None]
    return cv2.resize(row, size, interpolation=cv2.INTER_NEAREST)


def read_clock(picture: NDArray[np.uint8]) -> tuple[int, int]:
    """Film and frame that a picture shows; it may be scaled, darker, paler, noisy, but not cut or turned."""
    gray = picture.mean(axis=2) if picture.ndim == 3 else picture
    height, width = gray.shape
    edges = np.linspace(0, width, COLUMNS + 1)
    inner = [slice(round(left + width / 64), round(right - width / 64)) for left, right in pairwise(edges)]
    levels = np.array([gray[height // 4 : height * 3 // 4, columns].mean() for columns in inner])
    number = 0
    for bit in levels > (levels.min() + levels.max()) / 2:
        number = 2 * number + int(bit)
    return number >> 11, (number >> 1) & 1023


def make_clock(
    path: Path, film: int, length_s: float, *, size: tuple[int, int] = (128, 72), audio: bool = False
) -> Path:
    return make_video(
        path, steady(length_s, FRAMES_PER_S), show=lambda t_s: clock_picture(film, round(t_s * FRAMES_PER_S), size),
        size=size, audio=audio,
    )  # fmt: skip


def read_film(path: Path) -> tuple[list[float], list[NDArray[np.uint8]]]:
    """Times in seconds, and pictures in gray, of all frames."""
    times_s, pictures = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            times_s.append(float(frame.time))
            pictures.append(frame.to_ndarray(format="gray"))
    return times_s, pictures
