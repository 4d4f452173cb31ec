"""Segments -> `Exhibit`s: pictures of both files for the page of `--report`, read in the worker processes."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from vcd.config import Config, MediaConfig
from vcd.errors import InputError, SetupError
from vcd.examine import SHORT_SIDE_PX, frames_at
from vcd.extract import open_kept
from vcd.library.stores import References
from vcd.model import Model
from vcd.report import write_atomically
from vcd.report.exhibit import Changes, Exhibit, Matrix, Moment, draw_segment
from vcd.report.page import render_page
from vcd.search import normalise
from vcd.types import Descriptors, Frame, Picture, Problem, Report, Segment, View
from vcd.verify import reference_time
from vcd.verify.difference import Difference, difference_under, lay_over
from vcd.verify.drawing import draw_difference
from vcd.workers import Workers

SHOWN_PX = 256
"""Longer side of a picture on the page."""
MOST_BYTES = 6_000, 9_000
"""Of a frame, and of a picture of the difference: fifty segments make less than 5 MB."""
QUALITIES = 80, 70, 60, 50, 40, 30, 20
"""Of a JPEG, the first that is small enough."""
MOST = 200
"""Segments of a query with pictures, the most probable ones."""
INSIDE = 0.04
"""The first and the last moment shown lie this share of the segment inside of it."""
INSIDE_S = 0.25


def illustrate(segment: Segment, query: Path, reference: Path, config: Config) -> Exhibit:
    """What a worker process does: the segment with aligned frames and their difference. Raises `InputError`."""
    large = _large(config.media)
    both = open_kept(query, large), open_kept(reference, large)
    pairs = []
    for at_s in _moments(segment):
        for frame in frames_at(both[0], (at_s,)):
            r_s = reference_time(segment, frame.time_s) if segment.query_span.length_s else _still_moment(segment)
            pairs.append((frame, r_s, next(iter(frames_at(both[1], (r_s,))), None)))
    moments = tuple(
        Moment(
            frame.time_s, r_s, _jpeg(segment.view.of(frame.picture)), _jpeg(other.picture) if other is not None else b""
        )
        for frame, r_s, other in pairs
    )
    complete = [(frame, other) for frame, _, other in pairs if other is not None]
    length_s = both[0].info.duration_s if both[0].info.kind == "video" else 0.0
    return Exhibit(
        segment, length_s, moments, _changes(segment, complete, "orb" if config.verify.features == "orb" else "sift")
    )


def _large(media: MediaConfig) -> MediaConfig:
    return replace(media, short_side_px=max(SHORT_SIDE_PX, media.short_side_px))


def _moments(segment: Segment) -> list[float]:
    """Start, middle and end, a little inside; one where it is no longer than that."""
    span = segment.query_span
    inside_s = min(INSIDE_S, INSIDE * span.length_s)
    middle_s = (span.start_s + span.end_s) / 2
    return [span.start_s + inside_s, middle_s, span.end_s - inside_s] if span.length_s >= 0.5 else [middle_s]


def _still_moment(segment: Segment) -> float:
    return (segment.reference_span.start_s + segment.reference_span.end_s) / 2


def _changes(segment: Segment, pairs: Sequence[tuple[Frame, Frame]], features: str) -> Changes | None:
    """Of the pair whose pictures fit best; what differs is worked out for that one alone."""
    laid = [
        (overlay, frame, seen, other)
        for frame, other in pairs
        if (overlay := lay_over(seen := segment.view.of(frame.picture), other.picture, features))
    ]
    for overlay, frame, seen, other in sorted(laid, key=lambda pair: -pair[0].inliers):
        if found := difference_under(seen, other.picture, overlay):
            return _describe(frame, seen, other, found)
    return None


def _describe(frame: Frame, seen: Picture, other: Frame, found: Difference) -> Changes:
    """`seen` is the frame's picture as the segment sees it."""
    marked, heat = draw_difference(seen, found)
    scale = math.hypot(found.matrix[0, 0], found.matrix[1, 0])
    high, wide = other.picture.shape[:2]
    middle = found.matrix @ np.array([wide / 2, high / 2, 1.0])
    return Changes(
        query_s=frame.time_s,
        marked=_jpeg(marked, MOST_BYTES[1]),
        heat=_jpeg(heat, MOST_BYTES[1]),
        overlap=found.overlap,
        scale=scale * high / seen.shape[0],
        turned_deg=math.degrees(math.atan2(found.matrix[1, 0], found.matrix[0, 0])),
        moved=(float(middle[0] / seen.shape[1] - 0.5), float(middle[1] / seen.shape[0] - 0.5)),
        features=found.inliers,
        places=tuple(box.change for box in found.boxes),
    )


def _jpeg(picture: Picture, most_bytes: int = MOST_BYTES[0]) -> bytes:
    """Small in pixels and in bytes."""
    height, width = picture.shape[:2]
    share = min(1.0, SHOWN_PX / max(height, width))
    size = max(1, round(width * share)), max(1, round(height * share))
    small = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    coded = b""
    for quality in QUALITIES:
        coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(coded) <= most_bytes:
            break
    return coded


class _References:
    """Files and descriptors of references by name: those of a library, or one file whatever its name."""

    def __init__(self, place: "Place") -> None:
        self._place = place
        self._ids = {} if isinstance(place, tuple) else {row.path: row.id for row in place.media}

    def file(self, name: str) -> Path:
        place = self._place
        return place[0] if isinstance(place, tuple) else place.row(self._ids[name]).file

    def descriptors(self, name: str) -> Descriptors | None:
        place = self._place
        return place[1] if isinstance(place, tuple) else place.descriptors(self._ids[name])


Place = References | tuple[Path, Descriptors]
"""Where references are: a library, or the one file of a comparison."""


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """Collects exhibits while a query's descriptors are at hand, and makes a page of them."""

    page: Path
    config: Config
    model: Model
    exhibits: list[Exhibit] = field(default_factory=list)

    def add(
        self,
        pool: Workers,
        segments: Sequence[Segment],
        query: Path,
        views: Iterable[Descriptors],
        place: Place,
    ) -> None:
        """An exhibit for each of a query's segments; one whose files cannot be read says so."""
        references = _References(place)
        seen = {view.view: normalise(view, self.model.background, self.config.search) for view in views}
        length_s = next((view.info.duration_s for view in seen.values()), 0.0)
        ranked = sorted(segments, key=Segment.sort_key)
        tasks = [(s.query, (s, query, references.file(s.reference), self.config)) for s in ranked[:MOST]]
        made = {number: Exhibit(s, length_s, missing=f"only {MOST} segments of a query have them")
                for number, s in enumerate(ranked)}  # fmt: skip
        for number, result in pool.map(illustrate, tasks):
            segment = ranked[number]
            if isinstance(result, InputError):
                result = Exhibit(segment, length_s, missing=result.reason)
            # What came from another process is equal to the segment, not the same.
            made[number] = replace(result, matrix=self._matrix(segment, seen, references))
        self.exhibits.extend(made.values())

    def note(self, segments: Iterable[Segment]) -> None:
        """Segments that hashes found, to be shown without pictures."""
        self.exhibits.extend(Exhibit(s, 0.0, missing="found by hashes alone, which show nothing") for s in segments)

    def _matrix(self, segment: Segment, views: Mapping[View, Descriptors], references: _References) -> Matrix | None:
        query, reference = views.get(segment.view), references.descriptors(segment.reference)
        if query is None or reference is None:
            return None
        return draw_segment(query, reference, segment, self.model.calibration.unrelated_similarity)

    def write(self, report: Report, titles: Mapping[str, str] | None = None) -> Report:
        """Whole or not at all, with `titles` of references in place of their names.

        Gives the report, with a `Problem` of the page where it cannot be written, as on a full disk: the answer stays.
        """
        try:
            write_atomically(render_page(report, self.exhibits, titles), self.page)
        except SetupError as error:
            problem = Problem(str(self.page), f"the report is missing: {str(error).removeprefix(f'{self.page}: ')}")
            return replace(report, problems=(*report.problems, problem))
        return report
