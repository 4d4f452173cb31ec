"""Ways to look at a query; its similarity to a reference is that of its best view."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.images.edits import crop
from vcd.describe.quality import part_doubt
from vcd.media import find_regions
from vcd.types import Picture

Views = Callable[[Picture], Sequence[Picture]]
VIEWS_VERSION = 2
"""Raised with every change of what follows: results of earlier runs hold no longer."""
WINDOW = 0.6
"""Side of the windows that look for a picture in the picture."""


def mirrored(picture: Picture) -> list[Picture]:
    return [picture, np.ascontiguousarray(picture[:, ::-1])]


def layout(picture: Picture) -> list[Picture]:
    """What vcd looks at by default: the picture, the parts of it that a layout shows, and their mirror images."""
    regions = [np.ascontiguousarray(region.rectangle.of(picture)) for region in find_regions([picture])]
    return [view for part in (picture, *regions) for view in mirrored(part)]


def windows(picture: Picture) -> list[Picture]:
    """The centre and nine overlapping windows: blind to where a layout's edges are."""
    height, width = picture.shape[:2]
    rows, columns = max(1, round(WINDOW * height)), max(1, round(WINDOW * width))
    tops, lefts = (np.linspace(0, rest, 3).astype(int) for rest in (height - rows, width - columns))
    cut = [picture[top : top + rows, left : left + columns] for top in tops for left in lefts]
    return [np.ascontiguousarray(part) for part in [crop(picture, 0.8), *cut]]


def parts(picture: Picture) -> list[Picture]:
    """What vcd looks at by default, and blind windows, which are doubted where they show little."""
    return [*layout(picture), *windows(picture)]


def doubts(views: Views, pictures: Sequence[Picture]) -> list[float]:
    """What is taken off the similarities of each of a query's views, as the product does it."""
    blind = len(windows(pictures[0])) if views is parts else 0
    return [0.0] * (len(pictures) - blind) + [part_doubt(each) for each in pictures[len(pictures) - blind :]]


VIEWS: Mapping[str, Views] = {"mirrored": mirrored, "layout": layout, "parts": parts}
