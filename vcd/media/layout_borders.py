"""Borders: strips along the sides of a picture that never change, or have one colour throughout."""

import numpy as np
from numpy.typing import NDArray

from vcd.media.layout_lines import Box
from vcd.media.layout_maps import Maps

DEAD = 0.03
"""Largest share of living pixels in a line of a border: noise, a clock, a corner of a logo."""
ALL_MOVE, MOST_DIFFER = 0.8, 0.5
"""Least share of pixels in the first lines inside a border that move, or that differ from its mean colour; fewer,
and its edge is not straight: something moves before a standing ground."""
EDGE = 0.012
"""Width of an edge that was blurred by scaling, as a share of the side; at least two pixels."""
HIGH = 14.0
"""Levels of a step that is seen in some picture ..."""
STRAIGHT = 0.7
"""... along at least this share of an edge: the horizon is not sharp, and branches are not straight."""
ONE_COLOUR = 14.0
"""Levels by which a pixel must differ from the border's colour to be something else."""


def trim(maps: Maps, box: Box) -> Box:
    """The box without its borders; the same box when there are none.

    A side is cut where lines that hardly change (or hardly leave one colour) give way, within an edge's width, to
    lines most of whose pixels do. Sides are cut in turn until none is left to cut, for what lies between two borders
    decides what share of a line is alive.
    """
    while (smaller := _trim_once(maps, box)) != box:
        box = smaller
    return box


def _trim_once(maps: Maps, box: Box) -> Box:
    for quarter in range(4):  # the side that is sought lies on top
        moving, step = np.rot90(box.of(maps.moving), quarter), np.rot90(box.of(maps.step), quarter)
        mean = np.rot90(box.of(maps.mean), quarter)
        colour = np.median(mean[:2].reshape(-1, 3), axis=0)
        other = np.abs(mean - colour).max(axis=2) > ONE_COLOUR
        for living, least in ((moving, ALL_MOVE), (other, MOST_DIFFER)):
            depth = _border(living, least)
            inside = living[depth : depth + 3].any(axis=0)
            if depth and (step[max(0, depth - 3) : depth + 1].max(axis=0) > HIGH)[inside].mean() >= STRAIGHT:
                return box.cut(quarter, depth)
    return box


def _border(living: NDArray[np.bool_], least: float) -> int:
    """Lines from the top that make a border of at least two; 0 for none."""
    share = living.mean(axis=1)
    rows = np.flatnonzero(share > DEAD)
    if not len(rows) or rows[0] < 2:
        return 0
    edge = max(3, round(EDGE * len(share)))
    inside = np.flatnonzero(share[rows[0] : rows[0] + edge] >= least)
    if not len(inside):
        return 0
    # a pixel that is half border is border: its colour helps nobody
    first = int(rows[0] + inside[0])
    return first if share[first : first + 4 * edge].mean() >= least else 0
