"""Frames of one file -> its `Descriptors`."""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from vcd.describe.describer import Describer
from vcd.describe.quality import part_doubt, picture_quality
from vcd.describe.views import PARTS
from vcd.types import WHOLE, Descriptors, Frame, MediaInfo, Rectangle, View


def describe_frames(
    frames: Iterable[Frame],
    name: str,
    info: MediaInfo,
    describer: Describer,
    batch: int,
    views: Sequence[View] = (WHOLE,),
) -> list[Descriptors]:
    """The file's `Descriptors`, one for each view.

    The pictures of all views go through the describer together, about `batch` of them at a time. Blind parts of a still
    picture have a bias where they show little: a film says by many frames what it is, a still by one.
    """
    times_s: list[float] = []
    quality: list[list[float]] = [[] for _ in views]
    bias: list[list[float]] = [[] for _ in views]
    blind = {part.rectangle for part in PARTS} if info.kind == "image" else set()
    vectors: list[NDArray[np.float32]] = [np.zeros((0, len(views), describer.card.dimension), dtype=np.float32)]
    stream = iter(frames)
    while group := list(islice(stream, max(1, batch // len(views)))):
        times_s += [frame.time_s for frame in group]
        for frame in group:
            for column, worth in zip(quality, _qualities(frame, views), strict=True):
                column.append(worth)
            for column, view in zip(bias, views, strict=True):
                is_blind = view.rectangle in blind
                column.append(part_doubt(view.rectangle.of(frame.picture)) if is_blind else 0.0)
        pictures = [view.of(frame.picture) for frame in group for view in views]
        vectors.append(describer.describe(pictures).reshape(len(group), len(views), -1))
    together = np.concatenate(vectors)
    return [
        Descriptors(
            name=name,
            info=info,
            times_s=np.array(times_s, dtype=np.float64),
            vectors=np.ascontiguousarray(together[:, number]),
            quality=np.array(quality[number], dtype=np.float32),
            view=view,
            bias=np.array(bias[number], dtype=np.float32),
        )
        for number, view in enumerate(views)
    ]


def _qualities(frame: Frame, views: Sequence[View]) -> list[float]:
    """Of what each view shows; turning and mirroring change nothing."""
    found: dict[Rectangle, float] = {}
    for view in views:
        if view.rectangle not in found:
            found[view.rectangle] = picture_quality(view.rectangle.of(frame.picture))
    return [found[view.rectangle] for view in views]
