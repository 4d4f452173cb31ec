"""A single picture -> maps of its straight steps.

Nothing moves in it that would tell layout from content, so a step is one that stands out: several times as high as what
lies on both sides of it, as only drawn edges are over a whole length.
"""

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.media.layout_lines import Limits
from vcd.media.layout_maps import Map, Maps, shrunk
from vcd.types import Picture

STANDS_OUT = 3.0
"""A step is so many times as high as the mean of those two to four pixels away ..."""
LEAST = 6.0
"""... and at least so many levels."""
STILL = Limits(least=0.25, few=3, few_side=0.8)
"""Shorter lines are found in most pictures, and so are two or three that meet."""


def make_still_maps(maps: Maps, picture: Picture) -> Maps:
    """The maps of that one picture, with its own steps instead of those that living pictures have."""
    small = shrunk(picture).astype(np.int16)
    down = _steps(np.ascontiguousarray(small.transpose(1, 0, 2))).T
    return dataclasses.replace(maps, across=_steps(small), down=np.ascontiguousarray(down))


def _steps(values: NDArray[np.int16]) -> Map:
    """float32 (H, W): 1 where a step from left to right stands out, else 0."""
    height = np.zeros(values.shape[:2], dtype=np.float32)
    height[:, 1:] = np.abs(values[:, 1:] - values[:, :-1]).max(axis=2)
    sides = np.array([[1, 1, 1, 0, 0, 0, 1, 1, 1]], dtype=np.float32) / 6
    around = cv2.filter2D(height, -1, sides, borderType=cv2.BORDER_REFLECT)
    beside = np.maximum(np.roll(height, 1, 1), np.roll(height, -1, 1))
    found = (height > LEAST) & (height >= STANDS_OUT * around) & (height >= beside)
    return np.asarray(found, dtype=np.float32)
