"""The network: pictures -> unit vectors.

A shallow residual network of stride 16. Shallow, because copies share pixels, not meanings, and because few pictures
suffice to teach its layers (Asano et al., ICLR 2020). The last scale of each residual branch starts at zero (Goyal et
al., 2017), which lets the KoLeo term be strong from the start.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from vcd.train.config import TrainConfig
from vcd.train.pooling import POOLINGS

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of RGB in [0, 1]; the network takes pictures with these taken out."""


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut; halves the map when `stride` is 2."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(after)
        self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(after)
        nn.init.zeros_(self.second_norm.weight)
        self.stride = stride
        self.shortcut: nn.Module = nn.Identity()
        if before != after:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))

    def forward(self, maps: Tensor) -> Tensor:
        """(N, before, h, w) -> (N, after, h / stride, w / stride)."""
        branch = functional.relu(self.first_norm(self.first(maps)), inplace=True)
        branch = self.second_norm(self.second(branch))
        if self.stride > 1:
            maps = functional.avg_pool2d(maps, self.stride)
        return functional.relu(self.shortcut(maps) + branch, inplace=True)


class Network(nn.Module):
    """Stem of stride 4, residual blocks at strides 4, 8 and 16, pooling to one unit vector."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(3, config.widths[0], 7, 4, 3, bias=False),
            nn.BatchNorm2d(config.widths[0]),
            nn.ReLU(inplace=True),
        ]
        before = config.widths[0]
        for stage, (width, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
            for number in range(count):
                layers.append(Block(before, width, 2 if stage and not number else 1))
                before = width
        self.trunk = nn.Sequential(*layers)
        self.pool = POOLINGS[config.pooling](before, config.dimension)

    def forward(self, pictures: Tensor) -> Tensor:
        """float (N, 3, H, W), normalised -> (N, D), unit rows. H and W are multiples of 16."""
        return cast(Tensor, self.pool(self.trunk(pictures)))


def normalise(pictures: Tensor) -> Tensor:
    """uint8 (N, H, W, 3) -> float32 (N, 3, H, W), as the network takes them."""
    values = pictures.permute(0, 3, 1, 2).float() / 255
    mean, std = (values.new_tensor(of)[None, :, None, None] for of in (MEAN, STD))
    return ((values - mean) / std).contiguous(memory_format=torch.channels_last)
