"""A folder -> the films and the clip of ``vcd demo``."""

from dataclasses import dataclass
from pathlib import Path

from vcd.demo.films import make_films
from vcd.demo.pirate import TrueSegment, make_clip
from vcd.types import Progress, quiet


@dataclass(frozen=True, slots=True)
class DemoMedia:
    """The references, the query, and what is to be found."""

    films: tuple[Path, ...]
    clip: Path
    truth: tuple[TrueSegment, ...]


def make_demo(folder: Path, progress: Progress = quiet) -> DemoMedia:
    """Render ``films/*.mp4`` and ``clip.mp4`` into a folder, over an earlier run; takes some 10 s."""
    films = make_films(folder / "films", progress)
    clip = folder / "clip.mp4"
    return DemoMedia(films, clip, make_clip(clip, films, progress))
