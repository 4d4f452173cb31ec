"""Where nothing happens between two key frames: what lies there need not be decoded.

Sizes of packets tell it before anything is decoded: a picture that hardly differs from those before it costs hardly a
byte. The two key frames, which are decoded anyway, then confirm it or not.
"""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.media.timeline import Timeline
from vcd.types import Picture

QUIET_MEAN, QUIET_MOST = 0.015, 0.15
"""Packets between two key frames of at most such sizes, on average and each, as shares of the key frames' ..."""
SAME = 4.0
"""... and key frames whose blocks differ by at most so many levels, show a picture that stands still."""
BLOCKS = (24, 24)


def quiet_rows(timeline: Timeline, wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
    """bool (n,), which of the `wanted` packets, sorted by time, lie where sizes say that nothing happens.

    None of a file that does not say in which order pictures are shown.
    """
    is_quiet = np.zeros(len(wanted), dtype=bool)
    if timeline.delay:
        return is_quiet
    anchors = np.flatnonzero(timeline.is_key[wanted])
    for before, after in pairwise(anchors):
        if after - before < 2:
            continue
        first, last = wanted[before], wanted[after]
        sizes = timeline.sizes_bytes[first + 1 : last]
        most = min(timeline.sizes_bytes[first], timeline.sizes_bytes[last])
        # A key frame between them was left out for being close to another: sizes say nothing then.
        is_one_group = len(sizes) > 0 and not timeline.is_key[first + 1 : last].any()
        if is_one_group and sizes.mean() <= QUIET_MEAN * most and sizes.max() <= QUIET_MOST * most:
            is_quiet[before + 1 : after] = True
    return is_quiet


def show_the_same(one: Picture, other: Picture) -> bool:
    if one.shape != other.shape:
        return False
    small = [cv2.resize(picture, BLOCKS, interpolation=cv2.INTER_AREA).astype(np.int16) for picture in (one, other)]
    return bool(np.abs(small[0] - small[1]).max() <= SAME)
