"""How a picture becomes a frame of a file: orientation, shape of pixels, fields, colours."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tests.made_scenes import Picture, Show, Size


@dataclass(frozen=True, slots=True)
class Colour:
    """How colours are written and tagged: FFmpeg's numbers for primaries, transfer and matrix."""

    primaries: int
    trc: int
    matrix: int
    full_range: bool = False
    pix_fmt: str | None = None


BT709 = Colour(1, 1, 1)
FULL_RANGE = Colour(1, 1, 1, full_range=True)
HDR10 = Colour(9, 16, 9, pix_fmt="yuv420p10le")
HLG = Colour(9, 18, 9, pix_fmt="yuv420p10le")
SDR_WHITE_NITS = 203.0
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


def grade(shown: Picture, colour: Colour | None) -> NDArray[Any]:
    """uint16 (H, W, 3), BT.2020 in PQ or HLG with white at 203 nits; pictures for SDR unchanged."""
    if colour is None or colour.trc not in (16, 18):
        return shown
    levels = np.arange(256) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    light = linear[shown] @ TO_BT2020.T
    if colour.trc == 16:
        power = (light * SDR_WHITE_NITS / 10_000) ** (2610 / 16384)
        signal = ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    else:
        light = light * 0.265  # BT.2408: SDR white lies at 75 % of the HLG signal
        bright = 0.17883277 * np.log(np.maximum(12 * light - 0.28466892, 1e-6)) + 0.55991073
        signal = np.where(light <= 1 / 12, np.sqrt(3 * light), bright)
    return np.round(np.clip(signal, 0, 1) * 65535).astype(np.uint16)


@dataclass(frozen=True, slots=True)
class Look:
    """How the pictures of a file are stored; `size` is what a viewer sees."""

    size: Size
    rotation: int = 0
    sar: Fraction | None = None
    interlaced: bool = False
    colour: Colour | None = None

    def __post_init__(self) -> None:
        if self.rotation % 90:
            raise ValueError(f"a rotation is a multiple of 90 degrees, got {self.rotation}")

    @property
    def stored_size(self) -> Size:
        """Size of the stored picture: turned back, and squeezed by the shape of a pixel."""
        width, height = self.size[::-1] if self.rotation % 180 else self.size
        return (round(width / (self.sar or 1)), height)

    def set_up(self, stream: VideoStream) -> None:
        """Tell the encoder and the container."""
        stream.width, stream.height = self.stored_size
        if self.rotation:
            stream.set_display_rotation(self.rotation)
        if self.sar:
            stream.codec_context.sample_aspect_ratio = self.sar
        if self.interlaced:
            stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        if self.colour:
            self._tag(stream.codec_context, self.colour)

    def frame(self, show: Show, at_s: float, length_s: float, pix_fmt: str) -> VideoFrame:
        """The frame shown for `length_s` from `at_s`, without its times."""
        shown = self._shown(show, at_s)
        if self.interlaced:
            shown = shown.copy()
            shown[1::2] = self._shown(show, at_s + length_s / 2)[1::2]
        stored = np.rot90(shown, -self.rotation // 90)
        if stored.shape[1::-1] != self.stored_size:
            stored = cv2.resize(stored, self.stored_size, interpolation=cv2.INTER_AREA)
        graded = np.ascontiguousarray(grade(stored, self.colour))
        rgb = VideoFrame.from_ndarray(graded, format="rgb48le" if graded.dtype == np.uint16 else "rgb24")
        if self.colour is None:
            return rgb.reformat(format=pix_fmt)
        frame = rgb.reformat(
            format=pix_fmt,
            dst_colorspace=self.colour.matrix,
            dst_color_range="JPEG" if self.colour.full_range else "MPEG",
        )
        self._tag(frame, self.colour)
        return frame

    def _shown(self, show: Show, at_s: float) -> Picture:
        shown = show(at_s)
        if shown.shape[1::-1] != self.size:
            shown = cv2.resize(shown, self.size, interpolation=cv2.INTER_AREA)
        return shown

    @staticmethod
    def _tag(target: Any, colour: Colour) -> None:
        target.color_primaries, target.color_trc = colour.primaries, colour.trc
        target.colorspace, target.color_range = colour.matrix, 2 if colour.full_range else 1


class FieldMarker:
    """Marks frames as interlaced, upper field first, and thins out the colours of each field by itself.

    PyAV has no setter for the mark, but the filter `setfield` has. Takes frames in yuv444p, gives yuv420p.
    """

    def __init__(self, look: Look, base: Fraction) -> None:
        width, height = look.stored_size
        self._graph = Graph()
        stored = av.VideoFormat("yuv444p", width, height)
        self._graph.link_nodes(
            self._graph.add_buffer(width=width, height=height, format=stored, time_base=base),
            self._graph.add("setfield", "mode=tff"),
            self._graph.add("scale", "interl=1"),
            self._graph.add("format", "yuv420p"),
            self._graph.add("buffersink"),
        )
        self._graph.configure()

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        self._graph.vpush(frame)
        return self._graph.vpull()
