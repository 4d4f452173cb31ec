"""Feature maps -> one vector a picture: the poolings that copy detection knows, as torch modules.

Average and MAC (maximum activations) look at the whole map. GeM (Radenovic et al., TPAMI 2019) is a mean of powers
between the two. R-MAC (Tolias et al., ICLR 2016) pools overlapping square regions at three scales, turns each into a
unit vector through one shared linear layer, and sums them; the Gaussian variant weighs regions towards the centre,
which survives cropping.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from vcd.describe.pooling import GEM_POWER, LEVELS, OVERLAP, centre_weight

Region = tuple[int, int, int, int]
"""Top, left, height, width in cells of the map."""


@lru_cache(maxsize=64)
def regions(height: int, width: int) -> tuple[Region, ...]:
    """Overlapping square regions of R-MAC: level l has side 2 * min(height, width) / (l + 1), l of them along the
    shorter side, and as many along the longer as overlap by about `OVERLAP`.
    """
    short, long = min(height, width), max(height, width)
    extra = 0
    if long > short:
        overlaps = [((short - (long - short) / steps) / short, steps) for steps in range(1, 8)]
        extra = min(overlaps, key=lambda found: abs(found[0] - OVERLAP))[1]
    found: list[Region] = []
    for level in range(1, LEVELS + 1):
        side = max(1, 2 * short // (level + 1))
        rows = level + (extra if height > width else 0)
        columns = level + (extra if width > height else 0)
        found += [
            (top, left, side, side) for top in _starts(height - side, rows) for left in _starts(width - side, columns)
        ]
    return tuple(dict.fromkeys(found))


def _starts(room: int, count: int) -> list[int]:
    return [round(room * number / (count - 1)) if count > 1 else room // 2 for number in range(count)]


class GlobalPool(nn.Module):
    """Average, MAC or GeM over the whole map, then a linear layer and unit length."""

    def __init__(self, channels: int, dimension: int, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, dimension, bias=False)
        self.norm = nn.BatchNorm1d(dimension)
        self._pool = pool

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, D), unit rows."""
        return functional.normalize(self.norm(self.linear(self._pool(maps)).float()), dim=1)


class RegionalPool(nn.Module):
    """R-MAC: regional maxima, a shared linear layer, unit length, weighted sum, unit length."""

    def __init__(self, channels: int, dimension: int, centred: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, dimension, bias=False)
        self.norm = nn.BatchNorm1d(dimension)
        self._centred = centred

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, D), unit rows."""
        height, width = int(maps.shape[2]), int(maps.shape[3])
        found = regions(height, width)
        maxima = torch.stack([maps[:, :, t : t + h, c : c + w].amax(dim=(2, 3)) for t, c, h, w in found], dim=1)
        vectors = self.linear(maxima).float()
        # Maxima are all positive: without their mean taken out every picture would look like every other at first.
        vectors = functional.normalize(self.norm(vectors.flatten(0, 1)).view_as(vectors), dim=2)
        if self._centred:
            vectors = vectors * vectors.new_tensor(centre_weights(height, width, found))[None, :, None]
        return functional.normalize(vectors.sum(dim=1), dim=1)


def centre_weights(height: int, width: int, found: tuple[Region, ...]) -> list[float]:
    """Gaussian weight of each region's middle: 1 in the centre of the picture."""
    return [centre_weight((top, left, side), height, width) for top, left, side, _ in found]


def _average(maps: Tensor) -> Tensor:
    return maps.mean(dim=(2, 3))


def _maximum(maps: Tensor) -> Tensor:
    return maps.amax(dim=(2, 3))


def _gem(maps: Tensor) -> Tensor:
    return maps.clamp(min=1e-6).pow(GEM_POWER).mean(dim=(2, 3)).pow(1 / GEM_POWER)


POOLINGS: Mapping[str, Callable[[int, int], nn.Module]] = {
    "average": lambda channels, dimension: GlobalPool(channels, dimension, _average),
    "mac": lambda channels, dimension: GlobalPool(channels, dimension, _maximum),
    "gem": lambda channels, dimension: GlobalPool(channels, dimension, _gem),
    "rmac": lambda channels, dimension: RegionalPool(channels, dimension, centred=False),
    "gaussian-rmac": lambda channels, dimension: RegionalPool(channels, dimension, centred=True),
}
