"""A real `vcd serve` in a process of its own, on loopback."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import PROGRAM

MODEL = '[describe]\nmodel = "regional-dct"\n[library]\nindex = "exact"\n'
"""Settings for drawn films; the model runs without a network, so processes start quickly."""
START_S, JOB_S = 60.0, 60.0


@dataclass
class Service:
    """A running service and somebody who talks to it."""

    process: "subprocess.Popen[str]"
    client: httpx.Client
    data: Path

    @property
    def url(self) -> str:
        return str(self.client.base_url).rstrip("/")

    @property
    def port(self) -> int:
        return self.client.base_url.port or 0

    def ask(self, clip: Path, name: str | None = None, **parameters: Any) -> httpx.Response:
        return self.send("/api/v1/queries", clip.read_bytes(), name or clip.name, **parameters)

    def send(self, path: str, content: bytes, name: str = "clip.mp4", **parameters: Any) -> httpx.Response:
        """Upload a file as a browser does."""
        return self.client.post(path, files={"media": (name, content)}, params=parameters, timeout=JOB_S)

    def finished(self, job_id: str) -> Any:
        """The job once it is over."""
        end_s = time.monotonic() + JOB_S
        while time.monotonic() < end_s:
            job = self.client.get(f"/api/v1/jobs/{job_id}").json()
            if job["state"] in ("done", "failed"):
                return job
            time.sleep(0.05)
        raise AssertionError(f"the job is not over after {JOB_S} s: {job}")

    def add(self, film: Path, name: str | None = None) -> Any:
        """The job that has added an uploaded reference."""
        answer = self.send("/api/v1/references", film.read_bytes(), name or film.name)
        assert answer.status_code == 202, answer.text
        return self.finished(answer.json()["id"])

    def references(self, search: str = "") -> dict[str, Any]:
        """Rows of the library by title."""
        listed = self.client.get("/api/v1/references", params={"search": search}).json()
        return {row["title"]: row for row in listed["references"]}

    def kill(self) -> None:
        """As a power cut would; the worker processes notice by themselves."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def serving(
    folder: Path, library: Path, *options: object, settings: str = "", key: str = "", **environment: str
) -> Iterator[Service]:
    """`vcd serve` with one worker, its settings and data in `folder`; ended in order at the end."""
    folder.mkdir(exist_ok=True)
    (folder / "model.toml").write_text(MODEL)
    (folder / "serve.toml").write_text(settings)
    command = [
        *PROGRAM, "serve", "--library", library, "--config", folder / "model.toml", "--settings", folder / "serve.toml",
        "--data", folder / "data", "--port", "0", "--workers", "1", *options,
    ]  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [str(word) for word in command], stderr=log, text=True, env={**os.environ, **environment}
        )
    try:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with httpx.Client(base_url=_address(process, folder / "log"), headers=headers, timeout=30) as client:
            yield Service(process, client, folder / "data")
        if process.poll() is None:
            process.terminate()
            assert process.wait(30) == 0, (folder / "log").read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _address(process: "subprocess.Popen[str]", log: Path) -> str:
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s and process.poll() is None:
        found = re.search(r"at (http://\S+)/ ", log.read_text())
        if found:
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"the service does not start: {log.read_text()}")
