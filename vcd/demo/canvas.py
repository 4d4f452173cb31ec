"""What every scene draws with: sizes, colours, shapes between pixels, letters, a camera, sliding strips.

Random numbers come from a generator that is handed in, so one seed gives one picture.
"""

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vcd.types import Picture

Colour = tuple[int, int, int]
Scene = Callable[[float], Picture]
"""The picture that a shot shows so many seconds after its start; a new array at every call."""
Points = NDArray[np.float64]
"""float64 (P, 2), x and y in pixels."""

Grey = NDArray[np.uint8]
"""uint8 (H, W)."""

SUBPIXEL_BITS = 4
SUBPIXELS = 1 << SUBPIXEL_BITS
LONGEST_S = 15.0
"""Strips that slide past are long enough for a shot of this length; after it they stand still."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height of a picture; even, because encoded video stores colours at half size."""

    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        if self.width_px < 2 or self.height_px < 2 or self.width_px % 2 or self.height_px % 2:
            raise ValueError(f"a size is even and positive, got {self.width_px} x {self.height_px}")

    def grown(self, across: float, down: float) -> "Size":
        """So many times as wide and as high."""
        return Size(2 * round(self.width_px * across / 2), 2 * round(self.height_px * down / 2))


def palette(rng: Generator, count: int) -> list[Colour]:
    """Colours of one mood, dark to bright in random order: neighbours on the colour wheel and opposites."""
    hue = rng.random()
    shifts = rng.permutation([0.0, 0.06, -0.08, 0.14, 0.5, -0.2, 0.42, 0.3])
    values = rng.permutation(np.linspace(0.18, 1.0, count))
    colours = []
    for i in range(count):
        strength = rng.uniform(0.25, 0.8) * (1.2 - 0.5 * values[i])
        parts = colorsys.hsv_to_rgb((hue + shifts[i % len(shifts)]) % 1.0, strength, values[i])
        colours.append((int(255 * parts[0]), int(255 * parts[1]), int(255 * parts[2])))
    return colours


def by_light(colours: list[Colour]) -> list[Colour]:
    """The same colours, darkest first."""
    return sorted(colours, key=lambda c: (0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2], c))


def blend(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two: ``share`` 0 is the first, 1 the second."""
    mixed = np.asarray(one) * (1 - share) + np.asarray(other) * share
    return int(mixed[0]), int(mixed[1]), int(mixed[2])


def plain(size: Size, colour: Colour) -> Picture:
    """A picture of one colour."""
    return np.full((size.height_px, size.width_px, 3), colour, np.uint8)


def gradient(size: Size, first: Colour, last: Colour, angle: float = np.pi / 2) -> Picture:
    """From one colour to another along a direction; by default from top to bottom."""
    x = np.linspace(-0.5, 0.5, size.width_px)[None, :]
    y = np.linspace(-0.5, 0.5, size.height_px)[:, None]
    reach = (abs(np.cos(angle)) + abs(np.sin(angle))) / 2
    share = ((x * np.cos(angle) + y * np.sin(angle)) / (2 * reach) + 0.5)[..., None]
    mixed: Picture = (np.asarray(first) * (1 - share) + np.asarray(last) * share).astype(np.uint8)
    return mixed


def dot(picture: Picture, x: float, y: float, radius: float, colour: Colour) -> None:
    """Draw a filled circle, placed between pixels, into the picture."""
    centre = (round(x * SUBPIXELS), round(y * SUBPIXELS))
    radius_sub = max(1, round(radius * SUBPIXELS))
    cv2.circle(picture, centre, radius_sub, colour, -1, cv2.LINE_AA, SUBPIXEL_BITS)


def polygon(picture: Picture, points: Points, colour: Colour) -> None:
    """Draw a filled polygon, placed between pixels, into the picture."""
    corners = np.round(points * SUBPIXELS).astype(np.int32)
    cv2.fillPoly(picture, [corners], colour, cv2.LINE_AA, SUBPIXEL_BITS)


def box(picture: Picture, x: float, y: float, width: float, height: float, colour: Colour) -> None:
    """Draw a filled upright rectangle into the picture."""
    first = (round(x), round(y))
    last = (round(x + width) - 1, round(y + height) - 1)
    if last[0] >= first[0] and last[1] >= first[1]:
        cv2.rectangle(picture, first, last, colour, -1)


def round_points(corners: int, radius: float, inner: float = 1.0, turn: float = 0.0) -> Points:
    """Corners of a regular polygon around (0, 0); ``inner`` below 1 pulls in every second one: a star."""
    angles = turn + np.arange(corners) * 2 * np.pi / corners
    radii = np.where(np.arange(corners) % 2, radius * inner, radius)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def write(picture: Picture, text: str, x: float, y: float, height: float, colour: Colour) -> None:
    """Write one line whose letters stand on (x, y) and are ``height`` pixels high."""
    scale = height / 22.0
    thick = max(1, round(height / 9))
    cv2.putText(picture, text, (round(x), round(y)), cv2.FONT_HERSHEY_DUPLEX, scale, colour, thick, cv2.LINE_AA)


def text_width(text: str, height: float) -> float:
    """Pixels that `write` needs from left to right."""
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, height / 22.0, max(1, round(height / 9)))
    return float(width)


def camera(rng: Generator, texture: Picture, size: Size, turning: float = 0.15, pace: float = 1.0) -> Scene:
    """Look at a part of a big picture while travelling over it, turning and zooming.

    Travels 0.1 to 0.2 picture widths a second times ``pace``; beyond its edges the texture is mirrored.
    """
    heading = rng.uniform(0, 2 * np.pi)
    travel = pace * rng.uniform(0.1, 0.2) * size.width_px * np.array([np.cos(heading), np.sin(heading)])
    texture_px = np.array([texture.shape[1], texture.shape[0]])
    start = texture_px * rng.uniform(0.3, 0.7, 2)
    turn, turn_per_s = rng.uniform(-turning, turning), rng.uniform(-turning, turning)
    scale, growth_per_s = rng.uniform(0.8, 1.4), rng.uniform(-0.06, 0.06)
    middle = np.array([size.width_px, size.height_px]) / 2

    def show(time_s: float) -> Picture:
        angle = turn + turn_per_s * time_s
        zoom = scale * np.exp(growth_per_s * time_s)
        linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shift = start + travel * time_s - linear @ middle
        picture: Picture = cv2.warpAffine(
            texture, np.column_stack([linear, shift]), (size.width_px, size.height_px),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT_101,
        )  # fmt: skip
        return picture

    return show


class Strip:
    """A long picture with holes that slides sideways in front of what is behind it."""

    def __init__(self, size: Size, per_s: float) -> None:
        """An empty strip that moves ``per_s`` picture widths a second; when negative, to the right."""
        self.size = size
        self.per_s = per_s * size.width_px
        long = Size(2 * round(size.width_px / 2 + abs(self.per_s) * LONGEST_S / 2), size.height_px)
        self.picture = plain(long, (0, 0, 0))
        self.mask: Grey = np.zeros((long.height_px, long.width_px), np.uint8)

    @property
    def width_px(self) -> int:
        return int(self.picture.shape[1])

    def draw_on(self, picture: Picture, time_s: float) -> None:
        """Lay the part that is in view at this time over the picture."""
        spare = self.width_px - self.size.width_px
        gone = min(round(abs(self.per_s) * time_s), spare)
        first = gone if self.per_s >= 0 else spare - gone
        stop = first + self.size.width_px
        cv2.copyTo(self.picture[:, first:stop], self.mask[:, first:stop], picture)
