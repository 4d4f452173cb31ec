"""Distractor references: frames of videos, decoded as the product decodes them."""

import csv
from collections.abc import Iterator
from pathlib import Path

from benchmarks.corpus.clips import split_of
from benchmarks.images.stored import SHORT_SIDE_PX, Item, encode
from vcd.config import MediaConfig, SampleConfig
from vcd.errors import InputError
from vcd.media import find_media, open_media


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
    """About `count` frames, evenly through all the videos: as far apart as that allows."""
    config = MediaConfig(short_side_px=SHORT_SIDE_PX, accept_truncated=True)
    opened = [(path, open_media(path, config)) for path in videos]
    total_s = sum(media.info.duration_s for _, media in opened)
    sample = SampleConfig(mode="uniform", gap_s=max(0.1, round(total_s / count, 3)))
    for path, media in opened:
        for frame in media.frames(sample):
            yield Item(f"{path.name}@{frame.time_s:.3f}", path.name, encode(frame.picture))
