"""What the made films show, and when: pictures that a descriptor tells apart."""

import math
from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""uint8 (H, W, 3), RGB."""
Size = tuple[int, int]
"""Width, height."""
SceneAt = Callable[[float], int]
"""Which scene is shown at a moment of the film."""
Show = Callable[[float], Picture]
"""What is shown at a moment of the file."""
Edit = Callable[[Picture], Picture]

SIZE: Size = (320, 180)
ROOM = 1.3
"""A scene is this much wider and higher than the picture that drifts over it."""


@lru_cache(maxsize=256)
def _scene(scene: int, size: Size) -> Picture:
    """All of a scene: a ground of twelve colours, large shapes, stripes, and a texture of its own grain."""
    random = np.random.default_rng([2024, scene])
    width, height = 832, 468
    ground = random.integers(0, 256, (3, 4, 3)).astype(np.uint8)
    canvas = cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR)
    for _ in range(int(random.integers(6, 14))):
        _draw_shape(canvas, random)
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    turn, pitch = random.uniform(0, math.pi), random.uniform(12, 60)
    waves = np.sin((across * math.cos(turn) + down * math.sin(turn)) * 2 * math.pi / pitch)
    middle = random.uniform((0, 0), (width, height))
    near = np.exp(-((across - middle[0]) ** 2 + (down - middle[1]) ** 2) / 150**2)
    grain = int(random.integers(3, 16))
    noise = random.normal(0, 12, (height // grain, width // grain)).astype(np.float32)
    texture = 60 * waves * near + cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    canvas = np.clip(canvas + texture[..., None], 0, 255).astype(np.uint8)
    room = (math.ceil(size[0] * ROOM), math.ceil(size[1] * ROOM))
    return cv2.resize(canvas, room, interpolation=cv2.INTER_AREA)


def _draw_shape(canvas: Picture, random: np.random.Generator) -> None:
    """An ellipse, a triangle or a rectangle, somewhere, anyhow."""
    colour = [int(level) for level in random.integers(0, 256, 3)]
    centre = (int(random.integers(canvas.shape[1])), int(random.integers(canvas.shape[0])))
    radii = (int(random.integers(40, 170)), int(random.integers(30, 120)))
    angle, kind = float(random.uniform(0, 180)), int(random.integers(3))
    if kind == 0:
        cv2.ellipse(canvas, centre, radii, angle, 0, 360, colour, -1, cv2.LINE_AA)
    else:
        corners = cv2.boxPoints((centre, (2 * radii[0], 2 * radii[1]), angle))[: kind + 2]
        cv2.fillConvexPoly(canvas, corners.astype(np.int32), colour, cv2.LINE_AA)


def picture(scene: int, t_s: float, size: Size = SIZE) -> Picture:
    """Scene number `scene` (0 and up) at moment `t_s`: drifts by a few pixels a second, and never repeats.

    Two scenes differ everywhere; another size gives the same picture, scaled.
    """
    canvas = _scene(scene, size)
    spare = np.array([canvas.shape[1] - size[0], canvas.shape[0] - size[1]])
    turn = 2 * math.pi * (np.array([t_s / 41, t_s / 29]) + np.array([0.37, 0.11]) * scene)
    centre = spare * (1 + np.sin(turn)) / 2 + (np.array(size) - 1) / 2
    return cv2.getRectSubPix(canvas, size, (float(centre[0]), float(centre[1])))


def change_every(seconds: float, first: int = 0) -> SceneAt:
    """Scenes `first`, `first` + 1, ..., each for so many seconds."""
    return lambda t_s: first + int((t_s + 1e-9) // seconds)


def scenes(*numbers: int, each_s: float = 1.0) -> SceneAt:
    """These scenes one after the other; the last one goes on, the first one reaches back."""
    return lambda t_s: numbers[min(max(int((t_s + 1e-9) // each_s), 0), len(numbers) - 1)]


def film(
    scene_at: SceneAt,
    from_s: float = 0.0,
    *,
    speed: float = 1.0,
    edit: Edit | None = None,
    size: Size = SIZE,
) -> Show:
    """The film shown from its moment `from_s`, `speed` seconds of it a second, each picture edited.

    A negative speed plays backwards. `scene_at` and the drift both go by the film's own time, so equal
    moments of one film are equal pictures in every file.
    """

    def show(t_s: float) -> Picture:
        at_s = from_s + speed * t_s
        shown = picture(scene_at(at_s), at_s, size)
        return edit(shown) if edit else shown

    return show


def steady(length_s: float, per_s: float = 10.0) -> list[float]:
    """Moments of a constant frame rate, from 0."""
    return [row / per_s for row in range(round(length_s * per_s))]


def uneven(length_s: float, seed: int = 0) -> list[float]:
    """Moments of a variable frame rate, from 0: gaps of 20 to 400 ms, in whole milliseconds."""
    random = np.random.default_rng(seed)
    at_ms, times_s = 0, []
    while at_ms < length_s * 1000:
        times_s.append(at_ms / 1000)
        at_ms += int(random.choice([20, 33, 34, 40, 100, 117, 250, 400]))
    return times_s
