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
from vcd.search import find_candidates
from vcd.types import Span

UNRELATED_SIMILARITY = 0.5
"""Of the generated vectors: 99 of 100 pairs of frames of different topics are less alike."""


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


def _overlap_s(span: Span, starts_s: float) -> float:
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
