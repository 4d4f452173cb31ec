"""What the service answers, as JSON: the fields of a segment are those of `vcd query --format json`."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from vcd.library import MediaRow
from vcd.serve.store import Job


class Problem(BaseModel):
    """What is wrong."""

    code: str
    """One word for programs."""
    message: str
    """A sentence for people."""


class SegmentRow(BaseModel):
    """A copied stretch; times in seconds."""

    query: str
    reference: str = Field(description="As the library stores it.")
    q_start: float
    q_end: float
    r_start: float
    r_end: float
    score: float = Field(description="Probability that it is a copy.")
    speed: float = Field(description="Reference seconds played per query second; negative: played backwards.")
    mirrored: bool
    verified: bool | None
    refined: bool
    view: str
    region: list[float] | None
    found_by: str = Field(description="What it was found by: descriptors.")
    reference_id: int | None = Field(description="For /api/v1/references; null when it has been removed meanwhile.")
    title: str = Field(description="What people call the reference.")


class MediaFacts(BaseModel):
    """What a query is."""

    kind: Literal["video", "image"]
    duration_s: float
    width_px: int
    height_px: int
    format: str


class QueryResult(BaseModel):
    """What was found."""

    version: int
    copied: bool = Field(description="Whether there is any segment.")
    segments: list[SegmentRow]
    problems: list[dict[str, str]] = Field(description="That the report could not be written: the answer stands.")
    made_with: dict[str, Any]
    media: MediaFacts


class AddResult(BaseModel):
    """Stored paths of references."""

    added: list[str]
    replaced: list[str]
    unchanged: list[str] = Field(description="The library holds the same content already.")


class JobRecord(BaseModel):
    """Something asked for, and what became of it."""

    id: str
    kind: Literal["query", "add", "add-path"]
    name: str
    state: Literal["queued", "running", "done", "failed"]
    progress: float = Field(description="Share that is done, an estimate.", ge=0, le=1)
    created_at: str
    finished_at: str | None
    result: QueryResult | AddResult | None
    error: Problem | None = Field(description="Why it failed.")
    report: str | None = Field(
        description="Address of the HTML report; null where none was asked for, not yet, and where a problem says why."
    )


class Verdict(BaseModel):
    """The answer of the upload gate."""

    decided: bool = Field(description="False: it takes longer; ask for the job.")
    copied: bool | None = Field(description="Null while it is not decided.")
    segments: list[SegmentRow]
    job: str


class ReferenceRow(BaseModel):
    """A file in the library."""

    id: int
    path: str
    title: str
    kind: Literal["video", "image"]
    duration_s: float
    width_px: int
    height_px: int
    format: str
    frames: int
    size_bytes: int
    added_at: str
    playable: bool = Field(description="Whether the file is still where it was.")


class ReferenceList(BaseModel):
    """One page of the library."""

    total: int = Field(description="References that fit the search.")
    references: list[ReferenceRow]


class Health(BaseModel):
    """Whether the service can answer."""

    status: Literal["ok"]
    version: str
    references: int
    queued: int
    running: int


class PathRequest(BaseModel):
    """A file that is on the service's machine already."""

    path: str = Field(description="Relative to the service's --root.", min_length=1, max_length=4096)


def job_record(job: Job, progress: float, media: list[MediaRow], titles: dict[str, str]) -> JobRecord:
    """A job for clients; `media` and `titles` are the library's."""
    result: QueryResult | AddResult | None = None
    if job.result is not None and job.kind == "query":
        segments = segment_rows(job.result["segments"], media, titles)
        result = QueryResult(**(job.result | {"segments": segments, "copied": bool(segments)}))
    elif job.result is not None:
        result = AddResult(**job.result)
    error = Problem(code=job.code, message=job.message or "") if job.code else None
    return JobRecord(
        id=job.id, kind=job.kind, name=job.name, state=job.state, progress=progress, created_at=_iso(job.created_s),
        finished_at=_iso(job.finished_s) if job.finished_s else None, result=result, error=error,
        report=_address_of_report(job),
    )  # fmt: skip


def _address_of_report(job: Job) -> str | None:
    has_one = job.result is not None and job.options.get("report") and not job.result["problems"]
    return f"/api/v1/jobs/{job.id}/report" if has_one else None


def segment_rows(rows: list[dict[str, Any]], media: list[MediaRow], titles: dict[str, str]) -> list[SegmentRow]:
    ids = {row.path: row.id for row in media}
    return [
        SegmentRow(**row, reference_id=ids.get(row["reference"]), title=titles.get(row["reference"], row["reference"]))
        for row in rows
    ]


def reference_row(row: MediaRow, titles: dict[str, str]) -> ReferenceRow:
    return ReferenceRow(
        id=row.id, path=row.path, title=titles.get(row.path, row.path), kind=row.kind,
        duration_s=round(row.duration_s, 3), width_px=row.width_px, height_px=row.height_px, format=row.format,
        frames=row.frames, size_bytes=row.size_bytes, added_at=row.added_at, playable=row.file.is_file(),
    )  # fmt: skip


def _iso(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds")
