"""What the service is asked: a library of so many hours, and a clip for each client."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.edits.ffmpeg_run import ffmpeg_binary
from benchmarks.scale import generate
from vcd.config import load_config
from vcd.demo.films import make_films
from vcd.library import LibraryWriter
from vcd.library.merge import merge
from vcd.pipeline import index

CLIP_S = 30.0


@dataclass(frozen=True, slots=True)
class Clip:
    """30 s of a film of the library, encoded anew."""

    content: bytes
    reference: str


@dataclass(frozen=True, slots=True)
class World:
    """A library and clips that were copied from it."""

    library: Path
    hours: float
    frames: int
    clips: tuple[Clip, ...]


def make_world(folder: Path, hours: float, clips: int, config: str | None) -> World:
    """Drawn films, really indexed, among generated descriptors that make up the hours."""
    settings = load_config(config)
    films = make_films(_folder(folder / "films"))
    library = folder / "library"
    indexed = index([folder / "films"], library, settings)
    if indexed.problems or len(indexed.added) != len(films):
        raise SystemExit(f"the films cannot be indexed: {indexed.problems}")
    videos = round(hours * 3600 / generate.INFO.duration_s)
    with LibraryWriter(library, settings.library) as writer:
        merge(writer, map(generate.piece, range(videos)))
        writer.update_index()
    random = np.random.default_rng(9)
    made = []
    for number in range(clips):
        film = films[number % len(films)]
        made.append(Clip(cut(film, folder / f"clip-{number}.mp4", float(random.uniform(1, 35))), film.name))
    return World(library, hours, videos * generate.FRAMES_A_VIDEO, tuple(made))


def cut(film: Path, clip: Path, from_s: float) -> bytes:
    """Half a minute, smaller and encoded worse, as sites do to what is sent to them."""
    how = ["-vf", "scale=-2:240", "-c:v", "libx264", "-preset", "veryfast", "-crf", "30", "-an"]
    where = ["-ss", f"{from_s:.2f}", "-t", f"{CLIP_S:g}", "-i", str(film)]
    subprocess.run([ffmpeg_binary(), "-nostdin", "-v", "error", *where, *how, str(clip)], check=True)
    return clip.read_bytes()


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path
