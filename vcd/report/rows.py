"""A segment as a row: the columns that other programs rely on."""

from collections.abc import Iterable
from typing import Any

from vcd.types import Problem, Rectangle, Report, Segment

COLUMNS = (
    "query", "reference", "q_start", "q_end", "r_start", "r_end", "score", "speed", "mirrored", "verified",
)  # fmt: skip
MORE = ("refined", "view", "region", "found_by")
TIMES = ("q_start", "q_end", "r_start", "r_end")


def segment_row(segment: Segment) -> dict[str, Any]:
    """The values of COLUMNS, times in seconds to the millisecond, and those of MORE, which CSV leaves out.

    `view` says how the query has to be looked at to see the reference; `region` what part of it, as left, top, right
    and bottom in fractions of its sides, None for all of it. `r_start` and `r_end` are None where nobody knows them.
    """
    return {
        "query": segment.query,
        "reference": segment.reference,
        "q_start": _rounded(segment.query_span.start_s, 3),
        "q_end": _rounded(segment.query_span.end_s, 3),
        "r_start": _rounded(segment.reference_span.start_s, 3) if segment.reference_timed else None,
        "r_end": _rounded(segment.reference_span.end_s, 3) if segment.reference_timed else None,
        "score": _rounded(segment.score, 4),
        "speed": _rounded(segment.speed, 4),
        "mirrored": segment.mirrored,
        "verified": segment.verified,
        "refined": segment.refined,
        "view": str(segment.view),
        "region": _region(segment.view.rectangle),
        "found_by": segment.found_by,
    }


def _region(rectangle: Rectangle) -> list[float] | None:
    if rectangle == Rectangle():
        return None
    return [_rounded(side, 4) for side in (rectangle.left, rectangle.top, rectangle.right, rectangle.bottom)]


def in_order(segments: Iterable[Segment]) -> list[Segment]:
    """By query, falling score, reference and start: as the rows show them, so that equal scores are equal."""
    return sorted(segments, key=_sort_key)


def _sort_key(segment: Segment) -> tuple[Any, ...]:
    row = segment_row(segment)
    flags = (row["speed"], row["mirrored"], str(row["verified"]), row["refined"], row["view"], row["region"] or [])
    times = (-1.0 if row[time] is None else row[time] for time in TIMES)
    return row["query"], -row["score"], row["reference"], *times, *flags, row["found_by"]


def _rounded(value: float, digits: int) -> float:
    return round(value, digits) + 0.0  # makes -0.0 a 0.0


def problem_row(problem: Problem) -> dict[str, str]:
    return {"path": problem.path, "reason": problem.reason}


def document(report: Report) -> dict[str, Any]:
    """The whole answer as one JSON document."""
    return {
        "version": 1,
        "segments": [segment_row(segment) for segment in in_order(report.segments)],
        "problems": [problem_row(problem) for problem in report.problems],
        "made_with": report.made_with,
    }
