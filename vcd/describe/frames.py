"""Frames of one file -> its `Descriptors`."""

from collections.abc import Iterable
from itertools import islice

import cv2
import numpy as np

from vcd.describe.describer import Describer
from vcd.types import Descriptors, Frame, MediaInfo, Picture

FULL_CONTRAST = 24.0
"""Standard deviation of luminance (of 255) from which a picture is worth its full weight."""


def describe_frames(
    frames: Iterable[Frame], name: str, info: MediaInfo, describer: Describer, batch: int, mirrored: bool
) -> list[Descriptors]:
    """The file's `Descriptors`, and with `mirrored` those of its mirror image behind them.

    Holds one batch of pictures at a time.
    """
    times_s: list[float] = []
    quality: list[float] = []
    views: list[list[np.ndarray]] = [[], []] if mirrored else [[]]
    stream = iter(frames)
    while group := list(islice(stream, batch)):
        times_s += [frame.time_s for frame in group]
        quality += [picture_quality(frame.picture) for frame in group]
        views[0].append(describer.describe([frame.picture for frame in group]))
        if mirrored:
            views[1].append(describer.describe([np.ascontiguousarray(f.picture[:, ::-1]) for f in group]))
    empty = np.zeros((0, describer.card.dimension), dtype=np.float32)
    return [
        Descriptors(
            name=name,
            info=info,
            times_s=np.array(times_s, dtype=np.float64),
            vectors=np.concatenate([empty, *vectors]),
            quality=np.array(quality, dtype=np.float32),
            mirrored=view == 1,
        )
        for view, vectors in enumerate(views)
    ]


def picture_quality(picture: Picture) -> float:
    """How much a picture can say, from 0 (black or flat) to 1: the contrast of its luminance."""
    luminance = cv2.cvtColor(np.ascontiguousarray(picture[::4, ::4]), cv2.COLOR_RGB2GRAY)
    return min(1.0, float(luminance.std()) / FULL_CONTRAST)
