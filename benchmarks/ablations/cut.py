"""The shipped network cut open: its maps after each block, its vectors before and after whitening. Runs on OpenVINO."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import openvino
from numpy.typing import NDArray

from vcd.describe.card import ModelCard
from vcd.describe.network import make_batch
from vcd.describe.on_openvino import TYPES, OpenVino
from vcd.describe.pooling import regions
from vcd.describe.weights import read_checked
from vcd.types import Picture

Vectors = NDArray[np.float32]
STEM, BLOCK = "/network/trunk/trunk.2/Relu", "/network/trunk/trunk.{}/Relu_1"
"""Names of the layers that end the stem and each residual block in files that `vcd.train` exports."""
MAXIMA, POOLED = "/network/pool/Concat", "/network/pool/Div_1"
"""Maxima of the regions, and the vector before whitening."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the network is cut."""

    layer: str
    channels: int


class CutNetwork:
    """An exported network in two: convolutions for pictures of any size, and what makes a vector of their maxima."""

    def __init__(self, card: ModelCard, threads: int) -> None:
        """Raises `KeyError` for a network that `vcd.train` has not exported."""
        self.card, self._core = card, openvino.Core()
        precision = card.precision if card.precision in OpenVino.precisions() else "fp32"
        self._settings = {
            "INFERENCE_PRECISION_HINT": TYPES[precision],
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,
        }
        self.places = find_places(_layers(self._read()))
        self._trunks: dict[tuple[int, tuple[Place, ...]], Any] = {}
        self._head = self._compile(self._read_head())

    def maps(self, pictures: Sequence[Picture], side_px: int, places: Sequence[Place]) -> list[Vectors]:
        """For each place (N, C, h, w); pictures are resized to a square whose side is a multiple of 16."""
        key = side_px, tuple(places)
        if key not in self._trunks:
            model = self._read()
            layers = _layers(model)
            trunk = openvino.Model([layers[place.layer].output(0) for place in places], model.get_parameters())
            trunk.reshape([-1, 3, side_px, side_px])
            self._trunks[key] = self._compile(trunk)
        cv2.setNumThreads(1)
        found = self._trunks[key].infer([make_batch(replace(self.card, input_px=side_px), pictures, False)])
        return [np.array(found[number], dtype=np.float32) for number in range(len(places))]

    def vectors(self, maps: Vectors) -> tuple[Vectors, Vectors]:
        """Maps of the last place -> vectors of the card's dimension before and after whitening.

        A square map of any size has as many regions as that of the size that the network was exported for.
        """
        found = regions(maps.shape[2], maps.shape[3])
        maxima = np.stack([maps[:, :, t : t + side, c : c + side].max(axis=(2, 3)) for t, c, side in found], axis=1)
        both = self._head.infer([maxima])
        return np.array(both[0], dtype=np.float32), np.array(both[1], dtype=np.float32)

    def _read(self) -> Any:
        return self._core.read_model(read_checked(self.card.path(self.card.weights), self.card.sha256))

    def _read_head(self) -> Any:
        model = self._read()
        layers = _layers(model)
        shape = layers[MAXIMA].output(0).get_partial_shape()
        maxima = openvino.opset13.parameter(shape, np.float32)
        for user in layers[MAXIMA].output(0).get_target_inputs():
            user.replace_source_output(maxima.output(0))
        result = model.get_results()[0].input_value(0)
        return openvino.Model([layers[POOLED].output(0), result], [maxima])

    def _compile(self, model: Any) -> Any:
        return self._core.compile_model(model, "CPU", self._settings).create_infer_request()


def find_places(layers: dict[str, Any]) -> list[Place]:
    """The stem and the residual blocks; raises `KeyError` for another kind of network."""
    names = [STEM]
    while (name := BLOCK.format(len(names) + 2)) in layers:
        names.append(name)
    return [Place(name, layers[name].output(0).get_partial_shape()[1].get_length()) for name in names]


def _layers(model: Any) -> dict[str, Any]:
    return {node.get_friendly_name(): node for node in model.get_ordered_ops()}
