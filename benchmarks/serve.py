"""Load on a real service over loopback: many clients with one clip each, for so many seconds.

    python -m benchmarks.serve CLIP --library DIR [--clients 20] [--seconds 600] [--config FILE] [--workers N]

Starts `vcd serve` on a free port with its data in a temporary folder, times a single query, lets the
clients ask again and again, and writes p50, p95, errors and memory as JSON. The target: no error, no lost job, flat
memory, p95 within 3 times the single time and the clients each core has to serve.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.machine import git_commit, load_average, machine_facts, package_versions, usable_cores
from benchmarks.measure import tree_memory_mib
from benchmarks.results import FOLDER, write_results

START_S, ANSWER_S = 120.0, 600.0
MEMORY_EVERY_S = 2.0


@dataclass
class Load:
    """What clients saw."""

    taken_s: list[float] = field(default_factory=list)
    copied: list[bool] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)


@contextmanager
def running(library: Path, config: str | None, workers: int | None, clients: int) -> Iterator[tuple[str, int]]:
    """Address and process of a service that takes all clients at once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "serve.toml").write_text(f"max_uploads = {clients + 1}\nmax_queued = {10 * clients}\n")
        command = [
            sys.executable, "-c", "from vcd.cli.main import run; run()", "serve", "--library", str(library),
            "--settings", str(folder / "serve.toml"), "--data", str(folder / "data"), "--port", "0",
            *(["--config", config] if config else []), *(["--workers", str(workers)] if workers else []),
        ]  # fmt: skip
        with (folder / "log").open("w") as log, subprocess.Popen(command, stderr=log, env=os.environ) as process:
            try:
                yield _address(folder / "log", process), process.pid
            finally:
                process.terminate()


def _address(log: Path, process: "subprocess.Popen[bytes]") -> str:
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s and process.poll() is None:
        if found := re.search(r"at (http://\S+)/ ", log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.1)
    raise SystemExit(f"the service does not start: {log.read_text(encoding='utf-8')}")


def ask(client: httpx.Client, content: bytes) -> bool:
    """One query through the gate; whether it is a copy. Raises `RuntimeError` when there is no answer."""
    answer = client.post("/api/v1/gate", files={"media": ("clip", content)}, params={"wait_s": ANSWER_S})
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.status_code}: {answer.text[:200]}")
    return bool(answer.json()["copied"])


def put_load(url: str, pid: int, content: bytes, clients: int, seconds: float) -> Load:
    """Each client asks the next time when it has its answer; none begins after the time is over."""
    load = Load()
    end_s = time.monotonic() + seconds
    over = threading.Event()

    def ask_on() -> None:
        with httpx.Client(base_url=url, timeout=ANSWER_S + 10) as client:
            while time.monotonic() < end_s:
                begin_s = time.monotonic()
                try:
                    load.copied.append(ask(client, content))
                    load.taken_s.append(time.monotonic() - begin_s)
                except (RuntimeError, httpx.HTTPError) as error:
                    load.errors.append(f"{type(error).__name__}: {error}")
                    time.sleep(1)

    def watch() -> None:
        while not over.wait(MEMORY_EVERY_S):
            load.memory_mib.append(round(tree_memory_mib(pid), 1))

    threads = [threading.Thread(target=ask_on) for _ in range(clients)]
    watcher = threading.Thread(target=watch)
    for thread in [watcher, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    watcher.join()
    return load


def summarise(load: Load, single_s: float, clients: int, seconds: float) -> dict[str, Any]:
    """The numbers of the target; memory as the medians of the first and the last quarter of the run."""
    p50, p95 = (round(float(np.percentile(load.taken_s, share)), 3) if load.taken_s else None for share in (50, 95))
    quarter = max(1, len(load.memory_mib) // 4)
    limit_s = 3 * single_s * max(1.0, clients / usable_cores())
    return {
        "clients": clients, "seconds": seconds, "single_s": round(single_s, 3), "answers": len(load.taken_s),
        "copied": sum(load.copied), "errors": len(load.errors), "first_errors": load.errors[:5],
        "p50_s": p50, "p95_s": p95,
        "p95_limit_s": round(limit_s, 3), "answers_per_min": round(60 * len(load.taken_s) / seconds, 1),
        "memory_mib": {
            "first": float(np.median(load.memory_mib[:quarter])) if load.memory_mib else None,
            "last": float(np.median(load.memory_mib[-quarter:])) if load.memory_mib else None,
            "peak": max(load.memory_mib, default=None),
        },
    }  # fmt: skip


def benchmark(
    clip: Path, library: Path, clients: int, seconds: float, config: str | None = None, workers: int | None = None
) -> dict[str, Any]:
    content = clip.read_bytes()
    with running(library, config, workers, clients) as (url, pid):
        with httpx.Client(base_url=url, timeout=ANSWER_S + 10) as client:
            ask(client, content)  # the workers load their model
            begin_s = time.monotonic()
            ask(client, content)
            single_s = time.monotonic() - begin_s
            references = client.get("/api/v1/health").json()["references"]
        load = put_load(url, pid, content, clients, seconds)
        with httpx.Client(base_url=url) as client:
            left = client.get("/api/v1/health").json()
    return {
        "benchmark": "serve", "date": datetime.now(UTC).date().isoformat(), **git_commit(), "machine": machine_facts(),
        "packages": package_versions(), "load_average": load_average(), "clip_bytes": len(content),
        "references": references, "jobs_left": left["queued"] + left["running"],
        **summarise(load, single_s, clients, seconds),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("clip", type=Path)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--config")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--output", type=Path, default=FOLDER / "serve.json")
    given = parser.parse_args()
    results = benchmark(given.clip, given.library, given.clients, given.seconds, given.config, given.workers)
    write_results(given.output, results)
    print(
        f"{results['answers']} answers, {results['errors']} errors; p50 {results['p50_s']} s, p95 {results['p95_s']} s "
        f"(limit {results['p95_limit_s']} s); memory {results['memory_mib']}; {given.output}"
    )


if __name__ == "__main__":
    main()
