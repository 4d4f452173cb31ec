"""Looking at the library, adding to it and removing from it."""

from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from vcd.library import MediaRow
from vcd.serve.problems import Refused
from vcd.serve.queries import ADMIN, PROBLEM, READ, UPLOAD, answer_job, new_job, submit
from vcd.serve.records import JobRecord, PathRequest, ReferenceList, ReferenceRow, reference_row
from vcd.serve.roots import is_inside, path_under
from vcd.serve.service import Here, Service

router = APIRouter(prefix="/api/v1/references")
ReferenceId = Annotated[int, Path(ge=1, le=2**62)]


@router.get("", dependencies=READ, responses=PROBLEM)
def list_references(
    here: Here,
    search: Annotated[str, Query(max_length=200, description="Part of the title, whatever its case.")] = "",
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ReferenceList:
    """One page of the library, by path."""
    titles = here.store.titles()
    wanted = search.casefold()
    rows = [row for row in here.library.current().media if wanted in titles.get(row.path, row.path).casefold()]
    page = [reference_row(row, titles) for row in rows[offset : offset + limit]]
    return ReferenceList(total=len(rows), references=page)


@router.get("/{reference_id:int}", dependencies=READ, responses=PROBLEM)
def get_reference(here: Here, reference_id: ReferenceId) -> ReferenceRow:
    """One reference."""
    return reference_row(find_reference(here, reference_id), here.store.titles())


@router.post("", dependencies=ADMIN, status_code=202, responses=PROBLEM, openapi_extra=UPLOAD)
async def add_upload(request: Request, response: Response, here: Here) -> JobRecord:
    """Add an uploaded file to the library; the job says when that is done."""
    job, _ = await submit(here, "add", await here.intake.receive(request), {})
    return await answer_job(here, job.id, response)


@router.post("/by-path", dependencies=ADMIN, status_code=202, responses=PROBLEM)
async def add_path(wanted: PathRequest, response: Response, here: Here) -> JobRecord:
    """Add a file that lies under the service's root; it stays where it is."""
    item = await run_in_threadpool(path_under, here.root, wanted.path)
    if is_inside(item.path, here.folders.data):
        raise Refused(404, "no_such_file", "there is no such file under the service's root")
    job = new_job("add-path", item.name, str(item.path), 0, "", {"root": str(item.root)})
    await run_in_threadpool(here.runner.submit, job)
    return await answer_job(here, job.id, response)


@router.delete("/{reference_id:int}", dependencies=ADMIN, status_code=204, responses=PROBLEM)
def remove_reference(here: Here, reference_id: ReferenceId) -> None:
    """Take a reference out of the library; only a file that was uploaded is deleted."""
    here.runner.remove(find_reference(here, reference_id).path)


def find_reference(here: Service, reference_id: int) -> MediaRow:
    for row in here.library.current().media:
        if row.id == reference_id:
            return row
    raise Refused(404, "no_such_reference", "the library holds no such reference")


def file_of(row: MediaRow) -> FilePath:
    """The reference's media file; raises `Refused` when it is gone."""
    if not row.file.is_file():
        raise Refused(404, "file_gone", "the reference's file is no longer where it was")
    return row.file
