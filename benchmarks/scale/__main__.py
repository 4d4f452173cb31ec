"""Build a library of generated vectors, ask it, add to it, and write what that took as JSON.

    python -m benchmarks.scale --frames 300000      # minutes; 3000000 and 13000000 take an hour and more

Every part runs in a process of its own, so that its memory is its own. Vectors are found by the stages that a query
runs: search of candidates, then alignment, with the default settings.
"""

import argparse
import multiprocessing
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from benchmarks.machine import git_commit, load_average, machine_facts, package_versions
from benchmarks.results import FOLDER, read_results, write_results
from benchmarks.scale import generate
from benchmarks.scale.tasks import add, ask, build
from vcd.config import Config, LibraryConfig

KINDS = get_args(get_type_hints(LibraryConfig)["index"])


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        found = measure(Path(name) / "library", options.frames, options.queries, options.added, options.index)
    before = read_results(options.output) if options.output.exists() else {"runs": []}
    others = [run for run in before["runs"] if (run["frames"], run["index"]) != (found["frames"], found["index"])]
    runs = sorted([*others, found], key=lambda run: (run["frames"], run["index"]))
    write_results(options.output, {"note": "Generated vectors; each run says its size and its load.", "runs": runs})
    for key, value in found.items():
        print(f"{key}: {value}")


def measure(folder: Path, frames: int, queries: int, added: int, index: str) -> dict[str, Any]:
    """One size: what building, asking and adding took."""
    config = replace(Config(), library=LibraryConfig(index=index))  # type: ignore[arg-type]
    videos = frames // generate.FRAMES_A_VIDEO
    load = load_average()
    return {
        "frames": videos * generate.FRAMES_A_VIDEO, "index": index, "queries": queries, "videos_added": added,
        **_apart(build, folder, config, videos),
        "disk_bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        **_apart(ask, folder, config, videos, queries),
        **_apart(add, folder, config, videos, added),
        "load_before": load, "load_after": load_average(),
        "machine": machine_facts(), "versions": package_versions(), "git": git_commit(),
    }  # fmt: skip


def _apart(task: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(task, *arguments).result()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.scale", description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, default=300_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--added", type=int, default=1000, help="videos of 50 frames")
    parser.add_argument("--index", choices=KINDS, default="hnsw")
    parser.add_argument("--folder", type=Path, help="where the library is made for the time being")
    parser.add_argument("--output", type=Path, default=FOLDER / "scale.json")
    options = parser.parse_args(arguments)
    if shutil.disk_usage(options.folder or tempfile.gettempdir()).free < options.frames * 4000:
        sys.exit("there is too little room on the disk: a frame takes up to 4 kB while an index is replaced")
    return options


if __name__ == "__main__":
    main()
