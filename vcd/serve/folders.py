"""Where a service keeps things: one folder, held by one service at a time."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from vcd.errors import SetupError
from vcd.library.lock import LOCK, hold


@dataclass(frozen=True, slots=True)
class Folders:
    """What lies in the folder of `--data`."""

    data: Path

    @property
    def jobs(self) -> Path:
        return self.data / "jobs.sqlite"

    @property
    def uploads(self) -> Path:
        """What has just arrived; queries stay here until their retention is over."""
        return self.data / "uploads"

    @property
    def media(self) -> Path:
        """Uploaded references, deleted when they are removed from the library."""
        return self.data / "media"

    @property
    def progress(self) -> Path:
        """How far running jobs are."""
        return self.data / "progress"

    @property
    def reports(self) -> Path:
        """Pages about queries that are done, ``JOB.html``."""
        return self.data / "reports"

    def report(self, job_id: str) -> Path:
        return self.reports / f"{job_id}.html"

    def make(self) -> IO[bytes]:
        """Make what is missing; gives the lock, which ends with the process. Raises `SetupError`."""
        try:
            for folder in (self.data, self.uploads, self.media, self.progress, self.reports):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return hold(self.data / LOCK)
        except BlockingIOError as error:
            raise SetupError(f"{self.data}: another service uses this folder; name another one with --data") from error
        except OSError as error:
            raise SetupError(f"{self.data}: cannot be written: {error.strerror}") from error

    def delete_strays(self, named: set[str], older_than_s: float) -> None:
        """Delete what belongs to no job, by its file or its id, and is older: left by a crash."""
        for path in [*self.uploads.iterdir(), *self.progress.iterdir(), *self.reports.iterdir()]:
            if named.isdisjoint((path.name, path.stem)) and _age_s(path) > older_than_s:
                path.unlink(missing_ok=True)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
