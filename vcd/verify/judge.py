"""Pictures of both files at a few moments -> what geometry says about a segment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vcd.types import Geometry, Picture, Segment
from vcd.verify.features import ENOUGH_FEATURES, ENOUGH_INLIERS, Finder, Overlay, find_overlay
from vcd.verify.motion import compare_motion, correlate
from vcd.verify.overlays import find_free_area

SAME_PLACE = 0.08
"""Transforms are the same when they put the corners of a picture this near to each other, in query widths."""
AGREEING = 0.5
"""Share of the moments that must agree for a copy."""
MOVING_ALIKE = 0.35
"""Least correlation of motion for a copy."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Both sides at one moment."""

    query: tuple[Picture, ...]
    """One picture, or two a little apart."""
    reference: tuple[Picture, ...]
    """As many, at the moments that the segment puts beside the query's."""

    def __post_init__(self) -> None:
        if len(self.query) != len(self.reference) or not 1 <= len(self.query) <= 2:
            raise ValueError(f"one or two pictures of each side, not {len(self.query)} and {len(self.reference)}")


def verify(segment: Segment, snapshots: Sequence[Snapshot], finder: Finder) -> Segment:
    """The segment with its geometry, and `verified` true or false; unchanged where there was too little to see."""
    geometry = geometry_of(snapshots, finder)
    if geometry is None:
        return segment
    same_place = geometry.agreement >= AGREEING and geometry.log_inliers >= np.log(1 + ENOUGH_INLIERS)
    same_motion = geometry.motion >= MOVING_ALIKE or geometry.moving == 0
    return replace(segment, geometry=geometry, verified=bool(same_place and same_motion))


def geometry_of(snapshots: Sequence[Snapshot], finder: Finder) -> Geometry | None:
    """None when no snapshot has enough features on both sides."""
    free = find_free_area([picture for snapshot in snapshots for picture in snapshot.query])
    usable: list[tuple[Snapshot, Overlay | None]] = []
    for snapshot in snapshots:
        query, reference = finder(snapshot.query[0], free), finder(snapshot.reference[0], None)
        if min(query.weights.sum(), reference.weights.sum()) >= ENOUGH_FEATURES:
            usable.append((snapshot, find_overlay(query, reference)))
    if not usable:
        return None
    agreeing = _agreeing(usable)
    changes = [
        compare_motion(_two(snapshot.query), _two(snapshot.reference), overlay.matrix, free)
        for snapshot, overlay in agreeing
        if len(snapshot.query) == 2
    ]
    moving = [change for change in changes if change is not None]
    inliers = sorted(overlay.inliers if overlay else 0 for _, overlay in usable)
    return Geometry(
        pairs=len(usable),
        log_inliers=float(np.log1p(np.median(inliers))),
        agreement=len(agreeing) / len(usable),
        motion=correlate(moving),
        moving=len(moving) / max(1, len(changes)),
    )


def _agreeing(usable: Sequence[tuple[Snapshot, Overlay | None]]) -> list[tuple[Snapshot, Overlay]]:
    """The largest group of moments that share one transform; of equal ones that with most inliers."""
    found = [(snapshot, overlay) for snapshot, overlay in usable if overlay is not None]
    places = [_corners(snapshot, overlay.matrix) for snapshot, overlay in found]
    best: list[tuple[Snapshot, Overlay]] = []
    for place in places:
        group = [pair for pair, other in zip(found, places, strict=True) if np.abs(other - place).max() <= SAME_PLACE]
        if (len(group), sum(o.inliers for _, o in group)) > (len(best), sum(o.inliers for _, o in best)):
            best = group
    return best


def _corners(snapshot: Snapshot, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the reference's corners come to lie in the query, in query widths."""
    height, width = snapshot.reference[0].shape[:2]
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], dtype=np.float64)
    return np.asarray(corners @ matrix.T / snapshot.query[0].shape[1], dtype=np.float64)


def _two(pictures: tuple[Picture, ...]) -> tuple[Picture, Picture]:
    return pictures[0], pictures[-1]
