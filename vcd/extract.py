"""Stages 1 and 2 on one file: what a worker process does."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vcd.align import load_calibration, refine_ends
from vcd.config import Config, DescribeConfig, MediaConfig, SampleConfig
from vcd.describe import Describer, describe_frames, make_describer
from vcd.errors import InputError
from vcd.media import hash_file, open_media
from vcd.media.read import Media
from vcd.types import Descriptors, Look, Segment, Span
from vcd.workers import engine_threads

QUERY_STEP_S, REFERENCE_STEP_S = 0.1, 0.03
"""Steps between frames around the ends of a segment: in fast action one frame off is another picture, so every query
frame that is looked at must find its own among the reference's."""


@dataclass(frozen=True, slots=True, eq=False)
class Extracted:
    """A file's descriptors and what identifies its content."""

    views: list[Descriptors]
    """The file as it is, and perhaps its mirror image."""
    content_hash: str
    """Empty when it was not asked for."""
    stat: os.stat_result


def extract(
    path: Path,
    name: str,
    media: MediaConfig,
    sample: SampleConfig,
    describe: DescribeConfig,
    mirrored: bool,
    hashed: bool,
) -> Extracted:
    """Decode and describe a file; raises `InputError`, also when the file changes meanwhile."""
    before = _stat(path)
    opened = open_media(path, media)
    views = describe_frames(opened.frames(sample), name, opened.info, _describer(describe), describe.batch, mirrored)
    content_hash = hash_file(path) if hashed else ""
    after = _stat(path)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise InputError(path, "changed while it was read")
    return Extracted(views, content_hash, after)


def refine(segment: Segment, query: Path, reference: Path, config: Config) -> Segment:
    """The segment with exact ends, found by decoding both files around them."""
    both = open_kept(query, config.media), open_kept(reference, config.media)
    card = _describer(config.describe).card
    floor = load_calibration(card.name, card.unrelated_similarity).unrelated_similarity
    look_query = _look(both[0], QUERY_STEP_S, config.describe, segment.mirrored)
    look_reference = _look(both[1], REFERENCE_STEP_S, config.describe, mirrored=False)
    return refine_ends(segment, look_query, look_reference, (both[0].info.duration_s, both[1].info.duration_s), floor)


def _look(media: Media, step_s: float, describe: DescribeConfig, mirrored: bool) -> Look:
    def look(span: Span) -> Descriptors:
        frames = media.frames_between(span, step_s)
        return describe_frames(frames, "", media.info, _describer(describe), describe.batch, mirrored)[-1]

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
