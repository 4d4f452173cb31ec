"""Jobs in SQLite: they survive a crash at any moment, and what was running is run again."""

import json
import sqlite3
import threading
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from vcd.errors import SetupError

Kind = Literal["query", "add", "add-path"]
State = Literal["queued", "running", "done", "failed"]

FORMAT = 1
ATTEMPTS = 3
"""A job that was running at so many crashes is what crashed it."""
_SCHEMA = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, file TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL, options TEXT NOT NULL, created_s REAL NOT NULL, state TEXT NOT NULL DEFAULT 'queued',
    attempts INTEGER NOT NULL DEFAULT 0, started_s REAL, finished_s REAL, result TEXT, code TEXT, message TEXT
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state, created_s);
CREATE TABLE titles (path TEXT PRIMARY KEY, title TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something asked for, and what became of it."""

    id: str
    kind: Kind
    name: str
    """What the client calls the file."""
    file: str
    """An upload's name in its folder, or the absolute path of a file under the root."""
    size_bytes: int
    sha256: str
    options: dict[str, Any]
    created_s: float
    """Seconds since 1970, as all times here."""
    state: State = "queued"
    attempts: int = 0
    started_s: float | None = None
    finished_s: float | None = None
    result: dict[str, Any] | None = None
    code: str | None = None
    message: str | None = None

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed")


_COLUMNS = [field.name for field in fields(Job)]


class JobStore:
    """All jobs of a service, for any number of threads; every change is on the disk when its method returns."""

    def __init__(self, file: Path) -> None:
        """Raises `SetupError` when the file cannot be used."""
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=30)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            ((found,),) = self._db.execute("PRAGMA user_version").fetchall()
            if not found:
                self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT")
            elif found != FORMAT:
                raise SetupError(f"{file}: is of format {found}, this vcd reads {FORMAT}; name another --data folder")
        except sqlite3.Error as error:
            raise SetupError(f"{file}: the jobs cannot be read or written ({error})") from error

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def add(self, job: Job, at_most: int) -> bool:
        """Queue a job; False when so many are waiting already."""
        marks = ", ".join("?" for _ in _COLUMNS)
        values = [_to_sql(getattr(job, column)) for column in _COLUMNS]
        sql = f"INSERT INTO jobs ({', '.join(_COLUMNS)}) SELECT {marks} WHERE "
        sql += "(SELECT count(*) FROM jobs WHERE state = 'queued') < ?"
        with self._lock:
            return self._db.execute(sql, [*values, at_most]).rowcount == 1

    def get(self, job_id: str) -> Job | None:
        found = self._select("WHERE id = ?", job_id)
        return found[0] if found else None

    def latest(self, limit: int) -> list[Job]:
        return self._select("ORDER BY created_s DESC, id LIMIT ?", limit)

    def take(self, queries: bool, largest_bytes: int | None = None) -> Job | None:
        """The oldest waiting job, a query or not, now running; None when there is none of that size."""
        kind = "kind = 'query'" if queries else "kind <> 'query'"
        sql = f"WHERE id = (SELECT id FROM jobs WHERE state = 'queued' AND {kind} AND size_bytes <= ? "
        sql += "ORDER BY created_s, id LIMIT 1)"
        update = f"UPDATE jobs SET state = 'running', attempts = attempts + 1, started_s = ? {sql} RETURNING id"
        with self._lock:
            taken = self._db.execute(
                update, (time.time(), 2**62 if largest_bytes is None else largest_bytes)
            ).fetchall()
        return self.get(taken[0][0]) if taken else None

    def finish(self, job_id: str, result: dict[str, Any]) -> None:
        self._update("state = 'done', finished_s = ?, result = ?", time.time(), json.dumps(result), job_id)

    def fail(self, job_id: str, code: str, message: str) -> None:
        self._update("state = 'failed', finished_s = ?, code = ?, message = ?", time.time(), code, message, job_id)

    def put_back(self, job_id: str) -> None:
        """A running job that was not done through no fault of its own waits again."""
        self._update("state = 'queued', attempts = attempts - 1, started_s = NULL", job_id)

    def recover(self) -> None:
        """What ran when the last service ended waits again, unless it did so too often."""
        message = f"the service ended {ATTEMPTS} times while it worked on this"
        with self._lock:
            self._db.execute(
                "UPDATE jobs SET state = 'failed', finished_s = ?, code = 'gave_up', message = ? "
                "WHERE state = 'running' AND attempts >= ?", (time.time(), message, ATTEMPTS),
            )  # fmt: skip
            self._db.execute("UPDATE jobs SET state = 'queued', started_s = NULL WHERE state = 'running'")

    def count(self, state: State) -> int:
        with self._lock:
            ((number,),) = self._db.execute("SELECT count(*) FROM jobs WHERE state = ?", (state,)).fetchall()
        return int(number)

    def delete(self, job_id: str) -> bool:
        """Forget a job that is not running; False when it runs or there is none."""
        with self._lock:
            return self._db.execute("DELETE FROM jobs WHERE id = ? AND state <> 'running'", (job_id,)).rowcount == 1

    def finished_before(self, time_s: float) -> list[Job]:
        return self._select("WHERE finished_s < ?", time_s)

    def names(self) -> set[str]:
        """The ids of all jobs and the names of their uploads."""
        with self._lock:
            rows = self._db.execute(
                "SELECT file FROM jobs WHERE kind <> 'add-path' UNION SELECT id FROM jobs"
            ).fetchall()
        return {str(name) for (name,) in rows}

    def set_title(self, path: str, title: str) -> None:
        """What people call a reference whose file has a random name."""
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO titles VALUES (?, ?)", (path, title))

    def drop_title(self, path: str) -> None:
        with self._lock:
            self._db.execute("DELETE FROM titles WHERE path = ?", (path,))

    def titles(self) -> dict[str, str]:
        """By the references' stored paths."""
        with self._lock:
            return dict(self._db.execute("SELECT path, title FROM titles").fetchall())

    def _select(self, condition: str, *values: object) -> list[Job]:
        with self._lock:
            rows = self._db.execute(f"SELECT {', '.join(_COLUMNS)} FROM jobs {condition}", values).fetchall()
        return [_from_sql(row) for row in rows]

    def _update(self, changes: str, *values: object) -> None:
        with self._lock:
            self._db.execute(f"UPDATE jobs SET {changes} WHERE id = ? AND state = 'running'", values)


def _to_sql(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict) else value


def _from_sql(row: tuple[Any, ...]) -> Job:
    values = dict(zip(_COLUMNS, row, strict=True))
    for column in ("options", "result"):
        values[column] = json.loads(values[column]) if values[column] is not None else None
    return Job(**values)
