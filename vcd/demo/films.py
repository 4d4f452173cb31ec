"""A recipe -> a film: shots drawn from a seed, one after the other, with hard cuts."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vcd.demo.canvas import Size
from vcd.demo.encode import Encoding, write_video
from vcd.demo.scenes import SCENES, make_scene
from vcd.errors import UnknownName
from vcd.types import Picture, Progress, Span, quiet

FILM = Encoding(size=Size(480, 270), frames_per_s=25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that decides what a film shows."""

    name: str
    seed: int
    scenes: tuple[str, ...]
    """Names of `SCENES`; all are used once in random order before any is used again."""
    shortest_s: float
    longest_s: float
    """Shots are this long, but for the last one, which may be shorter or longer to fit."""
    length_s: float
    encoding: Encoding = FILM

    def __post_init__(self) -> None:
        if not 0 < self.shortest_s <= self.longest_s <= self.length_s:
            raise ValueError(f"{self.name}: a recipe needs 0 < shortest <= longest shot <= length of the film")
        if len(set(self.scenes)) != len(self.scenes) or len(self.scenes) < 2:
            raise ValueError(f"{self.name}: a recipe needs two or more scenes, each named once")
        for scene in self.scenes:
            if scene not in SCENES:
                raise UnknownName("scene", scene, SCENES)


@dataclass(frozen=True, slots=True)
class Shot:
    """A stretch of film without a cut."""

    scene: str
    seed: int
    span: Span


FILMS = (
    Recipe(
        name="harbour-lights", seed=11, shortest_s=3.0, longest_s=7.0, length_s=84.0,
        scenes=("title", "waves", "city", "landscape", "flock", "road", "winter", "still life", "balloons",
                "collage"),
    ),
    Recipe(
        name="slow-atlas", seed=22, shortest_s=5.0, longest_s=12.0, length_s=88.0,
        scenes=("relief", "farmland", "mosaic", "bookshelf", "landscape", "waves", "plasma", "still life"),
    ),
    Recipe(
        name="clockwork-fair", seed=33, shortest_s=1.5, longest_s=4.0, length_s=72.0,
        scenes=("toys", "spin", "tunnel", "clockwork", "collage", "plasma", "balloons", "mosaic", "flock"),
    ),
    Recipe(
        name="evening-class", seed=44, shortest_s=2.0, longest_s=9.0, length_s=80.0,
        scenes=("title", "chart", "still life", "bookshelf", "city", "relief", "clockwork", "winter", "road",
                "credits"),
    ),
)  # fmt: skip
"""The reference films: different scenes in different rhythms."""


def shots(recipe: Recipe) -> tuple[Shot, ...]:
    """The shots of a film in order, without gaps; they begin and end between two frames."""
    rng = np.random.default_rng(recipe.seed)
    frames_per_s = recipe.encoding.frames_per_s
    total = round(recipe.length_s * frames_per_s)
    shortest = round(recipe.shortest_s * frames_per_s)
    made: list[Shot] = []
    deck: list[str] = []
    first = 0
    while first < total:
        if not deck:
            deck = [str(scene) for scene in rng.permutation(recipe.scenes)]
            if made and deck[-1] == made[-1].scene:
                deck.reverse()
        stop = first + round(rng.uniform(recipe.shortest_s, recipe.longest_s) * frames_per_s)
        if stop > total - shortest:
            stop = total
        span = Span(first / frames_per_s, stop / frames_per_s)
        made.append(Shot(deck.pop(), int(rng.integers(2**31)), span))
        first = stop
    return tuple(made)


def pictures(recipe: Recipe, times_s: Iterable[float]) -> Iterator[Picture]:
    """What the film shows at rising times, all before its end, as it was before being encoded."""
    todo = iter(shots(recipe))
    shot = next(todo)
    scene = make_scene(shot.scene, shot.seed, recipe.encoding.size)
    for time_s in times_s:
        while time_s >= shot.span.end_s:
            shot = next(todo)
            scene = make_scene(shot.scene, shot.seed, recipe.encoding.size)
        yield scene(time_s - shot.span.start_s)


def render_film(path: Path, recipe: Recipe) -> Path:
    """Draw and encode a film; the same recipe makes the same film."""
    frames_per_s = recipe.encoding.frames_per_s
    times_s = (number / frames_per_s for number in range(round(recipe.length_s * frames_per_s)))
    write_video(path, pictures(recipe, times_s), recipe.encoding)
    return path


def make_films(folder: Path, progress: Progress = quiet, recipes: Sequence[Recipe] = FILMS) -> tuple[Path, ...]:
    """Render the films into a folder, two at a time; paths in the order of the recipes."""
    paths = tuple(folder / f"{recipe.name}.mp4" for recipe in recipes)
    # Threads do as well as processes here: drawing and encoding happen outside Python.
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(render_film, path, recipe) for path, recipe in zip(paths, recipes, strict=True)]
        for job in progress(as_completed(jobs), "films", len(jobs)):
            job.result()
    return paths
