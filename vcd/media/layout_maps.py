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
LIVING = 6.0
"""Mean deviation over time of a step's height from its median from which it counts in full."""
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
    small = np.stack([_small(picture) for picture in pictures])
    grey = np.stack([cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in small]).astype(np.float32)
    spread = grey.std(axis=0)
    across = _heights(grey)
    down = _heights(grey.transpose(0, 2, 1))
    steps = np.abs(np.diff(grey, axis=2, prepend=grey[:, :, :1])) + np.abs(np.diff(grey, axis=1, prepend=grey[:, :1]))
    return Maps(
        across=_sureness(across), down=np.ascontiguousarray(_sureness(down).T),
        step=np.maximum(np.abs(across).max(axis=0), np.abs(down).max(axis=0).T), moving=spread > MOVING,
        detail=steps.mean(axis=0), mean=small.mean(axis=0, dtype=np.float32), spread=spread,
    )  # fmt: skip


def _small(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    scale = min(1.0, LONG_SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _heights(grey: Map) -> Map:
    """float32 (F, H, W) of the same: what the pixel after has more than the one before, from left to right."""
    heights = np.zeros_like(grey)
    heights[:, :, 1:-1] = grey[:, :, 2:] - grey[:, :, :-2]
    return heights


def _sureness(heights: Map) -> Map:
    """float32 (H, W) of float32 (F, H, W): a step that is everywhere around counts nothing."""
    share = (np.abs(heights) > STEP).mean(axis=0, dtype=np.float32)
    deviation = np.abs(heights - np.median(heights, axis=0)).mean(axis=0)
    sure = share * np.clip(deviation / LIVING, 0, 1)
    near = np.zeros((1, 13), dtype=np.float32)
    near[0, :4] = near[0, 9:] = 1 / 8
    return np.asarray(sure - cv2.filter2D(sure, -1, near, borderType=cv2.BORDER_REFLECT), dtype=np.float32)
