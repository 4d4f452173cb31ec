"""A decoded frame -> an upright RGB picture with square pixels, small enough to describe."""

import threading
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorTrc, VideoReformatter
from numpy.typing import NDArray

from vcd.types import Picture

HDR_WHITE_NITS, HLG_WHITE = 203.0, 0.265
"""Diffuse white in HDR (ITU-R BT.2408): luminance in PQ; share of the brightest scene light in HLG."""
KNEE = 0.7
"""Light up to this share of diffuse white is kept; brighter light is pressed into what is left below white."""
_PQ = (2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32)
_BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], dtype=np.float32
)  # ITU-R BT.2087


class _Scalers(threading.local):
    """FFmpeg's scalers, one pair a thread: setting one up costs five times as much as scaling a frame."""

    def __init__(self) -> None:
        self._shrink, self._convert = VideoReformatter(), VideoReformatter()

    def shrink(self, frame: av.VideoFrame, width: int, height: int, form: str) -> av.VideoFrame:
        return self._shrink.reformat(frame, width, height, form, interpolation="AREA", threads=1)

    def convert(self, frame: av.VideoFrame) -> av.VideoFrame:
        return self._convert.reformat(frame, format="rgb24", threads=1)


_SCALERS = _Scalers()


def to_picture(frame: av.VideoFrame, short_side_px: int, aspect: Fraction | None) -> Picture:
    """Shrink first, in the frame's own colour space, then convert: conversion of full frames is what costs."""
    width, height = _shown_size(frame.width, frame.height, aspect, short_side_px)
    if frame.interlaced_frame and frame.height >= 2 * height and frame.format.name.startswith("yuv"):
        frame = _one_field(frame)
    if frame.color_trc in (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67):
        deep = _SCALERS.shrink(frame, width, height, "rgb48le").to_ndarray()
        picture: NDArray[Any] = tone_map(deep.astype(np.uint16, copy=False), pq=frame.color_trc == ColorTrc.SMPTE2084)
    elif frame.format.name in {"yuv420p", "yuvj420p", "yuv422p", "yuv444p"} and width > 1 and height > 1:
        small = _SCALERS.shrink(frame, width, height, frame.format.name)
        picture = _SCALERS.convert(small).to_ndarray()
    else:
        picture = _SCALERS.shrink(frame, width, height, "rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(picture, frame.rotation // 90 % 4)).astype(np.uint8, copy=False)


def _shown_size(width: int, height: int, aspect: Fraction | None, short_side_px: int) -> tuple[int, int]:
    """Size with square pixels whose shorter side is at most `short_side_px`; never larger than the frame."""
    shown = square_width(width, aspect)
    scale = min(1.0, short_side_px / min(shown, height))
    # A side ratio of more than 16 has nothing to gain from more pixels, and must not cost memory.
    limit = 16 * short_side_px
    return max(1, min(round(shown * scale), limit)), max(1, min(round(height * scale), limit))


def square_width(width: int, aspect: Fraction | None) -> float:
    """Width with square pixels; a shape of pixels that cannot be meant is not obeyed."""
    return width * float(aspect) if aspect and 0.1 < aspect < 10 else float(width)


def _one_field(frame: av.VideoFrame) -> av.VideoFrame:
    """Every second line of an interlaced frame: one moment instead of two woven together."""
    rgb = frame.to_ndarray(format="rgb24")[::2].astype(np.uint8, copy=False)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")


def tone_map(deep: NDArray[np.uint16], pq: bool) -> Picture:
    """HDR signal (PQ or HLG, BT.2020 primaries) -> what a standard screen would show.

    uint16 (H, W, 3) -> uint8 (H, W, 3). SMPTE ST 2084 (PQ) or ITU-R BT.2100 (HLG) to light, diffuse white = 1;
    highlights rolled off by luminance, so that mid-tones stay those of a standard copy; BT.709, gamma 2.2.
    """
    signal = deep.astype(np.float32) / np.float32(65535)
    light = _pq_to_nits(signal) / HDR_WHITE_NITS if pq else _hlg_to_light(signal) / HLG_WHITE
    luminance = np.maximum(light @ np.array([0.2627, 0.6780, 0.0593], dtype=np.float32), 1e-6)
    over = np.maximum(luminance - KNEE, 0) / (1 - KNEE)
    rolled = np.minimum(luminance, KNEE) + (1 - KNEE) * (1 - np.exp(-over))
    mapped = (light * (rolled / luminance)[..., None]) @ _BT2020_TO_BT709.T
    return np.asarray(np.round(255 * np.clip(mapped, 0, 1) ** (1 / 2.2)), dtype=np.uint8)


def _pq_to_nits(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    m1, m2, c1, c2, c3 = _PQ
    powered = signal ** (1 / m2)
    return np.asarray(10000 * (np.maximum(powered - c1, 0) / (c2 - c3 * powered)) ** (1 / m1), dtype=np.float32)


def _hlg_to_light(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light of the scene, 1 at most: a standard camera would have started from the same."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.asarray(np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12), dtype=np.float32)


def shrink(picture: Picture, short_side_px: int) -> Picture:
    """Scale an RGB picture down by area averaging; never up."""
    height, width = picture.shape[:2]
    size = _shown_size(width, height, None, short_side_px)
    return picture if size == (width, height) else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
