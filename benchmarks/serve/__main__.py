"""Load on a real service over loopback: many clients with one clip each, and a kill -9 in the middle.

    python -m benchmarks.serve [--minutes 10] [--clients 20] [--hours 100] [--config NAME] [--workers N]

Draws films, indexes them among generated descriptors that make up the hours, times single queries, lets clients ask
again and again for half the time, queues a job for each and kills the service, starts it on what it left, waits for
those jobs, and lets the clients ask for the other half. Written as JSON; the exit code is 1 when a target is missed: no
error, no lost job, memory flat, p95 within 3 times the single query's time and the queue's length.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import git_commit, load_average, machine_facts, package_versions, usable_cores
from benchmarks.results import FOLDER, write_results
from benchmarks.serve.load import Load, ask, done_right, failed_jobs, put_load, queue, unfinished
from benchmarks.serve.process import Running, start
from benchmarks.serve.world import CLIP_S, World, make_world

SINGLES = 5
"""Single queries, of which the median counts."""
P95 = 3.0
FLAT = 1.10
"""Memory in the last quarter of a half, to that in its second: the first is that of warming up."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    before = load_average()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        tell(f"making a library of {options.hours:g} hours and {options.clients} clips")
        world = make_world(folder / "world", options.hours, options.clients, options.config)
        found = measure(folder, world, 60 * options.minutes, options.config, options.workers)
    results = {
        "benchmark": "serve", "date": datetime.now(UTC).date().isoformat(), **git_commit(), "machine": machine_facts(),
        "packages": package_versions(), "load_average_before": before, "minutes": options.minutes,
        "library_hours": world.hours, "library_frames": world.frames, "clients": len(world.clips), "clip_s": CLIP_S,
        **found,
    }  # fmt: skip
    write_results(options.output, results)
    for key in ("single_s", "p50_s", "p95_s", "p95_limit_s", "answers", "errors", "jobs", "memory_mib", "targets"):
        print(f"{key}: {results[key]}")
    if not all(found["targets"].values()):
        sys.exit("benchmarks.serve: a target is missed")


def measure(folder: Path, world: World, seconds: float, config: str | None, workers: int | None) -> dict[str, Any]:
    """Both halves, and what happened between them."""
    clips = world.clips

    def started() -> Running:
        return start(folder, world.library, len(clips), config, workers)

    service = started()
    try:
        tell("single queries")
        single_s = time_single(service, world)
        tell(f"{len(clips)} clients for {seconds / 2:.0f} s; a query by itself takes {single_s:.2f} s")
        halves = [put_load(service, clips, seconds / 2)]
        failed = failed_jobs(service)
        queued = queue(service, clips)
        left = unfinished(service)
        service.kill()
        tell(f"killed with {left} of {len(queued)} jobs not done, starting again")
        service = started()
        finished = done_right(service, queued, clips)
        tell(f"{finished} jobs are done; the clients for {seconds / 2:.0f} s more")
        halves.append(put_load(service, clips, seconds / 2))
        failed += failed_jobs(service)
        still = unfinished(service)
    finally:
        service.end()
    jobs = {
        "queued_at_kill": len(queued), "not_done_at_kill": left, "of_those_done_right": finished,
        "left_at_end": still, "failed": failed,
    }  # fmt: skip
    return summarise(halves, single_s, len(clips), jobs)


def time_single(service: Running, world: World) -> float:
    """Median of some queries, one after the other, after one for which the workers load their model."""
    taken_s = []
    with service.client() as client:
        for number in range(SINGLES + 1):
            begin_s = time.monotonic()
            ask(client, world.clips[number % len(world.clips)])
            taken_s.append(time.monotonic() - begin_s)
    return float(np.median(taken_s[1:]))


def summarise(halves: Sequence[Load], single_s: float, clients: int, jobs: dict[str, int]) -> dict[str, Any]:
    """The numbers of the targets; a client's queue is the clients that each core has to serve."""
    taken_s = [each for half in halves for each in half.taken_s]
    errors = [each for half in halves for each in half.errors]
    p50_s, p95_s = (round(float(np.percentile(taken_s, share)), 3) if taken_s else None for share in (50, 95))
    lasted_s = sum(half.lasted_s for half in halves)
    limit_s = P95 * single_s * max(1.0, clients / usable_cores())
    memory = [_memory(half.memory_mib) for half in halves]
    wrong = sum(half.wrong for half in halves)
    return {
        "single_s": round(single_s, 3), "answers": len(taken_s), "wrong_answers": wrong, "errors": len(errors),
        "first_errors": errors[:5], "p50_s": p50_s, "p95_s": p95_s, "p95_limit_s": round(limit_s, 3),
        "answers_per_min": round(60 * len(taken_s) / lasted_s, 1), "memory_mib": memory, "jobs": jobs,
        "targets": {
            "no_error": bool(taken_s) and not errors and not wrong,
            "no_lost_job": jobs["of_those_done_right"] == jobs["queued_at_kill"]
            and not jobs["left_at_end"] and not jobs["failed"],
            "killed_with_work_waiting": jobs["not_done_at_kill"] > 0,
            "memory_flat": all(half["last"] <= FLAT * half["second"] for half in memory),
            "p95_within": p95_s is not None and p95_s <= limit_s,
        },
    }  # fmt: skip


def tell(what: str) -> None:
    """A line for somebody who waits."""
    print(f"{datetime.now():%H:%M:%S} {what}", file=sys.stderr, flush=True)


def _memory(mib: Sequence[float]) -> dict[str, float]:
    """Medians of quarters of a half, and the most; nan where it was too short to look."""
    quarters = np.array_split(np.array(mib or [np.nan]), 4) if len(mib) >= 4 else [np.array(mib or [np.nan])] * 4
    names = ("first", "second", "third", "last")
    medians = {name: round(float(np.median(part)), 1) for name, part in zip(names, quarters, strict=True)}
    return {**medians, "peak": max(mib, default=float("nan"))}


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--hours", type=float, default=100.0, help="of video in the library")
    parser.add_argument("--config", help="preset or TOML file")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--folder", type=Path, help="for temporary files")
    parser.add_argument("--output", type=Path, default=FOLDER / "serve.json")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
