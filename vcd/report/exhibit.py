"""What a person gets to see of a segment beside its row: records for `page`, their pictures encoded already."""

import io
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vcd.report.matrix import colour, margin_map
from vcd.types import Descriptors, Segment, Span

MATRIX_PX = 150
"""Width and height of a segment's matrix."""
AROUND = 0.25
"""The matrix shows this share of the segment's length before and after it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The same moment of both files; a picture is a JPEG, empty where the file shows nothing there."""

    query_s: float
    reference_s: float
    query: bytes
    reference: bytes


@dataclass(frozen=True, slots=True)
class Changes:
    """Where the pictures of one moment differ."""

    query_s: float
    marked: bytes
    """JPEG of the query with a frame around each place that differs."""
    heat: bytes
    """JPEG of the reference laid over the query, the hotter the more different."""
    overlap: float
    """Share of the query's picture that is the reference's."""
    scale: float
    """The reference's height in the query, in query heights."""
    turned_deg: float
    """Clockwise."""
    moved: tuple[float, float]
    """The reference's middle from the query's, right and down, in query widths and heights."""
    features: int
    """Local features that agree."""
    places: tuple[str, ...]
    """What was done, one of covered, removed, recoloured for each frame."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """How alike the moments around a segment look."""

    png: bytes
    query: Span
    """From its top to its bottom."""
    reference: Span
    """From left to right."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A segment and its pictures; without some where the files could not be read."""

    segment: Segment
    query_length_s: float
    """Of the whole file; 0 for a picture."""
    moments: tuple[Moment, ...] = ()
    changes: Changes | None = None
    """None: the pictures could not be laid over each other."""
    matrix: Matrix | None = None
    missing: str = ""
    """Why there are no pictures."""


def draw_segment(query: Descriptors, reference: Descriptors, segment: Segment, unrelated_similarity: float) -> Matrix:
    """The similarities of both files (the query as the segment sees it) at the segment and a little around it."""
    spans = [
        _around(span, side.info.duration_s)
        for span, side in ((segment.query_span, query), (segment.reference_span, reference))
    ]
    sides = [_cut(side, span) for side, span in zip((query, reference), spans, strict=True)]
    margins = margin_map(sides[0], sides[1], unrelated_similarity, MATRIX_PX, MATRIX_PX)
    return Matrix(_as_png(colour(margins)), *spans)


def _around(span: Span, length_s: float) -> Span:
    more_s = max(1.0, AROUND * span.length_s)
    return Span(max(0.0, span.start_s - more_s), max(span.end_s, min(span.end_s + more_s, length_s)))


def _cut(side: Descriptors, span: Span) -> Descriptors:
    """The frames shown in the span, with times from its start."""
    first = max(0, int(np.searchsorted(side.times_s, span.start_s, side="right")) - 1)
    rows = slice(first, max(first + 1, int(np.searchsorted(side.times_s, span.end_s))))
    return replace(
        side,
        info=replace(side.info, duration_s=span.length_s), times_s=side.times_s[rows] - span.start_s,
        vectors=side.vectors[rows], quality=side.quality[rows], bias=side.bias[rows],
    )  # fmt: skip


def _as_png(picture: NDArray[np.uint8]) -> bytes:
    """With 32 colours: a third of the size, and no difference to see."""
    content = io.BytesIO()
    Image.fromarray(picture).quantize(32, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    return content.getvalue()
