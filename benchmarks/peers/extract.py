"""One decoding of a file -> its descriptors by several models, and what each step took."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.peers.models import make_any
from vcd.config import MediaConfig, SampleConfig
from vcd.describe import Describer
from vcd.describe.frames import picture_quality
from vcd.media import open_media
from vcd.types import MIRRORED, WHOLE, Descriptors, Frame

BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A file as several models see it."""

    views: dict[str, list[Descriptors]]
    """By model: as it is, and perhaps mirrored."""
    decode_s: float
    """Processor seconds, as are all of these."""
    describe_s: dict[str, float]
    """By model; both views where there are two."""


def read_file(path: Path, media: MediaConfig, sample: SampleConfig, models: Sequence[str], mirrored: bool) -> Reading:
    """Decode once, describe by every model; named by the file's name. Raises `InputError`."""
    started_s = time.process_time()
    opened = open_media(path, media)
    describers = [_describer(model) for model in models]
    frames = opened.frames(sample)
    times_s: list[float] = []
    quality: list[float] = []
    rows: dict[tuple[str, bool], list[np.ndarray]] = {(m, v): [] for m in models for v in (False, True)[: 1 + mirrored]}
    took_s = dict.fromkeys(models, 0.0)
    while group := list(islice(frames, BATCH)):
        times_s += [frame.time_s for frame in group]
        quality += [picture_quality(frame.picture) for frame in group]
        for model, describer in zip(models, describers, strict=True):
            before_s = time.process_time()
            for view in (False, True)[: 1 + mirrored]:
                rows[model, view].append(describer.describe(_pictures(group, view)))
            took_s[model] += time.process_time() - before_s
    views = {
        model: [
            Descriptors(path.name, opened.info, np.array(times_s), np.concatenate(rows[model, view]),
                        np.array(quality, dtype=np.float32), MIRRORED if view else WHOLE)
            for view in (False, True)[: 1 + mirrored]
        ]
        for model in models
    }  # fmt: skip
    decode_s = time.process_time() - started_s - sum(took_s.values())
    return Reading(views, decode_s, took_s)


def _pictures(group: Sequence[Frame], mirrored: bool) -> list[np.ndarray]:
    return [np.ascontiguousarray(f.picture[:, ::-1]) if mirrored else f.picture for f in group]


@lru_cache(maxsize=8)
def _describer(model: str) -> Describer:
    return make_any(model)
