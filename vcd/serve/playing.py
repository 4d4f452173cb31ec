"""What people look at: films, strips of thumbnails for those that no browser plays, and the report of a query."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, Response

from vcd.config import MediaConfig
from vcd.media import open_media
from vcd.media.read import Media
from vcd.report.page import page_policy
from vcd.serve.problems import Refused
from vcd.serve.queries import PROBLEM, READ, JobId, find_job
from vcd.serve.references import ReferenceId, file_of, find_reference
from vcd.serve.service import Here, Service
from vcd.types import Picture, Span

router = APIRouter(prefix="/api/v1")
VIDEOS = {"mov": "video/mp4", "matroska": "video/webm", "ogg": "video/ogg"}
IMAGES = ("jpeg", "png", "webp", "gif", "bmp", "avif")
"""What browsers show, by the container that the decoder found, whatever a client said; all else is sent as bytes."""
THUMBNAIL_PX = 90
AROUND_S, STEP_S = 0.5, 0.05
LONGEST_S = 1e7

FromTime = Annotated[float, Query(ge=0, le=LONGEST_S, allow_inf_nan=False)]
Count = Annotated[int, Query(ge=1, le=16)]


class PageResponse(FileResponse):
    """A page that vcd has made: text of others is escaped in it, its policy allows only its own script, and it runs in
    an origin of its own, where there is nothing of the service to reach."""

    def __init__(self, path: Path) -> None:
        policy = f"sandbox allow-scripts; frame-ancestors 'none'; {page_policy()}"
        # A browser refuses to open a page that is both sandboxed and kept apart from its opener by this header.
        headers = {"Content-Security-Policy": policy, "Cross-Origin-Opener-Policy": "unsafe-none"}
        super().__init__(path, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/jobs/{job_id}/media", dependencies=READ, responses=PROBLEM, response_class=FileResponse)
def query_media(here: Here, job_id: JobId) -> FileResponse:
    """The uploaded query, for the page to play; answers range requests."""
    path, format = _query_file(here, job_id)
    return _send(path, format)


@router.get("/references/{reference_id:int}/media", dependencies=READ, responses=PROBLEM, response_class=FileResponse)
def reference_media(here: Here, reference_id: ReferenceId) -> FileResponse:
    """The reference's file, for the page to play; answers range requests."""
    row = find_reference(here, reference_id)
    return _send(file_of(row), row.format)


@router.get("/jobs/{job_id}/strip", dependencies=READ, responses=PROBLEM, response_class=Response)
def query_strip(here: Here, job_id: JobId, from_s: FromTime = 0, to_s: FromTime = 0, count: Count = 6) -> Response:
    """Pictures of the query side by side, as JPEG."""
    return _strip(here, _query_file(here, job_id)[0], from_s, to_s, count)


@router.get("/references/{reference_id:int}/strip", dependencies=READ, responses=PROBLEM, response_class=Response)
def reference_strip(
    here: Here, reference_id: ReferenceId, from_s: FromTime = 0, to_s: FromTime = 0, count: Count = 6
) -> Response:
    """Pictures of the reference side by side, as JPEG."""
    return _strip(here, file_of(find_reference(here, reference_id)), from_s, to_s, count)


@router.get(
    "/jobs/{job_id}/report", dependencies=READ, status_code=200, response_class=PageResponse,
    responses={**PROBLEM, 200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)  # fmt: skip
def query_report(here: Here, job_id: JobId) -> PageResponse:
    """The HTML report of a query that was asked for with `report=true`."""
    find_job(here, job_id)
    path = here.folders.report(job_id)
    if not path.is_file():
        raise Refused(404, "no_report", "the query is not done, or no report was asked for")
    return PageResponse(path)


def _query_file(here: Service, job_id: str) -> tuple[Path, str]:
    job = find_job(here, job_id)
    path = here.folders.uploads / job.file
    if job.kind != "query" or job.result is None or not path.is_file():
        raise Refused(404, "file_gone", "there is no file of this job that could be shown")
    return path, str(job.result["media"]["format"])


def _send(path: Path, format: str) -> FileResponse:
    container, _, codec = format.partition("/")
    kind = VIDEOS.get(container, "application/octet-stream")
    if container in ("image", "animation") and codec in IMAGES:
        kind = f"image/{codec}"
    return FileResponse(path, media_type=kind, headers={"Content-Disposition": "inline"})


def _strip(here: Service, path: Path, from_s: float, to_s: float, count: int) -> Response:
    # In the middle of equal pieces: the very end of a stretch is not in it.
    times_s = tuple(from_s + (to_s - from_s) * (number + 0.5) / count for number in range(count))
    small = replace(here.library.config.media, short_side_px=THUMBNAIL_PX)
    content = here.library.run(draw_strip, path.name, path, times_s, small)
    return Response(content, media_type="image/jpeg")


def draw_strip(path: Path, times_s: tuple[float, ...], config: MediaConfig) -> bytes:
    """In a worker: the frames shown at these times as one JPEG, side by side, black where there is none."""
    media = open_media(path, config)
    tiles = [_tile(media, time_s) for time_s in times_s]
    width = max((tile.shape[1] for tile in tiles if tile is not None), default=THUMBNAIL_PX)
    strip = np.zeros((THUMBNAIL_PX, width * len(tiles), 3), dtype=np.uint8)
    for number, tile in enumerate(tiles):
        if tile is not None:
            strip[: tile.shape[0], number * width : number * width + tile.shape[1]] = tile
    return bytes(cv2.imencode(".jpg", cv2.cvtColor(strip, cv2.COLOR_RGB2BGR))[1].tobytes())


def _tile(media: Media, time_s: float) -> Picture | None:
    """The frame nearest to a time, within the strip's height and twice that width; None where there is none near."""
    span = Span(max(0.0, time_s - AROUND_S), time_s + AROUND_S)
    frame = min(media.frames_between(span, STEP_S), key=lambda each: abs(each.time_s - time_s), default=None)
    if frame is None:
        return None
    height, width = frame.picture.shape[:2]
    scale = min(THUMBNAIL_PX / height, 2 * THUMBNAIL_PX / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(frame.picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
