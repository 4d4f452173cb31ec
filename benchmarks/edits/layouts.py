"""Edits that show the film beside, in or behind another one."""

from collections.abc import Mapping
from dataclasses import replace

import ffmpeg

from benchmarks.edits.film import Context, Edit, Film, Size, even
from benchmarks.edits.framing import filled


def _inset(outer: Size, share: float, context: Context) -> tuple[Size, int, int]:
    """A picture of that share of the width, and where it lies: in a corner, hardly ever in the middle."""
    size, gap = outer.scaled(share), 0.04
    x = context.either(context.within(gap, 0.2), context.within(0.8, 1 - gap))
    y = context.either(context.within(gap, 0.2), context.within(0.8, 1 - gap))
    return size, int((outer.width_px - size.width_px) * x), int((outer.height_px - size.height_px) * y)


def pip_small(film: Film, context: Context) -> Film:
    """The film small upon another one."""
    size, x_px, y_px = _inset(film.size, context.level(0.7, 0.5, 0.33), context)
    below = context.foreign(film.size, film.length_s)
    return replace(film, video=below.overlay(film.sized(size).video, x=x_px, y=y_px, shortest=1))


def pip_behind(film: Film, context: Context) -> Film:
    """Another one small upon the film."""
    size, x_px, y_px = _inset(film.size, context.level(0.3, 0.45, 0.62), context)
    return film.with_overlay(context.foreign(size, film.length_s), x_px, y_px)


def side_by_side(film: Film, context: Context) -> Film:
    """The film on one side, cropped to so much of the width, another one on the other."""
    width = even(film.size.width_px * context.level(0.66, 0.5, 0.34))
    own = Size(width, film.size.height_px)
    other = context.foreign(Size(film.size.width_px - width, film.size.height_px), film.length_s)
    pair = context.either((filled(film.video, own), other), (other, filled(film.video, own)))
    return replace(film, video=ffmpeg.filter(pair, "hstack", shortest=1))


def stacked(film: Film, context: Context) -> Film:
    """The whole film above or below another one of so much of its height."""
    share = context.level(0.5, 1.0, 1.6)
    other = Size(film.size.width_px, even(film.size.height_px * share))
    below = context.foreign(other, film.length_s)
    pair = context.either((film.video, below), (below, film.video))
    size = Size(film.size.width_px, film.size.height_px + other.height_px)
    return replace(film, video=ffmpeg.filter(pair, "vstack", shortest=1), size=size).sized(size.scaled(0.75))


LAYOUTS: Mapping[str, Edit] = {
    "pip-small": Edit(pip_small, "layout"),
    "pip-behind": Edit(pip_behind, "layout"),
    "side-by-side": Edit(side_by_side, "layout"),
    "stacked": Edit(stacked, "layout"),
}
