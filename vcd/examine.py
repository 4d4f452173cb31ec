"""Stages 5 and 6 on one segment with both of its files: what a worker process does with it."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from vcd.config import Config, MediaConfig
from vcd.describe import load_card
from vcd.describe.maps import FeatureMaps
from vcd.extract import open_kept, refine
from vcd.local.features import FINDERS, Finder
from vcd.local.learned import LearnedFinder
from vcd.media.read import Media
from vcd.types import Frame, Segment, Span
from vcd.verify import Snapshot, choose_moments, reference_time, verify
from vcd.workers import engine_threads

SHORT_SIDE_PX = 360
"""Pictures are compared at this size: local features need more than descriptors do."""
AROUND_S = 0.3
"""Pictures are looked for so far around a moment; where a file shows none there, it says nothing."""
STEP_S = 0.02


def examine(segment: Segment, query: Path, reference: Path, config: Config, checked: bool) -> Segment:
    """The segment with exact ends, as far as the settings and both files allow, and verified when it is `checked`."""
    if config.align.refine:
        segment = refine(segment, query, reference, config)
    if checked:
        snapshots = take_snapshots(segment, query, reference, config.media, config.verify.pairs)
        segment = verify(segment, snapshots, find_features(config))
    return segment


def find_features(config: Config) -> Finder:
    """What finds the local features that the settings name; raises `ConfigError` where the model has no map."""
    if config.verify.features == "learned":
        return _learned(config.describe.model)
    return FINDERS[config.verify.features]


@lru_cache(maxsize=1)
def _learned(model: str) -> Finder:
    return LearnedFinder(FeatureMaps(load_card(model), engine_threads()))


def take_snapshots(segment: Segment, query: Path, reference: Path, media: MediaConfig, pairs: int) -> list[Snapshot]:
    """Pictures of both files at a few moments of the segment, the query's as its segment sees them."""
    large = replace(media, short_side_px=max(SHORT_SIDE_PX, media.short_side_px))
    both = open_kept(query, large), open_kept(reference, large)
    found = []
    for q_span, r_span in choose_moments(segment, pairs):
        q_frames = frames_at(both[0], (q_span.start_s, q_span.end_s))
        if segment.query_span.length_s and segment.reference_span.length_s:
            r_moments_s = tuple(reference_time(segment, frame.time_s) for frame in q_frames)
        else:
            r_moments_s = (r_span.start_s,)
        r_frames = frames_at(both[1], r_moments_s) if r_moments_s else []
        if q_frames and len(r_frames) == len(q_frames):
            seen = tuple(segment.view.of(frame.picture) for frame in q_frames)
            found.append(Snapshot(seen, tuple(frame.picture for frame in r_frames)))
    return found


def frames_at(media: Media, moments_s: tuple[float, ...]) -> list[Frame]:
    """The frames nearest to the moments, one for each different moment; none when one of them has no frame near."""
    moments_s = tuple(dict.fromkeys(moments_s))
    span = Span(max(0.0, min(moments_s) - AROUND_S), max(moments_s) + AROUND_S)
    frames = list(media.frames_between(span, STEP_S))
    if not frames:
        return []
    times_s = np.array([frame.time_s for frame in frames])
    return [frames[int(np.argmin(np.abs(times_s - moment_s)))] for moment_s in moments_s]
