"""Doing jobs: queries side by side, changes of the library one after the other."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from vcd.choose import with_report_options
from vcd.errors import InputError, LibraryLocked
from vcd.media.files import MediaPath
from vcd.pipeline import index_found
from vcd.report.rows import document
from vcd.resident import ResidentLibrary
from vcd.serve.folders import Folders
from vcd.serve.metrics import Metrics
from vcd.serve.problems import Refused, public
from vcd.serve.settings import ServeSettings
from vcd.serve.store import Job, JobStore
from vcd.types import Problem, Report
from vcd.upkeep import remove

logger = logging.getLogger(__name__)

LOOK_S = 1.0
"""How often a thread looks for work that nobody told it of."""
SWEEP_S = 60.0
JOIN_S = 3.0
LOCKED_S = 2.0
"""How long to wait before a locked library is tried again."""
PATIENCE_S = 10.0
"""How long a removal waits for an addition to end."""
READING = 0.9
"""Share of a query's time that goes into reading the file, for the progress."""


class Runner:
    """The threads that do jobs."""

    def __init__(
        self, store: JobStore, library: ResidentLibrary, folders: Folders, settings: ServeSettings, metrics: Metrics
    ) -> None:
        self._store = store
        self._library = library
        self._folders = folders
        self._settings = settings
        self._metrics = metrics
        self._work = threading.Condition()
        self._stopping = threading.Event()
        self._futures: dict[str, Future[None]] = {}
        self._long_ones = 0
        self._writing = threading.Lock()
        lanes = [(self._run_lane, True)] * library.workers + [(self._run_lane, False), (self._sweep, True)]
        self._threads = [
            threading.Thread(target=target, args=(queries,), name=f"vcd-serve-{number}", daemon=True)
            for number, (target, queries) in enumerate(lanes)
        ]

    def start(self) -> None:
        """Take up what the last service left, and begin."""
        self._store.recover()
        self._folders.delete_strays(self._store.names(), 0)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """What is running is run again by the next service."""
        self._stopping.set()
        with self._work:
            self._work.notify_all()

    def join(self) -> None:
        """Wait a little until the threads have put back what they were at."""
        for thread in self._threads:
            if thread.is_alive():
                thread.join(JOIN_S)

    def submit(self, job: Job) -> "Future[None]":
        """Queue a job; the future is done when the job is over. Raises `Refused` when too many wait."""
        over = self._futures[job.id] = Future()
        try:
            if not self._store.add(job, self._settings.max_queued):
                raise Refused(429, "queue_full", "too many jobs are waiting; try again later")
        except BaseException:
            self._futures.pop(job.id, None)
            raise
        with self._work:
            self._work.notify_all()
        return over

    def progress(self, job: Job) -> float:
        """Share of the job that is done, 0 to 1; an estimate while it runs."""
        if job.state != "running":
            return float(job.is_over)
        with suppress(OSError, ValueError):
            read = float((self._folders.progress / job.id).read_text(encoding="ascii"))
            return round(READING * min(max(read, 0.0), 1.0), 3)
        return 0.0

    def remove(self, path: str) -> None:
        """Take a reference out of the library, and delete its file if it was uploaded. Raises `Refused`, `VcdError`."""
        if not self._writing.acquire(timeout=PATIENCE_S):
            raise Refused(503, "library_busy", "references are being added; try again later")
        try:
            rows = [row for row in self._library.current().media if row.path == path]
            _, problems = remove([path], self._library.folder, self._library.config)
            if problems:
                raise Refused(404, "no_such_reference", "the library holds no such reference")
            for row in rows:
                if row.file.parent == self._folders.media.absolute():
                    row.file.unlink(missing_ok=True)
            self._store.drop_title(path)
            self._library.refresh()
        finally:
            self._writing.release()

    def _run_lane(self, queries: bool) -> None:
        while not self._stopping.is_set():
            with self._work:
                job = self._take(queries)
                if job is None:
                    self._work.wait(LOOK_S)
                    continue
                is_long = queries and self._is_long(job)
                self._long_ones += is_long
            try:
                self._do(job)
            finally:
                with self._work:
                    self._long_ones -= is_long
                    self._work.notify_all()

    def _take(self, queries: bool) -> Job | None:
        """A long query is left waiting where it would take the last worker that small ones have."""
        is_full = queries and self._long_ones >= max(1, self._library.workers - 1)
        try:
            return self._store.take(queries, self._settings.long_mb * 1_000_000 if is_full else None)
        except Exception as error:  # noqa: BLE001 (a full disk must not end the thread)
            logger.error("no job can be taken: %s", error)
            return None

    def _is_long(self, job: Job) -> bool:
        return job.size_bytes > self._settings.long_mb * 1_000_000

    def _do(self, job: Job) -> None:
        begin_s = time.monotonic()
        work: Callable[[Job], dict[str, Any]] = self._query if job.kind == "query" else self._add
        try:
            try:
                result = work(job)
            except LibraryLocked:
                logger.warning("another process is writing to the library; job %s waits", job.id)
                self._store.put_back(job.id)
                self._stopping.wait(LOCKED_S)
                return
            except Exception as error:  # noqa: BLE001 (a job that fails must not end the thread)
                if self._stopping.is_set():
                    self._store.put_back(job.id)  # it is the stop that made it fail
                    return
                self._fail(job, error)
            else:
                self._store.finish(job.id, result)
                self._note(job, "done", begin_s)
                return
            self._note(job, "failed", begin_s)
        except Exception as error:  # noqa: BLE001 (it stays marked as running, and the next service runs it again)
            logger.error("job %s: its end cannot be written down: %s", job.id, error)
        finally:
            (self._folders.progress / job.id).unlink(missing_ok=True)

    def _fail(self, job: Job, error: Exception) -> None:
        status, code, message = public(error)
        if status >= 500:
            logger.error("job %s: %s", job.id, error, exc_info=error if status == 500 else None)
        self._store.fail(job.id, code, message)
        if job.kind == "add":
            self._store.drop_title(job.file)
            (self._folders.media / job.file).unlink(missing_ok=True)

    def _note(self, job: Job, state: str, begin_s: float) -> None:
        self._metrics.jobs.labels(job.kind, state).inc()
        self._metrics.job_s.labels(job.kind).observe(time.monotonic() - begin_s)
        over = self._futures.pop(job.id, None)
        if over and not over.cancelled():
            over.set_result(None)

    def _query(self, job: Job) -> dict[str, Any]:
        item = MediaPath(self._folders.uploads / job.file, job.name, self._folders.uploads, job.name)
        options = dict(job.options)
        page = self._folders.report(job.id) if options.pop("report", False) else None
        config = with_report_options(self._library.config, **options)
        answer = self._library.query(item, config, self._folders.progress / job.id, page, self._store.titles())
        media = answer.media
        facts = {
            "kind": media.kind, "duration_s": round(media.duration_s, 3), "width_px": media.width_px,
            "height_px": media.height_px, "format": media.format,
        }  # fmt: skip
        return {**document(_public_report(answer.report, job)), "media": facts}

    def _add(self, job: Job) -> dict[str, Any]:
        """Index one file; the same content uploaded twice is one reference."""
        folder = self._folders.media.absolute()
        upload = MediaPath(folder / job.file, job.file, folder, job.name)
        with self._writing:
            if job.kind == "add":
                if (arrived := self._folders.uploads / job.file).exists():
                    arrived.rename(upload.path)
                same = [row for row in self._library.current().media if row.content_hash == job.sha256]
                if same and all(row.file != upload.path for row in same):
                    upload.path.unlink(missing_ok=True)
                    return _added(unchanged=[row.path for row in same])
                self._store.set_title(job.file, job.name)
                done = index_found([upload], self._library.folder, self._library.config, workers=1)
            else:
                item = MediaPath(Path(job.file), job.name, Path(job.options["root"]), job.name)
                done = index_found([item], self._library.folder, self._library.config, workers=1)
        if done.problems:
            raise InputError(job.name, done.problems[0].reason)
        self._library.refresh()
        return _added(list(done.added), list(done.replaced), list(done.unchanged))

    def _sweep(self, _: bool) -> None:
        """Delete what is past its retention."""
        while not self._stopping.is_set():
            try:
                for job in self._store.finished_before(time.time() - self._settings.retention_s):
                    self.forget(job)
                self._folders.delete_strays(self._store.names(), self._settings.upload_timeout_s + SWEEP_S)
            except Exception as error:  # noqa: BLE001 (it is tried again)
                logger.error("what is past its retention cannot be deleted: %s", error)
            self._stopping.wait(min(SWEEP_S, max(0.2, self._settings.retention_s / 4)))

    def forget(self, job: Job) -> bool:
        """Delete a job and an uploaded query; False while it runs."""
        if not self._store.delete(job.id):
            return False
        over = self._futures.pop(job.id, None)
        if over:
            over.set_result(None)
        if job.kind != "add-path":
            (self._folders.uploads / job.file).unlink(missing_ok=True)
        self._folders.report(job.id).unlink(missing_ok=True)
        if job.kind == "add" and job.state == "failed":
            (self._folders.media / job.file).unlink(missing_ok=True)
        return True


def _public_report(report: Report, job: Job) -> Report:
    """Without the server's path of a page that could not be written."""
    for problem in report.problems:
        logger.error("job %s: %s: %s", job.id, problem.path, problem.reason)
    return replace(report, problems=tuple(Problem(job.name, problem.reason) for problem in report.problems))


def _added(
    added: list[str] | None = None, replaced: list[str] | None = None, unchanged: list[str] | None = None
) -> dict[str, Any]:
    return {"added": added or [], "replaced": replaced or [], "unchanged": unchanged or []}
