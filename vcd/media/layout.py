"""Pictures of one file -> the parts of the frame that show a picture of their own.

Once per file: what stays where it is in all pictures is layout. Borders are cut off, the rest is split where a step
runs all the way across, and what is left is searched for a picture in the picture; each part again, as long as there
is something to find.
"""

from collections.abc import Sequence

import numpy as np

from vcd.media.layout_borders import trim
from vcd.media.layout_lines import Box, find_inset, find_split
from vcd.media.layout_maps import Maps, make_maps
from vcd.media.layout_still import STILL, make_still_maps
from vcd.types import Picture, Rectangle, Region

LEAST_SIDE = 0.15
"""Smaller parts, by their share of the frame's width or height, show too little to be found by."""
ALL_OF_IT = 0.93
"""A part with this share of the frame's area is as good as the frame."""
MAX_REGIONS = 4
BORDERED, INSET, BEHIND = "inside a border", "picture in picture", "behind a picture"
DEPTH = 4
BLURRED = 0.05
"""Mean difference of neighbours, as a share of the contrast, below which a part is blurred: a ground, where another
part has twice as much."""
FLAT = 1.0
"""Mean difference of neighbours, in levels, below which a part shows nothing."""
STANDING = 0.03
"""A ground of which no more than this share moves is a template."""
LEAST_SIDE_PX = 16


def find_regions(pictures: Sequence[Picture]) -> tuple[Region, ...]:
    """The parts that are worth a look of their own, from top left; none for a file that is one picture throughout.

    Pictures of different moments, as different as can be had, of one size; a single one is enough for borders of
    one colour, and for a picture in it with drawn edges: that is seldom wrong, and then
    costs one view. Rectangles are exact to 2 % of the frame. Deterministic; about 0.1 s for 32 pictures.
    """
    same_size = [picture for picture in pictures if picture.shape == pictures[0].shape]
    if not same_size or min(same_size[0].shape[:2]) < 4 * LEAST_SIDE_PX:
        return ()
    maps = make_maps(same_size)
    height, width = maps.moving.shape
    whole = Box(0, 0, width, height)
    kept = _worth_a_look(maps, _parts(maps, whole, BORDERED, DEPTH), whole)
    if len(kept) == 1 and kept[0][1] != BEHIND:
        kept = [(kept[0][0], BORDERED)]  # the others were its ground
    if len(same_size) == 1:
        within = kept[0][0] if len(kept) == 1 else whole
        inset = find_inset(make_still_maps(maps, same_size[0]), within, STILL)
        kept += [(inset, INSET)] if inset else []
    largest = sorted(kept, key=lambda part: (-part[0].area, part[0]))[:MAX_REGIONS]
    return tuple(
        Region(kind, Rectangle(box.left / width, box.top / height, box.right / width, box.bottom / height))
        for box, kind in sorted(largest, key=lambda part: (part[0].top, part[0].left))
    )


def _parts(maps: Maps, box: Box, kind: str, depth: int) -> list[tuple[Box, str]]:
    """The box without borders, or what it is put together from."""
    box = trim(maps, box)
    if depth and min(box.width, box.height) >= 2 * LEAST_SIDE_PX:
        if split := find_split(maps, box):
            upright, lines = split
            kind = "side by side" if upright else "stacked"
            return [part for piece in box.pieces(upright, lines) for part in _parts(maps, piece, kind, depth - 1)]
        # A face in the picture of a webcam is none.
        if kind != INSET and (inset := find_inset(maps, box)):
            return [(_beside(box, inset), BEHIND), *_parts(maps, inset, INSET, depth - 1)]
    return [(box, kind)]


def _beside(box: Box, inset: Box) -> Box:
    """The largest rectangle of the box that the inset leaves free."""
    free = (
        Box(box.left, box.top, inset.left, box.bottom), Box(inset.right, box.top, box.right, box.bottom),
        Box(box.left, box.top, box.right, inset.top), Box(box.left, inset.bottom, box.right, box.bottom),
    )  # fmt: skip
    return max(free, key=lambda each: each.area)


def _detail(maps: Maps, box: Box) -> tuple[float, float]:
    """Mean difference of neighbours inside the box, off its sides: in levels, and as a share of the contrast."""
    inner = Box(box.left + 3, box.top + 3, box.right - 3, box.bottom - 3)
    if min(inner.width, inner.height) < 1:
        return 0.0, 0.0
    levels = float(inner.of(maps.detail).mean())
    variance = np.square(inner.of(maps.spread)).mean() + inner.of(maps.mean[..., 1]).var()
    return levels, levels / max(1.0, float(np.sqrt(variance)))


def _worth_a_look(maps: Maps, parts: Sequence[tuple[Box, str]], whole: Box) -> list[tuple[Box, str]]:
    """Parts that are neither tiny, nor flat, nor blurred beside others, nor all there is."""
    large = [
        (box, kind)
        for box, kind in parts
        if box.width >= LEAST_SIDE * whole.width
        and box.height >= LEAST_SIDE * whole.height
        and box.area < ALL_OF_IT * whole.area
        and not (kind == BEHIND and box.of(maps.moving).mean() < STANDING)
    ]
    details = [_detail(maps, box) for box, _ in large]
    least = min(BLURRED, max((relative for _, relative in details), default=0.0) / 2)
    return [
        part for part, (levels, relative) in zip(large, details, strict=True) if levels >= FLAT and relative >= least
    ]
