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
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np

from benchmarks.machine import git_commit, load_average, machine_facts, package_versions
from benchmarks.results import FOLDER, read_results, write_results
from benchmarks.scale import generate
from vcd.align import make_aligner
from vcd.config import Config, LibraryConfig
from vcd.library import Library, LibraryWriter
from vcd.library.merge import merge
from vcd.search import find_candidates

UNRELATED_SIMILARITY = 0.5
"""Of the generated vectors: 99 of 100 pairs of frames of different topics are less alike."""
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


def build(folder: Path, config: Config, videos: int) -> dict[str, Any]:
    """An empty folder becomes a library with an index; CPU seconds do not depend on who else uses the machine."""
    made_by = ("generated", generate.DIMENSION, {"mode": "uniform", "gap_s": generate.GAP_S})
    with LibraryWriter.open_or_create(folder, config.library, *made_by) as writer:
        merge(writer, map(generate.piece, range(videos)))
        begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
        writer.update_index()
    taken_s, cpu_s = time.perf_counter() - begin_s, time.process_time() - begin_cpu_s
    frames = videos * generate.FRAMES_A_VIDEO
    return {"index_vectors_per_s": round(frames / taken_s, 1), "index_vectors_per_cpu_s": round(frames / cpu_s, 1)}


def ask(folder: Path, config: Config, videos: int, queries: int) -> dict[str, Any]:
    """Open the library, then ask; `found` is the share of queries whose copied stretch is among the answers."""
    before_bytes = _memory_bytes()
    begin_s = time.perf_counter()
    library = Library(folder, config.library)
    library.load()
    opened_s = time.perf_counter() - begin_s
    aligner = make_aligner(config.align, UNRELATED_SIMILARITY)
    taken_s, found = [], 0
    for seed in range(queries):
        asked = generate.query(seed, videos)
        begin_s = time.perf_counter()
        weighed, candidates = find_candidates(asked.descriptors, library, config.search, UNRELATED_SIMILARITY)
        taken_s.append(time.perf_counter() - begin_s)
        for matches in candidates:
            reference = library.descriptors(matches.media_id)
            if reference is not None and reference.name == asked.source:
                found += any(
                    _overlap_s(segment.reference_span, asked.starts_s) > 15
                    for segment in aligner.align(weighed, reference, matches)
                )
    p50_s, p95_s = np.percentile(taken_s, [50, 95])
    return {
        "opened_s": round(opened_s, 3), "memory_bytes": _memory_bytes() - before_bytes, "found": found / queries,
        "search_p50_s": round(float(p50_s), 4), "search_p95_s": round(float(p95_s), 4),
    }  # fmt: skip


def _overlap_s(span: Any, starts_s: float) -> float:
    copied_s = generate.COPIED_TO_S - generate.COPIED_FROM_S
    return float(min(span.end_s, starts_s + copied_s) - max(span.start_s, starts_s))


def add(folder: Path, config: Config, videos: int, added: int) -> dict[str, Any]:
    """Store so many videos one by one, as `vcd index` does, then bring the index up to them."""
    begin_s = time.perf_counter()
    with LibraryWriter(folder, config.library) as writer:
        for seed in range(videos, videos + added):
            writer.add(generate.video(seed), Path("/generated"), f"{seed}", Path(__file__).stat(), replaces=None)
        stored_s = time.perf_counter() - begin_s
        writer.update_index()
    return {"add_stored_s": round(stored_s, 2), "add_indexed_s": round(time.perf_counter() - begin_s - stored_s, 2)}


def _memory_bytes() -> int:
    """Resident memory of this process now."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) * 1024


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
