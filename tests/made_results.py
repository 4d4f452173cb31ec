"""Results of a benchmark that was never run: every method finds more of mild edits than of hard ones."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report.results import ORDER, STRENGTHS
from benchmarks.results import write_results
from benchmarks.videos.measures import measure
from benchmarks.videos.methods import METHODS
from benchmarks.videos.run import rounded
from vcd.evaluate import Row, Truth
from vcd.types import Span

EDITS = ("crf", "bitrate", "codec", "blur", "noise", "contrast", "gamma", "gray", "frame-drop", "speed", "reverse",
         "crop", "crop-off-centre", "letterbox", "vertical", "border", "text", "subtitle", "logo", "picture-in-picture",
         "mirror", "rotate-90", "perspective", "screen", "mash-up", "chain-2", "chain-5")  # fmt: skip
SKILL = {"vcd-default": 1.15, "vcd-thorough": 1.2, "vcd-fast": 1.0, "pdq": 0.75, "phash": 0.7, "vpdq": 0.7,
         "sift-words": 0.8, "colour-histogram": 0.35, "lecture": 0.55}  # fmt: skip


def make_results(folder: Path, edits: tuple[str, ...] = EDITS, each: int = 3, silent: int = 10) -> Path:
    """Result files as a full run leaves them."""
    truth = made_truth(edits, each, silent)
    shared: dict[str, Any] = {
        "state": "made", "commit": "0" * 40, "changed": False, "date": "2026-01-01T00:00:00Z", "quick": False,
        "machine": {"cpu": "made", "cores": 2, "memory_gib": 24.0, "load_average": [0.1, 0.1, 0.1]},
        "packages": {"vcd": "0.1.0"},
    }  # fmt: skip
    facts = {"references": 12, "distractors": 8, "queries": len(truth.queries()), "queries_without_copy": silent,
             "copies": len(truth.copies), "reference_hours": 5.0, "query_hours": 2.5, "negative_hours": silent / 30,
             "made_by": {"split": "dev"}}  # fmt: skip
    write_results(folder / "corpus.json", shared | facts)
    rng = np.random.default_rng(0)
    for number, name in enumerate(ORDER):
        rows = made_rows(truth, SKILL.get(name, 0.9), 0.1 if name == "vcd-default" else 1.2, rng)
        found = measure(rows, truth, 0.5 if name.startswith("vcd") else None, (5.0, silent / 30), name != "vpdq")
        method = METHODS.get(name)
        is_vcd = method is None and name != "vpdq"
        told = {
            "group": "vcd" if is_vcd else "peer" if not method or method.model or name == "lecture" else "aligner",
            "label": method.label if method else "vPDQ (no times)" if name == "vpdq" else name.replace("-", " "),
            "aligner": method.aligner if method else "vote",
            "cost": {"index_cpu_s_per_hour": 20 * 1.4**number, "query_cpu_s_per_hour": 400 / 1.3**number},
            "steps_s_per_hour": {"search": 4.0, "align": 9.0 + number},
        }
        write_results(folder / f"{name}.json", rounded(shared | told | found))
    for preset, scale in (("fast", 0.3), ("default", 1), ("thorough", 3)):
        took_s = {"decode": 60 * scale, "describe": 21 * scale}
        asked_s = took_s | {"search": 5 * scale, "align": 14 * scale, "refine": 30.0}
        sides = {side: {"hours": 0.5, "s_per_hour": s} for side, s in (("references", took_s), ("queries", asked_s))}
        write_results(folder / f"stages-{preset}.json", shared | sides)
    points = [{"index": index, "frames": n, "reference_hours": n / 1800, "build_s": n / 2000,
               "ms_per_query_frame": n / 9e4 if index == "exact" else 0.2 + n**0.2 / 20, "recall": 1 - n / 1e8}
              for n in (3000, 10000, 30000, 100000, 300000) for index in ("exact", "hnsw")]  # fmt: skip
    write_results(folder / "scaling.json", shared | {"points": points})
    return folder


def made_truth(edits: tuple[str, ...], each: int, silent: int) -> Truth:
    copies = [
        Row(f"{edit}-{level}-{n}", f"r{n}", Span(10, 50), Span(100 * n, 100 * n + 40), edit=edit, strength=level)
        for edit in edits for level in STRENGTHS for n in range(each)
    ]  # fmt: skip
    return Truth(tuple(copies), tuple(f"none-{n}" for n in range(silent)))


def made_rows(truth: Truth, skill: float, error_s: float, rng: np.random.Generator) -> list[Row]:
    edits = sorted({copy.edit for copy in truth.copies})
    rows = []
    for copy in truth.copies:
        hardness = 0.35 * STRENGTHS.index(copy.strength) + 0.5 * edits.index(copy.edit) / len(edits)
        score = float(np.clip(skill - hardness + rng.normal(0, 0.15), 0.06, 0.999))
        if score > 0.1:
            e = rng.normal(0, error_s, 4)
            q, r = copy.query_span, copy.reference_span
            spans = Span(q.start_s + e[0], q.end_s + e[1]), Span(r.start_s + e[2], r.end_s + e[3])
            rows.append(Row(copy.query, copy.reference, *spans, score))
    false = [(query, float(rng.uniform(0.05, 0.7))) for query in truth.queries_without_copy if rng.random() < 0.8]
    return rows + [Row(query, "r0", Span(0, 9), Span(0, 9), score) for query, score in false]
