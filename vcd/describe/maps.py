"""The feature map of a model's network, for pictures of any size: what learned local features are found in.

The map is there in the ONNX file, between two of its layers; nothing of the file changes, and neither do its vectors.
It is cut out by OpenVINO, which comes with vcd.
"""

import numpy as np
from numpy.typing import NDArray

from vcd.describe.card import ModelCard
from vcd.describe.on_openvino import OpenVino
from vcd.describe.weights import read_checked
from vcd.errors import ConfigError
from vcd.types import Picture


class FeatureMaps:
    """Pictures -> the activations of the layer that the card names."""

    def __init__(self, card: ModelCard, threads: int = 1) -> None:
        """Raises `ConfigError` for a model whose card names no layer, `ModelError` for bad weights."""
        if not card.local_map:
            raise ConfigError(
                f"model {card.name} has no feature map for local features (local_map in its card); "
                "set verify.features to sift"
            )
        path = card.path(card.weights)
        self._card = card
        self._engine = OpenVino(read_checked(path, card.sha256), str(path), "fp32", threads, output=card.local_map)

    def __call__(self, picture: Picture) -> NDArray[np.float32]:
        """float32 (h, w, C) of a picture whose sides are multiples of the map's stride."""
        values = (picture.astype(np.float32) / 255 - np.array(self._card.mean)) / np.array(self._card.std)
        found = self._engine.run(np.ascontiguousarray(values.transpose(2, 0, 1)[None], dtype=np.float32))
        return np.ascontiguousarray(found[0].transpose(1, 2, 0))
