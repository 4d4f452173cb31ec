"""The video benchmark, step by step; each step leaves one result file, and a finished one is not done again."""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, git_commit, load_average, machine_facts, package_versions
from benchmarks.peers.vpdq import HashedVideo, hash_video, shares_matched
from benchmarks.results import read_results, write_results
from benchmarks.videos.ask import Places, answer_as_dict
from benchmarks.videos.extract import extract_all, in_order, run_each
from benchmarks.videos.folder import Corpus, hours, save_rows
from benchmarks.videos.measures import measure
from benchmarks.videos.methods import METHODS
from benchmarks.videos.product import build_library, run_preset
from benchmarks.videos.scaling import measure_scaling
from benchmarks.videos.stages import cost_of_stages
from vcd.evaluate import Row
from vcd.library import is_library
from vcd.types import Span

SHAPING = ("vcd/**/*.py", "vcd/**/*.onnx", "configs/*.toml", "benchmarks/peers/*.py", "benchmarks/videos/*.py")
"""Files that decide what a step finds."""
PRESETS = {True: ("fast", "default"), False: ("fast", "default", "thorough")}
"""Quick or not, like all of these."""
CANDIDATES = {True: 10, False: 30}
SIZES = {True: [1_000, 3_000, 10_000], False: [3_000, 10_000, 30_000, 100_000, 300_000]}
PACKAGES = ("imagehash", "pdqhash")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Steps:
    """Where results go, what they are of, and how to make each."""

    corpus: Corpus
    work: Path
    """Libraries, descriptors and rows; may be deleted, and is made again."""
    results: Path
    quick: bool
    tell: Tell

    def run(self) -> None:
        """Everything that is not there yet."""
        state = self.state
        if (marker := self.work / "state").exists() and marker.read_text(encoding="utf-8") != state:
            self.tell("the corpus or the code is another one than before: starting anew")
            shutil.rmtree(self.work)
        self.work.mkdir(parents=True, exist_ok=True)
        marker.write_text(state, encoding="utf-8")
        self.step("corpus", self.describe_corpus)
        for preset in PRESETS[self.quick]:
            self.step(f"vcd-{preset}", lambda preset=preset: self.product(preset))
        self.ask_methods()
        self.step("vpdq", self.vpdq)
        for preset in PRESETS[self.quick]:
            self.step(f"stages-{preset}", lambda preset=preset: self.stages(preset))
        self.step("scaling", lambda: {"points": measure_scaling(SIZES[self.quick])})

    @cached_property
    def state(self) -> str:
        """Changes when results may; that of the code as it was when this began."""
        return f"{self.corpus.digest}-{code_digest()}-{'quick' if self.quick else 'full'}"

    @property
    def places(self) -> Places:
        names = tuple(path.name for path in self.corpus.distractors)
        return Places(self.work / "libraries", self.work / "descriptors", names)

    def step(self, name: str, make: Callable[[], Mapping[str, Any]]) -> None:
        """Make a result unless it is there, and say where it comes from."""
        if self.is_done(name):
            return
        started_s = time.perf_counter()
        found = make()
        self.save(name, found, time.perf_counter() - started_s)

    def is_done(self, name: str) -> bool:
        path = self.results / f"{name}.json"
        if done := path.exists() and read_results(path).get("state") == self.state:
            self.tell(f"{name}: is there already")
        return done

    def save(self, name: str, found: Mapping[str, Any], took_s: float) -> None:
        origin = {
            "benchmark": "videos",
            "version": 1,
            "name": name,
            "state": self.state,
            "quick": self.quick,
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            **git_commit(),
            "took_s": round(took_s, 1),
            "machine": machine_facts() | {"load_average": load_average()},
            "packages": package_versions() | package_versions(PACKAGES),
        }
        write_results(self.results / f"{name}.json", rounded(origin | dict(found)))
        self.tell(f"{name}: {took_s:.0f} s")

    def describe_corpus(self) -> dict[str, Any]:
        truth = self.corpus.truth
        return {
            "references": len(self.corpus.references),
            "distractors": len(self.corpus.distractors),
            "queries": len(self.corpus.queries),
            "queries_without_copy": len(truth.queries_without_copy),
            "copies": len(truth.copies),
            "reference_hours": hours(self.corpus.films),
            "query_hours": hours(self.corpus.queries),
            "negative_hours": hours([p for p in self.corpus.queries if p.name in set(truth.queries_without_copy)]),
            # Not which clip went where: that is long, and the corpus can be made again from its seed.
            "made_by": {name: fact for name, fact in self.corpus.facts.items() if not isinstance(fact, list)},
        }

    def product(self, preset: str) -> dict[str, Any]:
        run = run_preset(self.corpus, preset, self.places.libraries / preset, self.tell)
        facts = self._corpus_facts()
        cost = {
            "index_cpu_s_per_hour": run.index.cpu_s / facts["reference_hours"],
            "query_cpu_s_per_hour": run.query.cpu_s / facts["query_hours"],
            "index_wall_s_per_hour": run.index.wall_s / facts["reference_hours"],
            "query_wall_s_per_hour": run.query.wall_s / facts["query_hours"],
        }
        told = {"group": "vcd", "label": f"vcd {preset}", "problems": run.problems, "settings": run.settings}
        return told | {"cost": cost} | self._measured(f"vcd-{preset}", run.rows, run.threshold)

    def ask_methods(self) -> None:
        """Two at a time; each is saved as soon as it is done."""
        wanted = [name for name, method in METHODS.items() if not (self.quick and method.slow)]
        missing = [name for name in wanted if not self.is_done(name)]
        if not missing:
            return
        extract_all(self.corpus, self.places, self.tell)
        for preset in sorted({METHODS[name].preset for name in missing}):
            self.library(preset)
        tasks = [(name, (name, self.places, CANDIDATES[self.quick])) for name in missing]
        for number, found in run_each(answer_as_dict, tasks):
            self.save(missing[number], self._method(missing[number], found), found["took_s"])

    def _method(self, name: str, found: Mapping[str, Any]) -> dict[str, Any]:
        method, facts = METHODS[name], self._corpus_facts()
        read = extract_all(self.corpus, self.places, self.tell)
        side, hours_asked = read[f"queries-{method.sampling}"], facts["query_hours"]
        model = method.model or next(iter(side["describe_s_per_hour"]))
        query_s = side["decode_s_per_hour"] + side["describe_s_per_hour"][model]
        steps_s = {step: found[f"{step}_s"] / hours_asked for step in ("search", "align")}
        films, product = read["films-default"], read_results(self.results / f"vcd-{method.preset}.json")
        index_s: float = product["cost"]["index_cpu_s_per_hour"]
        if method.model:
            index_s = films["decode_s_per_hour"] + films["describe_s_per_hour"][model]
        cost = {"index_cpu_s_per_hour": index_s, "query_cpu_s_per_hour": query_s + sum(steps_s.values())}
        told = {
            "group": "peer" if method.model or method.reference_rule == "lecture" else "aligner",
            "label": method.label,
            "aligner": method.aligner,
            "model": model,
            "unrelated_similarity": found["floor"],
            "candidates": min(CANDIDATES[self.quick], method.candidates or CANDIDATES[self.quick]),
            "steps_s_per_hour": steps_s,
        }
        threshold = read_results(self.results / "vcd-default.json")["threshold"] if name in OWN_SCORE else None
        return told | {"cost": cost} | self._measured(name, found["rows"], threshold)

    def vpdq(self) -> dict[str, Any]:
        """A row for each pair that shares a hash: from 0 to the end on both sides, as vPDQ gives no times."""
        started_s = time.process_time()
        paths = [*self.corpus.films, *self.corpus.queries]
        timed = in_order(timed_hashes, [(path.name, (path,)) for path in paths])
        hashed = {video.name: (video, took_s) for video, took_s in timed}
        facts, rows = self._corpus_facts(), []
        films = [hashed[path.name][0] for path in self.corpus.films]
        for path in self.corpus.queries:
            query = hashed[path.name][0]
            for film in films:
                share = shares_matched(query, film)[0]
                if share > 0:
                    spans = Span(0, query.duration_s), Span(0, film.duration_s)
                    rows.append(Row(query.name, film.name, *spans, share))
        match_s = time.process_time() - started_s
        read_s = {side: sum(hashed[path.name][1] for path in files) for side, files in
                  (("index", self.corpus.films), ("query", self.corpus.queries))}  # fmt: skip
        cost = {
            "index_cpu_s_per_hour": read_s["index"] / facts["reference_hours"],
            "query_cpu_s_per_hour": (read_s["query"] + match_s) / facts["query_hours"],
        }
        return {"group": "peer", "label": "vPDQ (no times)", "cost": cost} | self._measured(
            "vpdq", rows, None, times=False
        )

    def stages(self, preset: str) -> dict[str, Any]:
        return cost_of_stages(self.corpus, preset, self.library(preset), self.quick)

    def library(self, preset: str) -> Path:
        """The library of a preset; made again where it was deleted since the preset was measured."""
        folder = self.places.libraries / preset
        if not is_library(folder):
            build_library(self.corpus, preset, folder)
        return folder

    def _measured(self, name: str, rows: list[Row], threshold: float | None, times: bool = True) -> dict[str, Any]:
        save_rows(self.work / "rows" / f"{name}.csv", rows)
        facts = self._corpus_facts()
        hours_told = facts["reference_hours"], facts["negative_hours"]
        return measure(rows, self.corpus.truth, threshold, hours_told, times)

    def _corpus_facts(self) -> dict[str, Any]:
        return read_results(self.results / "corpus.json")


OWN_SCORE = ("vcd-samples", "exact-search")
"""Methods whose score is vcd's, of vcd's segments: its default threshold holds for them."""


def timed_hashes(path: Path) -> tuple[HashedVideo, float]:
    """The hashes of a video and the processor seconds they took."""
    started_s = time.process_time()
    return hash_video(path), time.process_time() - started_s


def code_digest(root: Path = ROOT) -> str:
    """Of all that decides what a step finds."""
    digest = hashlib.sha256()
    for path in _shaping(root):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _shaping(root: Path) -> Iterator[Path]:
    for pattern in SHAPING:
        yield from sorted(root.glob(pattern))


def rounded(value: Any) -> Any:
    """Floats to six digits behind the point, and None where there is no number, which JSON lacks."""
    if isinstance(value, float):
        return round(value, 6) if value == value else None
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value
