"""Distractor references: frames of videos, decoded as the product decodes them."""

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus.clips import split_of
from benchmarks.images.stored import SHORT_SIDE_PX, Item, encode
from vcd.config import MediaConfig, SampleConfig
from vcd.errors import InputError
from vcd.media import find_media, open_media

SAME = 6.0
"""Mean difference of 16 x 16 luminances (of 255) below which two frames of one video show the same."""


def distractor_videos(folder: Path) -> list[Path]:
    """The `test` clips of ``clips.csv`` (by its column `split`, else by `split_of` the source) and what is in ``long``.

    A folder without ``clips.csv`` gives all of its videos.
    """
    sheet = folder / "clips.csv"
    if not sheet.exists():
        found = [item.path for item in find_media([folder]) if not isinstance(item, InputError)]
        return sorted(found)
    with sheet.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    names = sorted(row["file"] for row in rows if (row.get("split") or split_of(row["source"])) == "test")
    return [folder / "clips" / name for name in names] + sorted((folder / "long").glob("*.mp4"))


def frames_of(videos: list[Path], count: int) -> Iterator[Item]:
    """At most about `count` frames, evenly through all the videos; of a shot that stands still only the first.

    A hundred frames that show the same would count as a hundred errors where a query mistakes one of them.
    """
    config = MediaConfig(short_side_px=SHORT_SIDE_PX, accept_truncated=True)
    opened = [(path, open_media(path, config)) for path in videos]
    total_s = sum(media.info.duration_s for _, media in opened)
    sample = SampleConfig(mode="uniform", gap_s=max(0.1, round(total_s / count, 3)))
    for path, media in opened:
        kept: list[NDArray[np.float32]] = []
        for frame in media.frames(sample):
            grey = cv2.cvtColor(frame.picture, cv2.COLOR_RGB2GRAY)
            small = cv2.resize(grey, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32)
            if any(np.abs(small - other).mean() < SAME for other in kept):
                continue
            kept.append(small)
            yield Item(f"{path.name}@{frame.time_s:.3f}", path.name, encode(frame.picture))
