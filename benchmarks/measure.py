"""A command -> what running it took: time, processor time, memory of the whole process tree."""

import os
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import IO

INTERVAL_S = 0.2
PROC = Path("/proc")
DISK_BLOCK_BYTES = 512
"""Unit of `ru_inblock` on Linux."""
MEMORY = (
    f"PSS (proportional set size: a shared page counts once) summed over the process tree, highest of the samples "
    f"taken every {INTERVAL_S} s from /proc/PID/smaps_rollup"
)


class CommandFailed(RuntimeError):
    """A measured command ended with an exit code other than 0."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run of a command took."""

    wall_s: float
    cpu_s: float
    """User and system time of the process and of all its descendants that were waited for."""
    peak_mib: float | None
    """See `MEMORY`; None where there is no /proc."""
    disk_mib: float
    """Read from disk: what was not in the page cache."""
    output: str
    """What it wrote to stdout."""


def run_measured(command: Sequence[str | Path]) -> Usage:
    """Run a command to its end; raises `CommandFailed` with what it wrote to stderr."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started_s = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        try:
            with _watch_memory(process.pid) as peaks:
                _, status, usage = os.wait4(process.pid, 0)
                wall_s = time.perf_counter() - started_s
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise CommandFailed(f"{command[0]} ended with exit code {process.returncode}:\n{_content(errors)[-2000:]}")
        peak_mib = max(peaks, default=0.0) if (PROC / "self/smaps_rollup").exists() else None
        cpu_s, disk_mib = usage.ru_utime + usage.ru_stime, usage.ru_inblock * DISK_BLOCK_BYTES / 2**20
        return Usage(wall_s, cpu_s, peak_mib, disk_mib, _content(output))


def tree_memory_mib(root: int) -> float:
    """PSS of a process and all its descendants; one that ends meanwhile counts nothing."""
    children = defaultdict(list)
    for pid, parent in _parents():
        children[parent].append(pid)
    total, waiting = 0.0, [root]
    while waiting:
        pid = waiting.pop()
        waiting += children[pid]
        total += _memory_mib(pid)
    return total


@contextmanager
def _watch_memory(root: int) -> Iterator[list[float]]:
    """A list that grows while the block runs."""
    peaks: list[float] = []
    done = Event()

    def sample() -> None:
        while not done.wait(INTERVAL_S):
            peaks.append(tree_memory_mib(root))

    watcher = Thread(target=sample, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        done.set()
        watcher.join()


def _parents() -> Iterator[tuple[int, int]]:
    """Every process with its parent."""
    for name in os.listdir(PROC):  # noqa: PTH208 (five times a second: a Path for each process would cost)
        if name.isdigit():
            try:
                stat = (PROC / name / "stat").read_bytes()
            except OSError:
                continue
            # The name, in parentheses, may hold anything; behind it come the state and the parent.
            yield int(name), int(stat.rpartition(b")")[2].split()[1])


def _memory_mib(pid: int) -> float:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_bytes().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(b"Pss:")) / 1024


def _content(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
