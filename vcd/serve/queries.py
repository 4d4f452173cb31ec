"""Asking what a file was copied from."""

import asyncio
import secrets
import time
from concurrent.futures import Future
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from vcd.serve.problems import Refused
from vcd.serve.records import JobRecord, Problem, Verdict, job_record, segment_rows
from vcd.serve.service import Here, Service, require
from vcd.serve.store import Job, Kind
from vcd.serve.uploads import FIELD, Upload

router = APIRouter(prefix="/api/v1")
READ, ADMIN = [Depends(require("read"))], [Depends(require("admin"))]
PROBLEM: dict[int | str, dict[str, Any]] = {"default": {"model": Problem, "description": "What is wrong."}}
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object", "required": [FIELD], "additionalProperties": False,
                    "properties": {FIELD: {"type": "string", "format": "binary", "minLength": 1}},
                }
            }
        },
    }
}  # fmt: skip
"""The form is read by `uploads`, which knows limits, so the framework cannot describe it."""

JobId = Annotated[str, Path(description="As the answer to a query gives it.", pattern="^[0-9a-f]{32}$")]
MinScore = Annotated[float | None, Query(ge=0, le=1, description="Leave out segments less probable than this.")]
Top = Annotated[int | None, Query(ge=0, le=1_000_000, description="At most this many segments; 0: all.")]
Verify = Annotated[bool, Query(description="Compare local features for every segment.")]
Shown = Annotated[bool, Query(description="Draw the HTML report, too: /api/v1/jobs/ID/report.")]
Wait = Annotated[float | None, Query(ge=0, le=600, description="Seconds to wait for the answer; default: a setting.")]


@router.post("/queries", dependencies=READ, responses={**PROBLEM, 202: {"model": JobRecord}}, openapi_extra=UPLOAD)
async def ask(
    request: Request,
    response: Response,
    here: Here,
    min_score: MinScore = None,
    top: Top = None,
    verify: Verify = False,
    report: Shown = False,
    wait_s: Wait = None,
) -> JobRecord:
    """Find what an uploaded file was copied from: 200 with the answer, or 202 with the job when it takes longer."""
    options = {"min_score": min_score, "top": top, "verify": verify, "report": report}
    job, over = await submit(here, "query", await here.intake.receive(request), options)
    await _wait(over, here.settings.wait_s if wait_s is None else wait_s)
    return await answer_job(here, job.id, response)


@router.post("/gate", dependencies=READ, responses={**PROBLEM, 202: {"model": Verdict}}, openapi_extra=UPLOAD)
async def gate(
    request: Request, response: Response, here: Here, min_score: MinScore = None, wait_s: Wait = None
) -> Verdict:
    """Is an uploaded file a copy? A file that cannot be read gives an error, never `no`."""
    options = {"min_score": min_score, "top": None, "verify": False}
    job, over = await submit(here, "query", await here.intake.receive(request), options)
    await _wait(over, here.settings.gate_wait_s if wait_s is None else wait_s)
    job = await run_in_threadpool(find_job, here, job.id)
    if job.state == "failed":
        raise Refused(422 if job.code == "unreadable_media" else 503, job.code or "internal", job.message or "")
    if job.result is None:
        response.status_code = 202
        response.headers["Location"] = f"/api/v1/jobs/{job.id}"
        return Verdict(decided=False, copied=None, segments=[], job=job.id)
    titles = await run_in_threadpool(here.store.titles)
    rows = segment_rows(job.result["segments"], here.library.current().media, titles)
    return Verdict(decided=True, copied=bool(rows), segments=rows, job=job.id)


@router.get("/jobs", dependencies=ADMIN, responses=PROBLEM)
def list_jobs(here: Here, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[JobRecord]:
    """The latest jobs, newest first."""
    media, titles = here.library.current().media, here.store.titles()
    return [job_record(job, here.runner.progress(job), media, titles) for job in here.store.latest(limit)]


@router.get("/jobs/{job_id}", dependencies=READ, responses=PROBLEM)
def get_job(here: Here, job_id: JobId) -> JobRecord:
    """How far a job is, and its result."""
    return record_of(here, find_job(here, job_id))


@router.delete("/jobs/{job_id}", dependencies=READ, status_code=204, responses=PROBLEM)
def delete_job(here: Here, job_id: JobId) -> None:
    """Forget a job that is not running, with what was uploaded for it; a reference that was added stays."""
    job = find_job(here, job_id)
    if not here.runner.forget(job):
        raise Refused(409, "job_running", "the job is running; try again when it is done")


async def submit(here: Service, kind: Kind, upload: Upload, options: dict[str, Any]) -> "tuple[Job, Future[None]]":
    """A job for what has arrived; the upload is deleted when too many jobs wait."""
    here.metrics.upload_bytes.inc(upload.size_bytes)
    job = new_job(kind, upload.name, upload.file, upload.size_bytes, upload.sha256, options)
    try:
        return job, await run_in_threadpool(here.runner.submit, job)
    except BaseException:
        (here.folders.uploads / upload.file).unlink(missing_ok=True)
        raise


def new_job(kind: Kind, name: str, file: str, size_bytes: int, sha256: str, options: dict[str, Any]) -> Job:
    return Job(
        id=secrets.token_hex(16), kind=kind, name=name, file=file, size_bytes=size_bytes, sha256=sha256,
        options=options, created_s=time.time(),
    )  # fmt: skip


async def _wait(over: "Future[None]", wait_s: float) -> None:
    if wait_s:
        await asyncio.wait([asyncio.wrap_future(over)], timeout=wait_s)


async def answer_job(here: Service, job_id: str, response: Response) -> JobRecord:
    """The job; 202 with its address while it is not over."""
    job = await run_in_threadpool(find_job, here, job_id)
    if not job.is_over:
        response.status_code = 202
        response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return await run_in_threadpool(record_of, here, job)


def find_job(here: Service, job_id: str) -> Job:
    job = here.store.get(job_id)
    if job is None:
        raise Refused(404, "no_such_job", "there is no such job, or its retention is over")
    return job


def record_of(here: Service, job: Job) -> JobRecord:
    needs_names = job.kind == "query" and job.result is not None
    media, titles = (here.library.current().media, here.store.titles()) if needs_names else ([], {})
    return job_record(job, here.runner.progress(job), media, titles)
