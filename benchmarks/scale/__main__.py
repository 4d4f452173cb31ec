"""Build libraries of generated vectors, ask them, add to them, and write what that took as JSON.

    python -m benchmarks.scale --frames 300000 3000000      # an hour and more for the first time
    python -m benchmarks.scale --frames 300000 3000000 --again ask    # the libraries are there: minutes

Libraries stay in --folder with what was measured of them, so that a part can be measured again in a quiet hour. Every
part runs in a process of its own, so that its memory is its own. Vectors are found by the stages that a query runs:
search of candidates, then alignment, with the default settings.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from benchmarks.machine import git_commit, load_average, machine_facts, package_versions
from benchmarks.results import FOLDER, read_results, write_results
from benchmarks.scale import generate
from benchmarks.scale.tasks import add, ask, build, store
from vcd.config import Config, LibraryConfig

KINDS = get_args(get_type_hints(LibraryConfig)["index"])
STEPS = ("build", "ask", "add")
BYTES_A_FRAME = 1400
"""Vectors, the largest index, and a second one while it is built."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    for frames in options.frames:
        found = measure(options, frames // generate.FRAMES_A_VIDEO)
        before = read_results(options.output) if options.output.exists() else {"runs": []}
        others = [run for run in before["runs"] if (run["frames"], run["index"]) != (found["frames"], found["index"])]
        runs = sorted([*others, found], key=lambda run: (run["frames"], run["index"]))
        write_results(options.output, {"note": "Generated vectors; each step says its load.", "runs": runs})
        for key, value in found.items():
            print(f"{key}: {value}", flush=True)


def measure(options: argparse.Namespace, videos: int) -> dict[str, Any]:
    """One size: what building, asking and adding took; steps that were measured before are not measured again."""
    config = replace(Config(), library=LibraryConfig(index=options.index))
    frames = videos * generate.FRAMES_A_VIDEO
    stored = options.folder / f"stored-{frames}"
    place = options.folder / f"{options.index}-{frames}"
    library, notes = place / "library", place / "measured.json"
    found = read_results(notes) if notes.exists() else {"frames": frames, "index": options.index}
    tasks: dict[str, Callable[[], dict[str, Any]]] = {
        "build": lambda: _apart(build, _linked(stored, library), config, frames),
        "ask": lambda: _apart(ask, library, config, videos, options.queries),
        "add": lambda: _add(library, place / "grown", config, videos, options),
    }
    for step in STEPS:
        if step not in found or step in options.again:
            _make_room(options.folder, frames if step == "build" else 0)
            if step == "build":
                _apart(store, stored, config, videos)
            load = load_average()
            found[step] = {**tasks[step](), "load_before": load, "load_after": load_average()}
            found[step] |= {"machine": machine_facts(), "versions": package_versions(), "git": git_commit()}
            write_results(notes, found)
    return found


def _add(library: Path, grown: Path, config: Config, videos: int, options: argparse.Namespace) -> dict[str, Any]:
    """To a copy, so that it can be measured again."""
    try:
        return _apart(add, _linked(library, grown), config, videos, options.added, options.queries)
    finally:
        shutil.rmtree(grown, ignore_errors=True)


def _linked(source: Path, target: Path) -> Path:
    """A copy of a library that nobody writes; it shares all files but the catalog, which alone are ever changed."""
    shutil.rmtree(target, ignore_errors=True)
    for path in source.rglob("*"):
        to = target / path.relative_to(source)
        if path.is_file() and path.name != ".lock":
            to.parent.mkdir(parents=True, exist_ok=True)
            if path.name.startswith("catalog"):
                shutil.copy2(path, to)
            else:
                os.link(path, to)
    return target


def _apart(task: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(task, *arguments).result()


def _make_room(folder: Path, frames: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < frames * BYTES_A_FRAME:
        sys.exit(f"there is too little room on the disk: {frames * BYTES_A_FRAME / 1e9:.0f} GB are needed in {folder}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.scale", description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[300_000])
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--added", type=int, default=1000, help="videos of 50 frames")
    parser.add_argument("--index", choices=KINDS, default="auto")
    parser.add_argument("--again", choices=STEPS, nargs="+", default=[], help="what is measured even if it was before")
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache" / "vcd-bench" / "scale")
    parser.add_argument("--output", type=Path, default=FOLDER / "scale.json")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
