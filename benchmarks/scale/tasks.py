"""What is measured; each task runs in a process of its own."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scale import generate
from vcd.align import make_aligner
from vcd.config import Config
from vcd.library import Library, LibraryWriter
from vcd.library.merge import merge
from vcd.library.saved_index import read_manifest
from vcd.search import find_candidates
from vcd.types import Span

UNRELATED_SIMILARITY = 0.5
"""Of the generated vectors: 99 of 100 pairs of frames of different topics are less alike."""
WARM_UP = 20
"""Queries before those that are timed: a server has read its index long since."""
MADE_BY = ("generated", generate.DIMENSION, {"mode": "uniform", "gap_s": generate.GAP_S})


def store(folder: Path, config: Config, videos: int) -> dict[str, Any]:
    """A library of so many videos without an index; goes on where it was stopped."""
    with LibraryWriter.open_or_create(folder, config.library, *MADE_BY) as writer:
        held = len(writer.media())
        merge(writer, map(generate.piece, range(held, videos)))
    return {}


def build(folder: Path, config: Config, frames: int) -> dict[str, Any]:
    """The index of a library that has none; CPU seconds do not depend on who else uses the machine."""
    with LibraryWriter(folder, config.library) as writer:
        begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
        writer.update_index()
    taken_s, cpu_s = time.perf_counter() - begin_s, time.process_time() - begin_cpu_s
    return {
        "kinds": [volume.kind for volume in read_manifest(folder)], "index_s": round(taken_s, 1),
        "index_vectors_per_s": round(frames / taken_s, 1), "index_vectors_per_cpu_s": round(frames / cpu_s, 1),
        "peak_bytes": _memory_bytes("VmHWM"), "disk_bytes": _size_bytes(folder),
        "index_bytes": _size_bytes(folder / "index"),
    }  # fmt: skip


def ask(folder: Path, config: Config, videos: int, queries: int, first: int = 0) -> dict[str, Any]:
    """Open the library, then ask; `found` is the share of queries whose copied stretch is among the answers.

    Sources are the videos of seeds from `first` on. Times are of the search of candidates, the part that grows with the
    library.
    """
    before_bytes, begin_s = _memory_bytes(), time.perf_counter()
    library = Library(folder, config.library)
    library.load()
    opened_s = time.perf_counter() - begin_s
    aligner = make_aligner(config.align, UNRELATED_SIMILARITY)
    taken_s, cpu_s, found = [], [], 0
    for seed in range(-WARM_UP, queries):
        asked = generate.query(seed % 1_000_000, videos, first)
        begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
        weighed, candidates = find_candidates(asked.descriptors, library, config.search, UNRELATED_SIMILARITY)
        taken_s.append(time.perf_counter() - begin_s)
        cpu_s.append(time.process_time() - begin_cpu_s)
        for matches in candidates if seed >= 0 else ():
            reference = library.descriptors(matches.media_id)
            if reference is not None and reference.name == asked.source:
                found += any(
                    _overlap_s(segment.reference_span, asked.starts_s) > 15
                    for segment in aligner.align(weighed, reference, matches)
                )
    p50_s, p95_s = np.percentile(taken_s[WARM_UP:], [50, 95])
    return {
        "queries": queries, "opened_s": round(opened_s, 3), "first_query_s": round(taken_s[0], 4),
        "memory_bytes": _memory_bytes() - before_bytes, "found": found / queries,
        "search_p50_s": round(float(p50_s), 4), "search_p95_s": round(float(p95_s), 4),
        "search_cpu_p50_s": round(float(np.median(cpu_s[WARM_UP:])), 4),
    }  # fmt: skip


def _overlap_s(span: Span, starts_s: float) -> float:
    copied_s = generate.COPIED_TO_S - generate.COPIED_FROM_S
    return float(min(span.end_s, starts_s + copied_s) - max(span.start_s, starts_s))


def add(folder: Path, config: Config, videos: int, added: int, queries: int) -> dict[str, Any]:
    """Store so many videos one by one, as `vcd index` does, bring the index up to them, and ask for them."""
    before = {volume.index for volume in read_manifest(folder)}
    begin_s = time.perf_counter()
    with LibraryWriter(folder, config.library) as writer:
        for seed in range(videos, videos + added):
            writer.add(generate.video(seed), Path("/generated"), f"{seed}", Path(__file__).stat(), replaces=None)
        stored_s = time.perf_counter() - begin_s
        writer.update_index()
    indexed_s = time.perf_counter() - begin_s - stored_s
    volumes = read_manifest(folder)
    asked = ask(folder, config, videos + added, max(1, queries // 4), first=videos)
    return {
        "videos": added, "stored_s": round(stored_s, 2), "indexed_s": round(indexed_s, 2),
        "kinds": [volume.kind for volume in volumes],
        "volumes_kept": len(before & {volume.index for volume in volumes}), "volumes_before": len(before),
        **{name: asked[name] for name in ("found", "search_p50_s", "search_p95_s")},
    }  # fmt: skip


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _memory_bytes(what: str = "VmRSS") -> int:
    """Resident memory of this process: now, or with VmHWM at most so far."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(fields[what].split()[0]) * 1024
