"""All kinds of scenes by name: random numbers and a size -> what a shot shows at each moment.

Everything random is decided, and big pictures are drawn, when a scene is made; after that a picture depends
only on its time, so any moment can be shown without those before it.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.random import Generator

from vcd.demo import cards, moving, outdoor, patterns
from vcd.demo.canvas import Scene, Size
from vcd.errors import UnknownName

SCENES: Mapping[str, Callable[[Generator, Size], Scene]] = {
    "balloons": moving.balloons,
    "bookshelf": patterns.bookshelf,
    "chart": cards.chart,
    "city": outdoor.city,
    "clockwork": moving.clockwork,
    "collage": patterns.collage,
    "credits": cards.credits,
    "farmland": patterns.farmland,
    "flock": moving.flock,
    "landscape": outdoor.landscape,
    "mosaic": patterns.mosaic,
    "plasma": patterns.plasma,
    "relief": patterns.relief,
    "road": outdoor.road,
    "spin": patterns.spin,
    "still life": cards.still_life,
    "title": cards.title,
    "toys": moving.toys,
    "tunnel": patterns.tunnel,
    "waves": outdoor.waves,
    "winter": outdoor.winter,
}


def make_scene(name: str, seed: int, size: Size) -> Scene:
    """A scene of that kind; equal seeds and sizes give equal pictures."""
    if name not in SCENES:
        raise UnknownName("scene", name, SCENES)
    return SCENES[name](np.random.default_rng(seed), size)
