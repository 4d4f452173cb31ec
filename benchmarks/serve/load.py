"""Clients that ask again and again, and a service that is killed with their work in its queue."""

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.measure import tree_memory_mib
from benchmarks.serve.process import ANSWER_S, Running
from benchmarks.serve.world import Clip

MEMORY_EVERY_S = 2.0
RETRY_S = 1.0


@dataclass
class Load:
    """What clients saw."""

    taken_s: list[float] = field(default_factory=list)
    wrong: int = 0
    """Answers that do not name the reference."""
    errors: list[str] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)
    lasted_s: float = 0.0
    """Until the last had its answer."""


def ask(client: httpx.Client, clip: Clip) -> bool:
    """One query through the gate; whether it names the reference. Raises `RuntimeError` when there is no answer."""
    answer = client.post("/api/v1/gate", files={"media": ("clip.mp4", clip.content)}, params={"wait_s": ANSWER_S})
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.status_code}: {answer.text[:200]}")
    return _names(answer.json(), clip)


def _names(result: dict[str, Any], clip: Clip) -> bool:
    return any(segment["reference"].endswith(clip.reference) for segment in result["segments"])


def put_load(service: Running, clips: Sequence[Clip], seconds: float) -> Load:
    """A client a clip; each asks the next time when it has its answer, and none begins after the time is over."""
    load = Load()
    started_s = time.monotonic()
    end_s = started_s + seconds
    over = threading.Event()

    def ask_on(clip: Clip) -> None:
        with service.client() as client:
            while time.monotonic() < end_s:
                begin_s = time.monotonic()
                try:
                    load.wrong += not ask(client, clip)
                    load.taken_s.append(time.monotonic() - begin_s)
                except (RuntimeError, httpx.HTTPError) as error:
                    load.errors.append(f"{type(error).__name__}: {error}")
                    time.sleep(RETRY_S)

    def watch() -> None:
        while not over.wait(MEMORY_EVERY_S):
            load.memory_mib.append(round(tree_memory_mib(service.process.pid), 1))

    threads = [threading.Thread(target=ask_on, args=(clip,)) for clip in clips]
    watcher = threading.Thread(target=watch)
    for thread in [watcher, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    load.lasted_s = time.monotonic() - started_s
    over.set()
    watcher.join()
    return load


def queue(service: Running, clips: Sequence[Clip]) -> list[str]:
    """A job for each clip that the service has promised to do."""
    jobs = []
    with service.client() as client:
        for clip in clips:
            answer = client.post("/api/v1/queries", files={"media": ("clip.mp4", clip.content)}, params={"wait_s": 0})
            answer.raise_for_status()
            jobs.append(str(answer.json()["id"]))
    return jobs


def done_right(service: Running, jobs: Sequence[str], clips: Sequence[Clip]) -> int:
    """Wait for the jobs; how many ended with the right reference."""
    right = 0
    with service.client() as client:
        for job, clip in zip(jobs, clips, strict=True):
            end_s = time.monotonic() + ANSWER_S
            while (found := client.get(f"/api/v1/jobs/{job}").json()).get("state") in ("queued", "running"):
                if time.monotonic() > end_s:
                    break
                time.sleep(RETRY_S)
            right += found.get("state") == "done" and _names(found["result"], clip)
    return right


def unfinished(service: Running) -> int:
    with service.client() as client:
        health = client.get("/api/v1/health").json()
    return int(health["queued"] + health["running"])


def failed_jobs(service: Running) -> int:
    """Queries that failed in this process, by its own count."""
    with service.client() as client:
        text = client.get("/metrics").text
    found = re.search(r'^vcd_jobs_total\{kind="query",state="failed"\} (\S+)', text, re.MULTILINE)
    return round(float(found[1])) if found else 0
