"""Pictures, and the ways to look at those of a query: in whole, a part of them, turned, mirrored."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""uint8 (H, W, 3), RGB, upright, square pixels."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of a picture, in fractions of its width and height."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError(f"a rectangle lies in its picture and is not empty, got {self}")

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def of(self, picture: Picture) -> Picture:
        """The pixels inside, at least one."""
        height, width = picture.shape[:2]
        left, top = min(round(self.left * width), width - 1), min(round(self.top * height), height - 1)
        right, bottom = max(left + 1, round(self.right * width)), max(top + 1, round(self.bottom * height))
        return picture[top:bottom, left:right]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the frame that shows a picture of its own, in all frames of a file."""

    kind: str
    """How it lies there, for people: ``picture in picture``."""
    rectangle: Rectangle


@dataclass(frozen=True, slots=True)
class View:
    """A way to look at the pictures of a query: a part of them, turned, then mirrored."""

    name: str = "whole"
    """What part: ``whole``, a region's kind, ``centre``, ``left half`` ..."""
    rectangle: Rectangle = Rectangle()
    mirrored: bool = False
    quarter_turns: int = 0
    """Counter-clockwise: a copy that was turned clockwise by 90 degrees is seen upright after 1."""

    def __post_init__(self) -> None:
        if self.quarter_turns not in range(4):
            raise ValueError(f"a picture is turned by 0 to 3 quarters, got {self.quarter_turns}")

    def of(self, picture: Picture) -> Picture:
        """What of the picture is seen; contiguous."""
        seen = np.rot90(self.rectangle.of(picture), self.quarter_turns)
        return np.ascontiguousarray(seen[:, ::-1] if self.mirrored else seen)

    def __str__(self) -> str:
        """For people: ``picture in picture, rotated 90°, mirrored``."""
        notes = [] if self.name == "whole" else [self.name]
        if self.quarter_turns:
            notes.append(f"rotated {90 * self.quarter_turns}°")
        return ", ".join([*notes, "mirrored"] if self.mirrored else notes) or "whole"


WHOLE, MIRRORED = View(), View(mirrored=True)
