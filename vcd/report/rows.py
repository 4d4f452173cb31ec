"""A segment as a row: the columns that other programs rely on."""

from typing import Any

from vcd.types import Problem, Report, Segment

COLUMNS = (
    "query", "reference", "q_start", "q_end", "r_start", "r_end", "score", "speed", "mirrored", "verified",
)  # fmt: skip


def segment_row(segment: Segment) -> dict[str, Any]:
    """The values of COLUMNS, times in seconds to the millisecond, and `refined`, which CSV leaves out."""
    return {
        "query": segment.query,
        "reference": segment.reference,
        "q_start": round(segment.query_span.start_s, 3),
        "q_end": round(segment.query_span.end_s, 3),
        "r_start": round(segment.reference_span.start_s, 3),
        "r_end": round(segment.reference_span.end_s, 3),
        "score": round(segment.score, 4),
        "speed": round(segment.speed, 4),
        "mirrored": segment.mirrored,
        "verified": segment.verified,
        "refined": segment.refined,
    }


def problem_row(problem: Problem) -> dict[str, str]:
    return {"path": problem.path, "reason": problem.reason}


def document(report: Report) -> dict[str, Any]:
    """The whole answer as one JSON document."""
    return {
        "version": 1,
        "segments": [segment_row(segment) for segment in report.segments],
        "problems": [problem_row(problem) for problem in report.problems],
        "made_with": report.made_with,
    }
