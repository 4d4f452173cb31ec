"""Stages 1 and 2 on one file: what a worker process does."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path

import numpy as np

from vcd.align import load_calibration, refine_ends, refine_moment
from vcd.config import Config, DescribeConfig, MediaConfig, SampleConfig
from vcd.describe import Describer, choose_views, describe_frames, make_describer, short_side_for
from vcd.errors import InputError
from vcd.hashes.compute import HashTap
from vcd.hashes.records import Hashes
from vcd.media import find_regions, hash_file, open_media
from vcd.media.read import Media
from vcd.types import WHOLE, Descriptors, Frame, Look, MediaInfo, Region, Segment, Span, View
from vcd.workers import engine_threads

HELD_FRAMES = 128
"""Frames held until the layout is known: 35 MB of 16:9 pictures."""
GLANCES = 32
"""Frames in which a layout is sought."""


@dataclass(frozen=True, slots=True, eq=False)
class Extracted:
    """A file's descriptors and what identifies its content."""

    views: list[Descriptors]
    """The file as it is, and perhaps other views of it."""
    content_hash: str
    """Empty when it was not asked for."""
    stat: os.stat_result
    hashes: Sequence[Hashes] = ()
    """Of its frames as they are, one of each kind that was asked for."""


def extract(
    path: Path,
    name: str,
    media: MediaConfig,
    sample: SampleConfig,
    describe: DescribeConfig,
    as_query: bool,
    hashed: bool,
    watched: Path | None = None,
    kinds: Sequence[str] = (),
) -> Extracted:
    """Decode and describe a file, a query in all its views, and make hashes of these kinds.

    With `watched` the share that is done is written to that file now and then, for somebody who waits.
    Raises `InputError`, also when the file changes meanwhile.
    """
    before = _stat(path)
    describer = _describer(describe)
    seen = (
        look_over(path, media, sample, describe, describer) if as_query else as_it_is(open_media(path, media), sample)
    )
    frames = _watched(seen.frames, seen.info.duration_s, watched) if watched else seen.frames
    tap = HashTap(kinds)
    views = describe_frames(tap.watch(frames), name, seen.info, describer, describe.batch, seen.views)
    content_hash = hash_file(path) if hashed else ""
    after = _stat(path)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise InputError(path, "changed while it was read")
    return Extracted(views, content_hash, after, tap.hashes())


def extract_hashes(
    path: Path, media: MediaConfig, sample: SampleConfig, kinds: Sequence[str]
) -> tuple[MediaInfo, list[Hashes]]:
    """What a file is and the hashes of its frames, without the network. Raises `InputError`."""
    opened, tap = open_media(path, media), HashTap(kinds)
    for _ in tap.watch(opened.frames(sample)):
        pass
    return opened.info, tap.hashes()


def _watched(frames: Iterator[Frame], duration_s: float, file: Path) -> Iterator[Frame]:
    """The frames, while what share of the file they reach is noted twice a second; a full disk costs only the note."""
    due_s = 0.0
    for frame in frames:
        if time.monotonic() >= due_s:
            with suppress(OSError):
                file.write_text(f"{frame.time_s / max(duration_s, 1e-9):.3f}", encoding="ascii")
            due_s = time.monotonic() + 0.5
        yield frame


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A file's frames, still to be decoded, and how to look at them."""

    info: MediaInfo
    frames: Iterator[Frame]
    views: Sequence[View]


def as_it_is(opened: Media, sample: SampleConfig) -> Seen:
    return Seen(opened.info, opened.frames(sample), (WHOLE,))


def look_over(
    path: Path, media: MediaConfig, sample: SampleConfig, describe: DescribeConfig, describer: Describer
) -> Seen:
    """A query and the views of it that its layout and the settings ask for.

    The layout is found in the first frames, held until it is known, where they are all there are; in a longer file in
    a few from all over it, decoded beforehand. Pictures are decoded again, larger, where a part of them is too small.
    """
    opened = open_media(path, media)
    frames = opened.frames(sample)
    regions: tuple[Region, ...] = ()
    if describe.layout:
        held = list(islice(frames, HELD_FRAMES))
        glances = held if len(held) < HELD_FRAMES else list(opened.glances(GLANCES))
        at = np.unique(np.linspace(0, len(glances) - 1, min(GLANCES, len(glances))).round().astype(int))
        regions = find_regions([glances[row].picture for row in at])
        frames = chain(held, frames)
    views = choose_views(describe, regions, opened.info)
    larger = _media_for(views, media, describer)
    if larger != media and min(opened.info.width_px, opened.info.height_px) > media.short_side_px:
        opened = open_media(path, larger)
        frames = opened.frames(sample)
    return Seen(opened.info, frames, views)


def _media_for(views: Sequence[View], media: MediaConfig, describer: Describer) -> MediaConfig:
    """The settings with pictures large enough for all views."""
    return replace(media, short_side_px=short_side_for(views, describer.card.input_px, media.short_side_px))


def refine(segment: Segment, query: Path, reference: Path, config: Config) -> Segment:
    """The segment with exact ends, found by decoding both files around them."""
    describer = _describer(config.describe)
    query_media = _media_for([segment.view], config.media, describer)
    both = open_kept(query, query_media), open_kept(reference, config.media)
    card = describer.card
    floor = load_calibration(card.name, card.unrelated_similarity).unrelated_similarity
    look_query = _look(both[0], config.describe, segment.view)
    look_reference = _look(both[1], config.describe, WHOLE)
    if both[0].info.kind == "image":
        if both[1].info.kind == "image":
            return segment
        picture = look_query(segment.query_span, 0.0)
        return refine_moment(segment, picture, look_reference, both[1].info.duration_s, floor)
    return refine_ends(segment, look_query, look_reference, (both[0].info.duration_s, both[1].info.duration_s), floor)


def _look(media: Media, describe: DescribeConfig, view: View) -> Look:
    def look(span: Span, step_s: float) -> Descriptors:
        frames = media.frames_between(span, step_s)
        return describe_frames(frames, "", media.info, _describer(describe), describe.batch, [view])[0]

    return look


@lru_cache(maxsize=1)
def _describer(describe: DescribeConfig) -> Describer:
    return make_describer(describe.model, describe.engine, describe.precision, engine_threads())


@lru_cache(maxsize=8)
def open_kept(path: Path, media: MediaConfig) -> Media:
    """Kept open for the segments that follow: reading the timeline of a long file takes a while."""
    return open_media(path, media)


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from error
