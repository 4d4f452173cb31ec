"""A plan -> files. A file that is there is kept; one that is not whole has another name."""

import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpus.clips import NoMaterial
from benchmarks.corpus.plan import Plan
from benchmarks.corpus.programmes import Programme
from benchmarks.corpus.queries import Query
from benchmarks.corpus.truth import rows, table
from benchmarks.edits import FRAMES_PER_S, Edited, Size, make_film, steps
from benchmarks.edits.ffmpeg_run import join, write_film
from benchmarks.machine import package_versions, usable_cores
from benchmarks.results import write_whole
from vcd.demo.films import render_film

PACKAGES = ("av", "ffmpeg-python", "imageio-ffmpeg", "numpy", "pillow", "vcd")
REFERENCE = {"preset": "ultrafast", "crf": 25, "g": 250}
MARK = ".plan"


def build(plan: Plan, folder: Path, about: dict[str, Any], tell: Callable[[str], None]) -> None:
    """Make everything that is not there yet, then the truth, then what the corpus is.

    Raises `NoMaterial` where the folder holds a corpus of another plan.
    """
    _claim(plan, folder, about)
    with ThreadPoolExecutor(usable_cores()) as pool:
        # Threads: drawing and encoding happen outside Python.
        tell(f"{len(plan.recipes)} drawn films")
        _wait(pool.map(lambda path: path.exists() or render_film(path, plan.recipes[path]), plan.recipes))
        programmes = (*plan.references, *plan.distractors)
        tell(f"{len(programmes)} references")
        _wait(pool.map(lambda one: _render(one, plan.size), sorted(programmes, key=lambda one: -one.frames)))
        tell(f"{len(plan.queries)} queries")
        edited = list(pool.map(lambda query: _edit(query, plan, folder / "queries"), plan.queries))
    found = [row for query, film in zip(plan.queries, edited, strict=True) for row in rows(query, film, programmes)]
    write_whole(folder / "truth.csv", table(found))
    write_whole(folder / "corpus.json", json.dumps({**about, **facts(plan)}, indent=1) + "\n")


def _wait(done: Iterable[object]) -> None:
    for _ in done:
        pass


def _claim(plan: Plan, folder: Path, about: dict[str, Any]) -> None:
    """Leave a mark of the plan, or find the same one."""
    made_of = {name: value for name, value in {**about, **facts(plan)}.items() if name != "versions"}
    mark = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
    left = folder / MARK
    if left.exists() and left.read_text(encoding="utf-8") != mark:
        raise NoMaterial(f"{folder} holds another corpus; name another folder, or delete it")
    write_whole(left, mark)


def _render(programme: Programme, size: Size) -> None:
    if not programme.path.exists():
        write_film(join(programme.takes, size), programme.path, **REFERENCE)


def _edit(query: Query, plan: Plan, folder: Path) -> Edited:
    random = np.random.default_rng([query.seed, 2])
    return make_film(
        folder / query.name, query.pieces, query.film_edit, query.strength, query.seed,
        lambda frames: plan.other.take(frames, random), plan.size, keep=True,
    )  # fmt: skip


def facts(plan: Plan) -> dict[str, Any]:
    """What the corpus holds, for those who read its results."""
    programmes = (*plan.references, *plan.distractors)
    return {
        "versions": package_versions(PACKAGES),
        "hours_of_reference": round(sum(one.frames for one in programmes) / FRAMES_PER_S / 3600, 4),
        "query_minutes": round(
            sum(piece.frames for one in plan.queries for piece in one.pieces) / FRAMES_PER_S / 60, 2
        ),
        "hard_negatives": [one.name for one in plan.queries if one.kind in ("same-clip", "same-source")],
        "references": [_programme_facts(one) for one in programmes],
        "queries": [_query_facts(one) for one in plan.queries],
    }


def _programme_facts(programme: Programme) -> dict[str, Any]:
    takes = [
        {
            "at_s": first / FRAMES_PER_S,
            "file": take.path.name,
            "start_s": float(take.start_s),
            "seconds": take.frames / FRAMES_PER_S,
        }
        for take, first in zip(programme.takes, programme.starts, strict=True)
    ]
    return {
        "name": programme.name,
        "style": programme.style,
        "seconds": programme.frames / FRAMES_PER_S,
        "takes": takes,
    }


def _query_facts(query: Query) -> dict[str, Any]:
    pieces = [
        {
            "file": one.path.name,
            "start_s": float(one.start_s),
            "seconds": one.frames / FRAMES_PER_S,
            "copied": one.copied,
        }
        for one in query.pieces
    ]
    done = steps(query.film_edit, query.seed) if query.film_edit else ()
    return {
        "name": query.name, "kind": query.kind, "edit": query.edit, "strength": query.strength, "steps": list(done),
        "seed": query.seed, "pieces": pieces,
    }  # fmt: skip
