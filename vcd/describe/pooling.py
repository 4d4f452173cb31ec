"""Feature maps -> one vector a picture: the poolings that copy detection knows.

Average and MAC (maximum activations) look at the whole map. GeM (Radenovic et al., TPAMI 2019) is a mean of powers
between the two. R-MAC (Tolias et al., ICLR 2016) takes maxima of overlapping square regions at three scales, gives
each region's vector length 1, and sums them; the Gaussian variant weighs regions towards the centre, which survives
cropping. `maps` are (N, C, h, w), of numpy or of torch, and `xp` is the package they are of.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

LEVELS = 3
OVERLAP = 0.4
"""Share of a region that its neighbour along the longer side covers as well; the published value."""
GEM_POWER = 3.0
CENTRE_SPREAD = 0.45
"""Standard deviation of the Gaussian weight of regions, in half sides of the picture."""
TINY = 1e-6

Region = tuple[int, int, int]
"""Top, left and side, in cells of the map."""


def pool(maps: Any, pooling: str, xp: Any) -> Any:
    """(N, C), unit rows; a map of zeros gives zeros."""
    return _unit(POOLINGS[pooling](maps, xp), xp)


def regions(height: int, width: int) -> tuple[Region, ...]:
    """Level l has squares of side 2 * min(height, width) / (l + 1): l of them along the shorter side, and along the
    longer one as many more as make neighbours overlap by about `OVERLAP`. Each region once.
    """
    short, extra = min(height, width), abs(height - width)
    more = min(range(1, 7), key=lambda steps: abs(1 - extra / steps / short - OVERLAP)) if extra else 0
    found = []
    for level in range(1, LEVELS + 1):
        side = max(1, 2 * short // (level + 1))
        down = _starts(height - side, level + (more if height > width else 0))
        across = _starts(width - side, level + (more if width > height else 0))
        found += [(top, left, side) for top in down for left in across]
    return tuple(dict.fromkeys(found))


def _starts(room: int, count: int) -> list[int]:
    return [room * number // (count - 1) for number in range(count)] if count > 1 else [room // 2]


def centre_weight(region: Region, height: int, width: int) -> float:
    """Gaussian of the distance between the region's middle and the map's: 1 in the centre."""
    top, left, side = region
    down, across = (2 * top + side) / height - 1, (2 * left + side) / width - 1
    return math.exp(-(down**2 + across**2) / (2 * CENTRE_SPREAD**2))


def _average(maps: Any, xp: Any) -> Any:
    return xp.mean(maps, axis=(2, 3))


def _mac(maps: Any, xp: Any) -> Any:
    return xp.amax(maps, axis=(2, 3))


def _gem(maps: Any, xp: Any) -> Any:
    return xp.mean(xp.clip(maps, 0, None) ** GEM_POWER, axis=(2, 3)) ** (1 / GEM_POWER)


def _regional(maps: Any, xp: Any, weight: Callable[[Region, int, int], float]) -> Any:
    height, width = int(maps.shape[2]), int(maps.shape[3])
    total: Any = 0
    for region in regions(height, width):
        top, left, side = region
        vector = _unit(_mac(maps[:, :, top : top + side, left : left + side], xp), xp)
        total = total + weight(region, height, width) * vector
    return total


def _rmac(maps: Any, xp: Any) -> Any:
    return _regional(maps, xp, lambda *_: 1.0)


def _gaussian_rmac(maps: Any, xp: Any) -> Any:
    return _regional(maps, xp, centre_weight)


def _unit(vectors: Any, xp: Any) -> Any:
    return vectors / xp.clip(xp.sqrt(xp.sum(vectors * vectors, axis=1, keepdims=True)), TINY, None)


POOLINGS: Mapping[str, Callable[[Any, Any], Any]] = {
    "average": _average,
    "mac": _mac,
    "gem": _gem,
    "rmac": _rmac,
    "gaussian-rmac": _gaussian_rmac,
}
