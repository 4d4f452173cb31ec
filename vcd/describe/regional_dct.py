"""A describer without weights: low DCT frequencies of overlapping regions.

The picture's layout, seen through the 14 overlapping regions of R-MAC (Tolias et al., ICLR 2016: levels 1 to 3):
of each region the 16 lowest DCT frequencies of the luminance, of the larger five also the 3 lowest of both
chrominances. Power-law normalised (Perronnin et al., ECCV 2010), so that no single frequency dominates; scaled by
region, so that a logo or subtitle disturbs only the regions it touches; weighted towards the centre, which survives
cropping. It withstands recompression, blur, logos, subtitles and crops down to about 80 % of a side; it is not
meant for picture-in-picture, strong crops or rotation.
"""

from collections.abc import Sequence
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.describe.card import ModelCard
from vcd.describe.describer import unit_rows
from vcd.types import Picture

GRID_PX = 64
POWER = 0.3
FREQUENCIES = 16
COLOUR_FREQUENCIES = 3
COLOUR_REGIONS = 5
CENTRE_WEIGHT = 1.0
COLOUR_WEIGHT = 0.5
SOFT_CONTRAST = 20.0
"""Regions whose powered frequencies are not much longer than this count less: their pattern is mostly noise."""
SOFT_COLOUR = 40.0
"""The same for chrominance, whose frequencies are not powered."""

CARD = ModelCard(
    name="regional-dct",
    dimension=14 * FREQUENCIES + COLOUR_REGIONS * 2 * COLOUR_FREQUENCIES,
    unrelated_similarity=0.42,
    description="Regional DCT of luminance and colour layout; needs no weights.",
    licence="Apache-2.0",
    source="built in",
    input_px=GRID_PX,
)


class RegionalDct:
    """See the module's text; deterministic, about 0.2 ms a picture."""

    card = CARD
    background = np.zeros((0, CARD.dimension), dtype=np.float32)

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        if not pictures:
            return np.zeros((0, CARD.dimension), dtype=np.float32)
        luma, *chroma = (np.stack(planes) for planes in zip(*map(_planes, pictures), strict=True))
        shapes = _power(luma @ self._luma_bases).reshape(len(pictures), len(regions()), FREQUENCIES)
        colours = np.concatenate(
            [(plane @ self._colour_bases).reshape(len(pictures), -1, COLOUR_FREQUENCIES) for plane in chroma], axis=2
        )
        blocks = [self._weights[:, None] * _soft_unit(shapes, SOFT_CONTRAST)]
        blocks.append(COLOUR_WEIGHT * _soft_unit(colours, SOFT_COLOUR))
        return unit_rows(np.hstack([block.reshape(len(pictures), -1) for block in blocks]))

    @cached_property
    def _luma_bases(self) -> NDArray[np.float32]:
        return np.hstack([_basis(*region, FREQUENCIES) for region in regions()])

    @cached_property
    def _colour_bases(self) -> NDArray[np.float32]:
        return np.hstack([_basis(*region, COLOUR_FREQUENCIES) for region in regions()[:COLOUR_REGIONS]])

    @cached_property
    def _weights(self) -> NDArray[np.float32]:
        return np.array([_centre_weight(*region) for region in regions()], dtype=np.float32)


def regions() -> list[tuple[float, float, float]]:
    """Top, left and side of the square regions on the grid: 1 + 4 + 9, overlapping by half or more."""
    found = []
    for level in (1, 2, 3):
        side = 2 * GRID_PX / (level + 1)
        steps = np.linspace(0, GRID_PX - side, level)
        found += [(float(top), float(left), side) for top in steps for left in steps]
    return found


def _planes(picture: Picture) -> list[NDArray[np.float32]]:
    """Luminance and the two chrominances on the grid, each float32 (GRID_PX * GRID_PX,)."""
    small = cv2.resize(picture, (GRID_PX, GRID_PX), interpolation=cv2.INTER_AREA)
    planes = cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb))
    return [np.asarray(plane, dtype=np.float32).ravel() for plane in planes]


def _basis(top: float, left: float, side: float, count: int) -> NDArray[np.float32]:
    """float32 (GRID_PX * GRID_PX, count): windowed cosines of rising frequency, each blind to brightness."""
    at = np.arange(GRID_PX) + 0.5
    pairs = sorted(((u, v) for u in range(8) for v in range(8) if u + v), key=lambda uv: (uv[0] + uv[1], uv[0]))
    window_y, window_x = (np.sin(np.pi * np.clip((at - start) / side, 0, 1)) for start in (top, left))
    window = np.outer(window_y, window_x)
    columns = []
    for u, v in pairs[:count]:
        wave = window * np.outer(np.cos(np.pi * u * (at - top) / side), np.cos(np.pi * v * (at - left) / side))
        wave -= window * (wave.sum() / window.sum())
        columns.append((wave / np.linalg.norm(wave)).ravel())
    return np.array(columns, dtype=np.float32).T


def _centre_weight(top: float, left: float, side: float) -> float:
    """Gaussian of the distance between a region's centre and the picture's, in half sides."""
    half = GRID_PX / 2
    return float(
        np.exp(-CENTRE_WEIGHT * (((top + side / 2 - half) / half) ** 2 + ((left + side / 2 - half) / half) ** 2))
    )


def _power(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.sign(values) * np.abs(values) ** POWER, dtype=np.float32)


def _soft_unit(values: NDArray[np.float32], soft: float) -> NDArray[np.float32]:
    """Last axis scaled to a length below 1 that falls where there is little contrast."""
    return np.asarray(values / (np.linalg.norm(values, axis=-1, keepdims=True) + soft), dtype=np.float32)
