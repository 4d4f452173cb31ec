"""python -m benchmarks.fuzz N --seed S: N damaged files are indexed; every one must be accounted for.

Real small files of every container are damaged by chance (`tests.made_mutated`) and given to `vcd index` in batches,
with its worker processes and limits. The run fails when a batch raises, when a file is in neither the library nor the
problems, when one takes longer than the limit allows, or when the library is not sound afterwards. Files that crash,
hang or flood their worker, or raise an error that nobody foresaw, are what a fuzz run looks for: they are counted, and
kept with --keep. A long run can be done in pieces: --resume goes on after the files of the result that is there.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import git_commit, load_average, machine_facts, package_versions
from benchmarks.results import FOLDER, write_results
from tests.made_mutated import make_mutants, make_originals
from vcd.config import Config, LibraryConfig, parse_config
from vcd.library.check import check_library
from vcd.pipeline import Indexed, index

BATCH = 500
TIMEOUT_S, MEMORY_MB = 30, 1024
FINDINGS = {
    "crashed": "crashed the process",
    "hung": "took longer than",
    "flooded": "needs more memory",
    "not foreseen": "did not foresee",
}
"""Reasons that no file should have, by the words that tell them."""


class LostFiles(AssertionError):
    """The promise of `index` is broken."""


@dataclass(slots=True)
class Tally:
    """What became of the files so far."""

    files: int = 0
    indexed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    findings: list[dict[str, str]] = field(default_factory=list)
    slowest_batch_s: float = 0.0
    took_s: float = 0.0
    commits: list[str] = field(default_factory=list)
    """What was fuzzed: more than one where the run was done in pieces."""

    @classmethod
    def of(cls, results: dict[str, Any]) -> "Tally":
        """What an earlier piece of the run came to."""
        return cls(
            files=results["files"],
            indexed=results["indexed"],
            reasons=Counter(results["reasons"]),
            findings=results["examples"],
            slowest_batch_s=results["slowest_batch_s"],
            took_s=results["took_s"],
            commits=results.get("commits", [results["commit"]]),
        )

    def count(self, paths: Sequence[Path], done: Indexed, took_s: float) -> None:
        """Raises `LostFiles` when a file is missing from the outcome, or is there twice."""
        seen = sorted([*done.added, *(Path(problem.path).name for problem in done.problems)])
        if seen != sorted(path.name for path in paths):
            raise LostFiles(f"not accounted for exactly once: {set(seen) ^ {path.name for path in paths}}")
        self.files += len(paths)
        self.indexed += len(done.added)
        self.slowest_batch_s = max(self.slowest_batch_s, took_s)
        for problem in done.problems:
            self.reasons[re.sub(r"\d[\d.]*", "N", problem.reason.partition(":")[0])] += 1
            for kind, words in FINDINGS.items():
                if words in problem.reason:
                    found = {"file": Path(problem.path).name, "kind": kind, "reason": problem.reason}
                    self.findings.append(found)


def settings(lenient: bool) -> Config:
    """`lenient`: what is left of a broken file is decoded as well, instead of being refused."""
    media = {"timeout_s": TIMEOUT_S, "memory_mb": MEMORY_MB, "accept_truncated": lenient}
    return parse_config({"media": media, "describe": {"model": "regional-dct"}}, "fuzz")


def run_batch(originals: list[Path], folder: Path, first: int, count: int, seed: int, tally: Tally) -> list[Path]:
    """Damage, index and check `count` files from number `first` on; the files, still there."""
    media, library = folder / "media", folder / "library"
    media.mkdir()
    paths = make_mutants(originals, media, count, seed, first)
    started_s = time.monotonic()
    done = index([media], library, settings(lenient=first // BATCH % 2 == 1))
    tally.count(paths, done, time.monotonic() - started_s)
    if library.exists() and (faults := check_library(library, LibraryConfig())):
        raise LostFiles(f"the library is not sound: {faults}")
    return paths


def fuzz(count: int, seed: int, keep: Path | None, minutes: float | None, tally: Tally) -> None:
    """Counts files up to number `count`, from where the tally stands; no batch begins after so many minutes."""
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        whole = Path(name, "whole")
        whole.mkdir()
        originals = make_originals(whole)
        for first in range(tally.files, count, BATCH):
            if minutes is not None and time.monotonic() - started_s > 60 * minutes:
                break
            folder = Path(name, f"batch{first}")
            folder.mkdir()
            before = len(tally.findings)
            paths = run_batch(originals, folder, first, min(BATCH, count - first), seed, tally)
            _keep({found["file"] for found in tally.findings[before:]}, paths, keep)
            shutil.rmtree(folder)
            print(f"{tally.files} files, {tally.indexed} indexed, {len(tally.findings)} findings", file=sys.stderr)


def _keep(names: set[str], paths: Sequence[Path], keep: Path | None) -> None:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        for path in paths:
            if path.name in names:
                shutil.copy(path, keep)


def summary(tally: Tally, seed: int, load_before: list[float]) -> dict[str, Any]:
    """What the result file says."""
    return {
        "benchmark": "fuzz",
        "command": f"python -m benchmarks.fuzz {tally.files} --seed {seed}",
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **git_commit(),
        "commits": tally.commits,
        "machine": machine_facts() | {"load_average_before": load_before, "load_average_after": load_average()},
        "packages": package_versions(),
        "limits": {"timeout_s": TIMEOUT_S, "memory_mb": MEMORY_MB},
        "files": tally.files,
        "indexed": tally.indexed,
        "refused": tally.files - tally.indexed,
        "lost": 0,  # else there are no results
        "findings": {kind: sum(found["kind"] == kind for found in tally.findings) for kind in FINDINGS},
        "examples": tally.findings,
        "reasons": dict(tally.reasons.most_common()),
        "took_s": round(tally.took_s, 1),
        "slowest_batch_s": round(tally.slowest_batch_s, 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=10_000, help="damaged files (10000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the files that crash, hang, flood or surprise")
    parser.add_argument("--minutes", type=float, help="stop after about so long")
    parser.add_argument("--output", type=Path, default=FOLDER / "fuzz.json")
    parser.add_argument("--resume", action="store_true", help="go on with the run whose result is the output file")
    options = parser.parse_args(arguments)
    tally = Tally()
    if options.resume:
        earlier = json.loads(options.output.read_text(encoding="utf-8"))
        if not earlier["command"].endswith(f"--seed {options.seed}"):
            parser.error(f"{options.output} is of another seed: {earlier['command']}")
        tally = Tally.of(earlier)
    os.nice(10)
    load_before, started_s = load_average(), time.monotonic()
    fuzz(options.count, options.seed, options.keep, options.minutes, tally)
    tally.took_s += time.monotonic() - started_s
    tally.commits = list(dict.fromkeys([*tally.commits, git_commit()["commit"]]))
    write_results(options.output, summary(tally, options.seed, load_before))


if __name__ == "__main__":
    main()
