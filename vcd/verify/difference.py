"""Two pictures, one a copy of the other -> where they differ: what was covered, removed or recoloured.

The reference is laid over the query (`features`, then the enhanced correlation coefficient, Evangelidis and Psarakis,
PAMI 2008), gets the query's colours and sharpness by a fit that the differing places do not take part in, and what then
remains stands out of what the whole picture shows.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd.types import Picture
from vcd.verify.features import FINDERS, Overlay, find_overlay

Map = NDArray[np.float32]
"""float32 (H, W) or (H, W, 3), in the query's pixels."""
Mask = NDArray[np.bool_]
Change = Literal["covered", "removed", "recoloured"]

AGREEING_SHARE = 0.7
"""So much of the common area, the most alike, fits colours and sharpness: the rest may be covered."""
BLURS_PX = 0.6, 1.0, 1.6, 2.4, 3.6
"""Sharpness is made alike by one of these, on the sharper side."""
SPARSE = 4
"""Colours and sharpness are fitted to every so many rows and columns."""
LEAST_CHANGE = 16.0
"""Difference, of 255, that nobody would call one."""
ABOVE_NOISE = 4.5
"""A place differs when it does so by this many times what half of the picture exceeds."""
LEAST_DETAIL = 1.5
"""Contrast of fine detail, of 255, that must be there to be missed."""
DETAIL_LOST = 0.55
"""A place is blurred where this share of its detail is gone."""
GAP = 0.03
"""Places nearer to each other than this share of the width are one: letters, words."""
WIDE_GAP = 0.06
"""The same for places that lost their detail: what was flat between them lost nothing that could be seen."""
LEAST_AREA = 0.0012
"""Share of the picture; what is smaller is noise of the compression."""
LEAST_FILLED, SOLID = 0.12, 0.85
"""Share of a box that must differ, and that does in what is solid."""
LOOSE_EDGE, SOLID_EDGE = 0.05, 0.3
"""A row or column of a box with less of what differs, as share of what its fullest ones have, is not part of it."""
MOST_BOXES = 12


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the query's picture that differs, in pixels, half-open."""

    left: int
    top: int
    right: int
    bottom: int
    change: Change
    """covered: something else is there. removed: its detail is gone. recoloured: only its colours differ."""


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """What was done to a picture; H x W is the query's size."""

    matrix: NDArray[np.float64]
    """float64 (2, 3), from pixels of the reference to those of the query: rotation, one scale, shift."""
    inliers: int
    """Local features that follow it."""
    laid: Picture
    """uint8 (H, W, 3): the reference as it would look in the query had nothing else been done."""
    common: Mask
    """bool (H, W): where both pictures show something."""
    heat: Map
    """float32 (H, W), 0 (alike) to 1 (as different as can be); 0 outside of `common`."""
    boxes: tuple[Box, ...]
    """Largest first, at most MOST_BOXES."""

    @property
    def overlap(self) -> float:
        """Share of the query's picture that is the reference's."""
        return float(self.common.mean())


def lay_over(query: Picture, reference: Picture, features: str = "sift") -> Overlay | None:
    """How the whole reference lies in the whole query; None when no similarity transform lays it there."""
    finder = FINDERS[features]
    return find_overlay(finder(query, None), finder(reference, None))


def find_difference(query: Picture, reference: Picture, features: str = "sift") -> Difference | None:
    """None when no similarity transform lays the reference over the query."""
    overlay = lay_over(query, reference, features)
    return difference_under(query, reference, overlay) if overlay else None


def difference_under(query: Picture, reference: Picture, overlay: Overlay) -> Difference | None:
    """None where too little of the reference lies in the query."""
    height, width = query.shape[:2]
    matrix = _sharpened(query, reference, overlay.matrix)
    laid = cv2.warpAffine(reference, matrix, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.warpAffine(np.ones(reference.shape[:2], dtype=np.uint8), matrix, (width, height))
    common = cv2.erode(seen, np.ones((7, 7), dtype=np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0
    if common.mean() < 0.02:
        return None
    ours, theirs = _alike_in_general(query.astype(np.float32), laid.astype(np.float32), common)
    heat, differing = _heat(ours, theirs, common)
    boxes = _boxes(ours, theirs, heat, differing)
    shown = np.clip(theirs, 0, 255).astype(np.uint8)
    return Difference(overlay.matrix, overlay.inliers, shown, common, heat, boxes)


def _sharpened(query: Picture, reference: Picture, matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """The transform to a fraction of a pixel, with a little shear allowed; as it is where that does not converge."""
    inverse = cv2.invertAffineTransform(matrix).astype(np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4)
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (query, reference)]
    try:
        _, better = cv2.findTransformECC(grey[0], grey[1], inverse.copy(), cv2.MOTION_AFFINE, stop, None, 5)
    except cv2.error:  # no overlap that correlates
        better = inverse
    if np.abs(better[:, :2] - inverse[:, :2]).max() > 0.03 or np.abs(better[:, 2] - inverse[:, 2]).max() > 6:
        better = inverse
    return np.asarray(cv2.invertAffineTransform(better), dtype=np.float32)


def _alike_in_general(query: Map, laid: Map, common: Mask) -> tuple[Map, Map]:
    """Both with the same sharpness, the reference in the query's colours, by what most of the common area says."""
    pairs = {(BLURS_PX[0], blur_px) for blur_px in BLURS_PX} | {(blur_px, BLURS_PX[0]) for blur_px in BLURS_PX}
    blurred = {px: [cv2.GaussianBlur(side, (0, 0), px) for side in (query, laid)] for px in BLURS_PX}
    some = common[::SPARSE, ::SPARSE]
    fits = []
    for ours_px, theirs_px in sorted(pairs):
        ours, theirs = (blurred[px][side][::SPARSE, ::SPARSE][some] for side, px in enumerate((ours_px, theirs_px)))
        weights, residual = _fit_colours(ours, theirs)
        # A blurred picture differs less from anything: what counts is how much of its contrast is explained.
        misfit = residual / (float(ours.std()) + 1e-3) * (1 + 0.05 * max(ours_px, theirs_px))
        fits.append((misfit, ours_px, theirs_px, weights))
    _, ours_px, theirs_px, weights = min(fits, key=lambda fit: fit[0])
    return blurred[ours_px][0], np.asarray(_terms(blurred[theirs_px][1]) @ weights, dtype=np.float32)


def _fit_colours(query: Map, laid: Map) -> tuple[Map, float]:
    """Weights (7, 3) of the quadratic map of the reference's colours (P, 3) that fits most of the query's best, without
    those that differ, and how far most of them are from it."""
    rows, limit = _terms(laid), np.inf
    weights, residual = np.zeros((7, 3), dtype=np.float32), np.zeros(len(rows), dtype=np.float32)
    for _ in range(3):
        kept = rows[residual <= limit]
        some = kept.T @ kept / len(kept) + 1e-5 * np.eye(7, dtype=np.float32)
        weights = np.linalg.solve(some, kept.T @ query[residual <= limit] / len(kept))
        residual = np.abs(query - rows @ weights).mean(axis=1)
        limit = float(np.quantile(residual, AGREEING_SHARE))
    return weights, limit


def _terms(colours: Map) -> Map:
    """float32 (..., 7) of colours (..., 3): each, its square, and one."""
    shares = colours / np.float32(255)
    return np.concatenate([shares, shares**2, np.ones_like(shares[..., :1])], axis=-1)


def _heat(query: Map, laid: Map, common: Mask) -> tuple[Map, Mask]:
    """How much each place differs, 0 to 1, and which places do more than chance."""
    change = _least_change(query, laid)
    noise = max(LEAST_CHANGE, ABOVE_NOISE * float(np.median(change[common])))
    ours, theirs = _detail(query), _detail(laid)
    kept = (ours / (theirs + 1))[common & (theirs > LEAST_DETAIL)]
    usual = float(np.median(kept)) if len(kept) else 1.0
    lost = np.clip(1 - ours / (usual * theirs + 1), 0, 1) * np.clip(theirs / LEAST_DETAIL - 1, 0, 1)
    heat = np.maximum(np.clip(change / (4 * noise), 0, 1), np.clip(lost, 0, 1) * (lost > DETAIL_LOST))
    wide = max(5, round(WIDE_GAP * query.shape[1]) | 1)
    blurred = cv2.morphologyEx((lost > DETAIL_LOST).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), dtype=np.uint8))
    blurred = cv2.morphologyEx(blurred, cv2.MORPH_CLOSE, np.ones((wide, wide), dtype=np.uint8), borderValue=0)
    differing = common & ((change > noise) | (blurred > 0))
    return np.asarray(heat * common, dtype=np.float32), np.asarray(differing)


def _least_change(query: Map, laid: Map) -> Map:
    """float32 (H, W): of the greatest difference of the channels, the least when one side moves by a pixel."""
    best = np.full(query.shape[:2], np.inf, dtype=np.float32)
    padded = cv2.copyMakeBorder(laid, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    height, width = query.shape[:2]
    for down in range(3):
        for across in range(3):
            moved = padded[down : down + height, across : across + width]
            red, green, blue = cv2.split(cv2.absdiff(query, np.ascontiguousarray(moved)))
            np.minimum(best, np.maximum(np.maximum(red, green), blue), out=best)
    return best


def _detail(picture: Map) -> Map:
    """Contrast of what is finer than a few pixels, around each place."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 4.0))
    return np.asarray(cv2.blur(fine, (9, 9)), dtype=np.float32)


def _boxes(query: Map, laid: Map, heat: Map, differing: Mask) -> tuple[Box, ...]:
    height, width = heat.shape
    single = cv2.morphologyEx(differing.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), dtype=np.uint8))
    gap = max(3, round(GAP * width) | 1)
    joined = cv2.morphologyEx(single, cv2.MORPH_CLOSE, np.ones((max(3, gap // 2), gap), dtype=np.uint8), borderValue=0)
    count, labels, places, _ = cv2.connectedComponentsWithStats(joined)
    found = []
    for label in range(1, count):
        x, y, wide, high, _ = places[label].tolist()
        around = slice(y, y + high), slice(x, x + wide)
        box = _trimmed((labels[around] == label) & (single[around] > 0), x, y)
        if box is not None and (box[2] - box[0]) * (box[3] - box[1]) >= LEAST_AREA * height * width:
            inside = slice(box[1], box[3]), slice(box[0], box[2])
            change = _name_change(query[inside], laid[inside])
            if change is not None:
                found.append(Box(*box, change))
    largest = sorted(found, key=lambda box: -(box.right - box.left) * (box.bottom - box.top))
    return tuple(largest[:MOST_BOXES])


def _trimmed(places: Mask, x: int, y: int) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of what differs; None for lines and loose dots.

    `places` is the part of the picture that begins at (x, y). What is solid, as a logo is, loses the thin edges that
    hang on it; text and blurred areas differ in places only, and keep all but stray dots.
    """
    for edge, least_filled in ((SOLID_EDGE, SOLID), (LOOSE_EDGE, LEAST_FILLED)):
        (left, right), (top, bottom) = (_extent(places.sum(axis=axis), edge) for axis in (0, 1))
        # Thin lines are edges that do not lie exactly over each other.
        if min(right - left, bottom - top) >= 6 and places[top:bottom, left:right].mean() >= least_filled:
            return x + left, y + top, x + right, y + bottom
    return None


def _extent(share: NDArray[np.int_], edge: float) -> tuple[int, int]:
    if not share.any():
        return 0, 0
    full = np.flatnonzero(share >= max(1.0, edge * float(np.quantile(share[share > 0], 0.8))))
    return int(full[0]), int(full[-1]) + 1


def _name_change(query: Map, laid: Map) -> Change | None:
    """None when only the edges of things differ, as they do after strong compression."""
    ours, theirs = (cv2.cvtColor(side, cv2.COLOR_RGB2GRAY) for side in (query, laid))
    fine = [side - cv2.GaussianBlur(side, (0, 0), 4.0) for side in (ours, theirs)]
    strength = [float(np.sqrt((side**2).mean())) for side in fine]
    likeness = float((fine[0] * fine[1]).mean()) / (strength[0] * strength[1] + 1e-3)
    if strength[0] < 0.6 * strength[1] and strength[1] > LEAST_DETAIL / 2:
        return "removed"
    if likeness <= 0.7:
        return "covered"
    shift = np.abs(np.median(query - laid, axis=(0, 1))).max()
    return "recoloured" if shift >= LEAST_CHANGE else None
