"""What is measured: an hour of film drawn by code, or the videos of a folder; and the clip that is searched."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import av

import vcd.demo
from benchmarks.machine import usable_cores
from benchmarks.speed import film as film_module
from benchmarks.speed.film import cut_clip, recipe, render_grained, repeat_film
from vcd.config import Config
from vcd.demo.canvas import Size
from vcd.errors import InputError, SetupError
from vcd.media import find_media, open_media
from vcd.media.files import VIDEO_SUFFIXES

FULL_HD = Size(1920, 1080)
CLIP_S = 60.0
REPEATED = 6
"""Different films that are repeated; one more is there only once, so that the clip comes from one place."""
FIRST_SEED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the films become an hour."""

    size: Size = FULL_HD
    repeated_s: float = 40.0
    repeats: int = 15
    single_s: float = CLIP_S

    @property
    def total_s(self) -> float:
        return REPEATED * self.repeats * self.repeated_s + self.single_s

    @property
    def text(self) -> str:
        """How the material is made, for people who read the results."""
        return (
            f"procedural: {REPEATED} different films of {self.repeated_s:g} s, each {self.repeats} times in a row in "
            f"one file (the same packets with later timestamps), and one film of {self.single_s:g} s once; "
            f"{self.size.width_px} x {self.size.height_px}, 25 frames/s, shots of 2 to 7 s, film grain, libx264 crf 23 "
            "preset veryfast (key frames at cuts and at least every 250 frames), MP4, no sound"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """One video of the material."""

    path: Path
    duration_s: float
    size_bytes: int
    width_px: int
    height_px: int
    format: str
    frames: int
    key_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What one run of the benchmark measures on."""

    files: tuple[MediaFile, ...]
    clip: Path
    clip_s: float
    clip_of: str
    text: str
    left_out: tuple[str, ...] = ()
    """Files of a given folder that cannot be read."""

    @property
    def hours(self) -> float:
        return sum(file.duration_s for file in self.files) / 3600

    def sample_hours(self, seconds: float) -> float:
        """Length of the first so many seconds of every file."""
        return sum(min(file.duration_s, seconds) for file in self.files) / 3600


def plan_for(minutes: float) -> Plan:
    """A plan for about so many minutes; shorter ones have fewer repeats first, then shorter films."""
    full = Plan()
    distinct_s = REPEATED * full.repeated_s + full.single_s
    if 60 * minutes >= distinct_s:
        repeats = round((60 * minutes - full.single_s) / (REPEATED * full.repeated_s))
        return replace(full, repeats=repeats)
    scale = 60 * minutes / distinct_s
    # Whole seconds of 25 frames each; a shot needs at least one.
    repeated_s, single_s = (float(max(1, round(length * scale))) for length in (full.repeated_s, full.single_s))
    return replace(full, repeated_s=repeated_s, repeats=1, single_s=single_s)


def make_material(plan: Plan, cache: Path) -> Material:
    """Render what the cache does not hold yet; 1.4 core-seconds or less for a second of 1080p film, once."""
    folder = cache / f"films-{_source_digest()}" / f"{plan.size.width_px}x{plan.size.height_px}"
    lengths = [plan.repeated_s] * REPEATED + [plan.single_s]
    with ThreadPoolExecutor(usable_cores()) as pool:
        films = list(pool.map(partial(_film, folder, plan.size), range(len(lengths)), lengths))
    paths = [folder / f"{path.stem}x{plan.repeats}.mp4" for path in films[:-1]]
    for path, rendered in zip(paths, films, strict=False):
        if not path.exists():
            repeat_film(path, rendered, plan.repeats)
    clip = folder / f"clip-of-{films[-1].stem}.mp4"
    clip_s = min(CLIP_S, plan.single_s)
    if not clip.exists():
        cut_clip(clip, films[-1], 0.0, clip_s)
    files = tuple(map(read_facts, [*paths, films[-1]]))
    return Material(files=files, clip=clip, clip_s=clip_s, clip_of=films[-1].name, text=plan.text)


def _film(folder: Path, size: Size, number: int, length_s: float) -> Path:
    path = folder / f"film-{number + 1}-{length_s:g}s.mp4"
    return path if path.exists() else render_grained(path, recipe(FIRST_SEED + number, length_s, size))


def _source_digest() -> str:
    """Short name for the code that draws and encodes: films of older code are not used again."""
    sources = [*sorted(Path(*vcd.demo.__path__).glob("*.py")), Path(film_module.__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def use_folder(folder: Path, cache: Path) -> Material:
    """Measure on the readable videos under a folder; the clip is cut from the middle of the longest one."""
    files, left_out = [], []
    for found in find_media([folder]):
        if isinstance(found, InputError):
            left_out.append(str(found))
        elif found.path.suffix.lower() in VIDEO_SUFFIXES:
            try:
                files.append(read_facts(found.path))
            except InputError as error:
                left_out.append(str(error))
    if not files:
        raise SetupError(f"{folder}: holds no video that can be read")
    longest = max(files, key=lambda file: file.duration_s)
    clip, clip_s = cache / "clip.mp4", min(CLIP_S, longest.duration_s)
    cut_clip(clip, longest.path, (longest.duration_s - clip_s) / 2, clip_s)
    text = f"{len(files)} videos of a folder given with --media"
    return Material(
        files=tuple(files), clip=clip, clip_s=clip_s, clip_of=longest.path.name, text=text, left_out=tuple(left_out)
    )


def read_facts(path: Path) -> MediaFile:
    """Raises `InputError` when vcd would not read the file."""
    info = open_media(path, Config().media).info
    with av.open(str(path)) as container:
        is_key = [packet.is_keyframe for packet in container.demux(container.streams.video[0]) if packet.size]
    return MediaFile(
        path=path.resolve(),
        duration_s=info.duration_s,
        size_bytes=path.stat().st_size,
        width_px=info.width_px,
        height_px=info.height_px,
        format=info.format,
        frames=len(is_key),
        key_frames=sum(is_key),
    )
