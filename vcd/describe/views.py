"""Which views of a query are described: as it is, mirrored, its parts, turned."""

from collections.abc import Sequence
from dataclasses import replace

from vcd.config import DescribeConfig
from vcd.types import MediaInfo, Rectangle, Region, View

PARTS = (
    View("centre", Rectangle(0.2, 0.2, 0.8, 0.8)),
    View("left half", Rectangle(right=0.5)),
    View("right half", Rectangle(left=0.5)),
    View("upper half", Rectangle(bottom=0.5)),
    View("lower half", Rectangle(top=0.5)),
)
ENOUGH = 0.75
"""Share of the pixels that a model takes in from which a part is large enough."""
MOST = 3
"""Pictures are decoded at most this many times as large for the sake of a part."""


def choose_views(config: DescribeConfig, regions: Sequence[Region], info: MediaInfo) -> tuple[View, ...]:
    """The views that the settings ask for; that of the whole picture first."""
    views = [View(), *(View(region.kind, region.rectangle) for region in regions)]
    if config.parts:
        views += PARTS
    is_image = info.kind == "image"
    if config.turned == "always" or (config.turned == "likely" and is_image):
        views += [View(quarter_turns=turns) for turns in (1, 2, 3)]
    elif config.turned == "likely" and not regions and info.height_px > info.width_px:
        return (*_both(views, config.mirrored), *(View(quarter_turns=turns) for turns in (1, 3)))
    return _both(views, config.mirrored)


def _both(views: Sequence[View], mirrored: bool) -> tuple[View, ...]:
    return tuple(each for view in views for each in (view, replace(view, mirrored=True))[: 1 + mirrored])


def short_side_for(views: Sequence[View], input_px: int, short_side_px: int) -> int:
    """How large pictures have to be, by their shorter side, for the smallest part to fill what a model takes in.

    As large as they were where that is nearly enough.
    """
    share = min(min(view.rectangle.width, view.rectangle.height) for view in views)
    if share * short_side_px >= ENOUGH * input_px:
        return short_side_px
    return max(short_side_px, min(round(input_px / share), MOST * short_side_px))
