"""Local features out of a network's feature map, in the manner of DELF (Noh et al., ICCV 2017).

The picture goes through the network at several sizes; a place is kept where the activation, the length of the map's
vector there, is the greatest around it. DELF trains its attention; here it is the activation itself, as in Simeoni et
al. (CVPR 2019). The vectors of a size compare by their direction. They find what was blurred and recompressed as well
as SIFT does and crops nearly as well; they are worse for small pictures in pictures, and take several times as long.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.local.features import Features, weigh
from vcd.local.text import find_text
from vcd.view import Picture

SIDES_PX = (160, 224, 320, 448)
"""Shorter sides at which a picture is looked at: a step of half an octave."""
LIMIT = 400
"""Features of a picture, most active first."""
RATIO = 0.9
"""Neighbouring places of a map look alike, so the second best is nearer than with SIFT."""
WITHIN_PX = 8.0
"""A place is known to about half a cell."""

SEES = 0.15
"""What a place of the coarsest map sees, in shorter sides: letters that near are in its vector."""

Maps = Callable[[Picture], NDArray[np.float32]]
"""A picture, sides multiples of 16 -> float32 (h, w, C), not negative."""


@dataclass(frozen=True, slots=True)
class LearnedFinder:
    """A `Finder` that looks at the maps of a network."""

    maps: Maps
    sides_px: Sequence[int] = SIDES_PX

    def __call__(self, picture: Picture, mask: NDArray[np.uint8] | None) -> Features:
        points, vectors, activity = (np.concatenate(each) for each in zip(*self._scales(picture), strict=True))
        if mask is not None:
            height, width = mask.shape
            at = np.clip(points.round().astype(np.int64), 0, (width - 1, height - 1))
            activity = np.where(mask[at[:, 1], at[:, 0]] > 0, activity, 0)
        chosen = np.argsort(-activity, kind="stable")[:LIMIT]
        chosen = chosen[activity[chosen] > 0]
        norms = np.linalg.norm(vectors[chosen], axis=1, keepdims=True)
        found = points[chosen]
        reach = max(3, round(SEES * min(picture.shape[:2])))
        text = np.asarray(cv2.dilate(find_text(picture), np.ones((reach, reach), dtype=np.uint8)), dtype=np.uint8)
        weights = weigh(text, found)
        weights[weights < 1] /= len(self.sides_px)  # a letter is found at every size, and says no more for it
        return Features(found, vectors[chosen] / np.maximum(norms, 1e-6), weights, ratio=RATIO, within_px=WITHIN_PX)

    def _scales(self, picture: Picture) -> list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
        """Of each size points float32 (n, 2) in pixels of the picture, vectors (n, C), activity (n,) by its median."""
        height, width = picture.shape[:2]
        found = []
        for side_px in self.sides_px:
            scale = side_px / min(height, width)
            size = tuple(max(32, 16 * round(scale * side / 16)) for side in (width, height))
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            maps = self.maps(np.asarray(cv2.resize(picture, size, interpolation=how), dtype=np.uint8))
            activity = np.linalg.norm(maps, axis=2)
            rows, columns = np.nonzero((activity >= cv2.dilate(activity, np.ones((3, 3)))) & (activity > 0))
            step = np.array([width / maps.shape[1], height / maps.shape[0]])
            points = (np.stack([columns, rows], axis=1) + 0.5) * step - 0.5
            usual = max(float(np.median(activity)), 1e-6)
            found.append((points.astype(np.float32), maps[rows, columns], (activity[rows, columns] / usual)))
        return found
