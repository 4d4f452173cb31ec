"""Feature maps -> one vector a picture: the poolings that copy detection knows, as torch modules.

Average and MAC (maximum activations) look at the whole map. GeM (Radenovic et al., TPAMI 2019) is a mean of powers
between the two. R-MAC (Tolias et al., ICLR 2016) pools overlapping square regions at three scales, turns each into a
unit vector through one shared linear layer, and sums them; the Gaussian variant weighs regions towards the centre,
which survives cropping.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from vcd.describe.pooling import GEM_POWER, centre_weight, regions


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
        maxima = torch.stack([maps[:, :, t : t + side, c : c + side].amax(dim=(2, 3)) for t, c, side in found], dim=1)
        vectors = self.linear(maxima).float()
        # Maxima are all positive: without their mean taken out every picture would look like every other at first.
        vectors = functional.normalize(self.norm(vectors.flatten(0, 1)).view_as(vectors), dim=2)
        if self._centred:
            weights = [centre_weight(region, height, width) for region in found]
            vectors = vectors * vectors.new_tensor(weights)[None, :, None]
        return functional.normalize(vectors.sum(dim=1), dim=1)


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
