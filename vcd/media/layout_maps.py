"""Pictures of one file -> maps of what stays where it is: straight steps, movement, detail.

After the layout analysis of Tencent's entry to VSC2022 (variance over time, mean edge map), with two changes: a step
counts by the share of pictures that have it, so that a few strong edges do not make a line, and only as far as what
it parts changes, so that the edges of a scene filmed by a standing camera are none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.types import Picture

Map = NDArray[np.float32]

LONG_SIDE_PX = 400
STEP = 10.0
"""Levels (of 255) between the pixels before and after one for a step there."""
LIVING = 3.0, 8.0
"""Deviation of a step's height from its median that three of ten pictures exceed: up to the first it is noise on a
standing edge, from the second on the step counts in full."""
MOVING = 3.0
"""Standard deviation over time of a pixel that moves: above what encoding does to a standing one."""


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """What is the same in all pictures; H x W pixels of the small pictures."""

    across: Map
    """float32 (H, W), 0 to 1: how surely there is a step from left to right, above what is usual around it."""
    down: Map
    """float32 (H, W): the same from top to bottom."""
    step: Map
    """float32 (H, W), the highest step there, in levels, in any of the pictures and either direction."""
    moving: NDArray[np.bool_]
    """bool (H, W), pixels that change over time."""
    detail: Map
    """float32 (H, W), mean difference of neighbours: near 0 where pictures are blurred."""
    mean: NDArray[np.float32]
    """float32 (H, W, 3), the mean picture."""
    spread: Map
    """float32 (H, W), standard deviation over time."""


def make_maps(pictures: Sequence[Picture]) -> Maps:
    """Pictures of one size, at least one."""
    small = np.stack([shrunk(picture) for picture in pictures])
    grey = np.stack([cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in small])
    spread = grey.std(axis=0, dtype=np.float32)
    across, step_across = _steps(small, grey)
    down, step_down = _steps(small.transpose(0, 2, 1, 3), grey.transpose(0, 2, 1))
    detail = _neighbours(grey) + _neighbours(grey.transpose(0, 2, 1)).T
    return Maps(
        across=across, down=np.ascontiguousarray(down.T), step=np.maximum(step_across, step_down.T),
        moving=spread > MOVING, detail=detail, mean=small.mean(axis=0, dtype=np.float32), spread=spread,
    )  # fmt: skip


def shrunk(picture: Picture) -> Picture:
    """As large as the maps are."""
    height, width = picture.shape[:2]
    scale = min(1.0, LONG_SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _steps(small: NDArray[np.uint8], grey: NDArray[np.uint8]) -> tuple[Map, Map]:
    """Of uint8 (F, H, W, 3) and their luminance how surely there are steps from left to right, and the highest ones.

    In any colour, for what differs only in colour differs. A step that is everywhere around counts nothing.
    """
    count, height, width = grey.shape
    share, highest = np.zeros((height, width), dtype=np.float32), np.zeros((height, width), dtype=np.uint8)
    heights = np.zeros((count, height, width), dtype=np.int16)
    heights[:, :, 1:-1] = grey[:, :, 2:].astype(np.int16) - grey[:, :, :-2]
    for shown in small:
        change = np.zeros((height, width), dtype=np.uint8)
        change[:, 1:-1] = (np.maximum(shown[:, 2:], shown[:, :-2]) - np.minimum(shown[:, 2:], shown[:, :-2])).max(
            axis=2
        )
        share += change > STEP
        np.maximum(highest, change, out=highest)
    away = np.abs(heights - np.median(heights, axis=0).astype(np.int16))
    deviation = np.partition(away, int(0.7 * (count - 1)), axis=0)[int(0.7 * (count - 1))]
    sure = share / count * np.clip((deviation - LIVING[0]) / (LIVING[1] - LIVING[0]), 0, 1).astype(np.float32)
    before = np.zeros((1, 13), dtype=np.float32)
    before[0, :4] = 1 / 4
    sides = [cv2.filter2D(sure, -1, kernel, borderType=cv2.BORDER_REFLECT) for kernel in (before, before[:, ::-1])]
    usual = 0.3 * np.maximum(*sides) + 0.7 * np.minimum(*sides)
    return np.asarray(sure - usual, dtype=np.float32), highest.astype(np.float32)


def _neighbours(grey: NDArray[np.uint8]) -> Map:
    """float32 (H, W), mean difference of each pixel from the one to its left."""
    change = np.zeros(grey.shape[1:], dtype=np.float32)
    for shown in grey:
        change[:, 1:] += np.maximum(shown[:, 1:], shown[:, :-1]) - np.minimum(shown[:, 1:], shown[:, :-1])
    return change / np.float32(len(grey))
