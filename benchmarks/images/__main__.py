"""python -m benchmarks.images: edited pictures among references; accuracy by edit, size and speed of each method.

python -m benchmarks.images                            all methods, the peers too
python -m benchmarks.images --methods pdq regional-dct
python -m benchmarks.images --model CARD.toml --quick  one model of yours, in a minute
"""

import argparse
import hashlib
import importlib
import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2

from benchmarks.images.corpus import Corpus, default_cache, default_data, make_corpus, standard_plan
from benchmarks.images.edits import EDITS
from benchmarks.images.evaluate import NORMALISED_BY, measure
from benchmarks.images.methods import METHODS, Method, make_method
from benchmarks.images.rerank import Reranker
from benchmarks.images.scores import BACKGROUND_WEIGHT, PAIRS_PER_QUERY
from benchmarks.images.sheet import accuracy_sheet, cost_sheet
from benchmarks.images.views import VIEWS, VIEWS_VERSION
from benchmarks.machine import git_commit, load_average, machine_facts, package_versions
from benchmarks.results import FOLDER, read_results, write_results
from vcd.align import load_calibration
from vcd.config import Config, VerifyConfig
from vcd.describe import load_card
from vcd.errors import VcdError
from vcd.examine import find_features
from vcd.workers import usable_cores

RERANKED = {"vcd-rmac": ("", "mirrored", "parts")}
"""Methods, and their views, that are also measured with what local features say of the best references."""
RERANK_VERSION = 1
QUICK = (100, 60, 1000, 500)
"""Copies, queries without one, distractors and background pictures of the quick run."""

SLOW = ("sift-words",)
"""Begun first, so that no core waits at the end."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    cv2.setNumThreads(options.threads)
    try:
        plan = standard_plan(options.data)
        if options.pictures:
            plan = replace(plan, pictures=options.pictures)
        corpus = make_corpus(replace(plan, edits=tuple(options.edits), seed=options.seed), options.cache, tell)
        if options.quick:
            corpus = corpus.smaller(*QUICK)
        found = _measure_all(options.model or options.methods or list(METHODS), corpus, options)
    except (VcdError, OSError, ValueError) as error:
        sys.exit(f"benchmarks.images: {error}")
    results = document(corpus, found, options.quick)
    print(accuracy_sheet(results), cost_sheet(results), sep="\n\n")
    if output := options.output or (FOLDER / "images.json" if _is_whole(options) else None):
        write_results(output, results)
        tell(f"written to {output}")


def _measure_all(names: Sequence[str], corpus: Corpus, options: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each method and views; as many methods at once as there are cores, each on its own."""
    rows = [(name, views) for name in names for views in _views(make_method(name), options)]
    at_once = max(1, min(usable_cores() // options.threads, len(rows)))
    if at_once == 1:
        return [_cached(name, corpus, views, options) for name, views in rows]
    order = sorted(range(len(rows)), key=lambda row: rows[row][0] not in SLOW)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        at_once, mp_context=spawn, initializer=cv2.setNumThreads, initargs=(options.threads,)
    ) as pool:
        # By its module's name: a process that is spawned does not import what was run with -m as `__main__`.
        cached = importlib.import_module("benchmarks.images.__main__")._cached
        asked = {row: pool.submit(cached, rows[row][0], corpus, rows[row][1], options) for row in order}
        return [asked[row].result() for row in range(len(rows))]


def _views(method: Method, options: argparse.Namespace) -> tuple[str, ...]:
    """The picture alone, and what else was asked for; a quick run takes no more than a mirrored view by itself."""
    if options.views is not None:
        return ("", *options.views)
    if options.model:
        return ("",)
    return ("", *(views for views in method.views if views == "mirrored" or not options.quick))


def _is_whole(options: argparse.Namespace) -> bool:
    """Whether the numbers are those that the results file speaks of."""
    standard = options.views is None and options.edits == list(EDITS) and options.seed == 0
    return standard and not (options.model or options.methods or options.quick or options.pictures)


def document(corpus: Corpus, found: Sequence[dict[str, Any]], quick: bool) -> dict[str, Any]:
    """What is written: where it comes from, what it was measured on, and a row for each method and views."""
    return {
        "benchmark": "images",
        "version": 1,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        **git_commit(),
        "machine": machine_facts(),
        "packages": package_versions(),
        "quick": quick,
        "corpus": {
            "digest": corpus.digest,
            "copies": corpus.copied,
            "queries_without_copy": corpus.foreign,
            "references": len(corpus.references()),
            "distractors": corpus.distractors,
            "background": corpus.backgrounds,
            "edits": list(corpus.edits),
        },
        "normalised_by": NORMALISED_BY,
        "background_weight": BACKGROUND_WEIGHT,
        "methods": list(found),
    }


def _cached(name: str, corpus: Corpus, views: str, options: argparse.Namespace) -> dict[str, Any]:
    """One row of the results; measured unless an earlier run has done so."""
    method = make_method(name)
    features = options.rerank if views in RERANKED.get(method.name, ()) else None
    key = repr(
        (
            features and (features, RERANK_VERSION),
            corpus.digest,
            corpus.edits,
            method.identity,
            views and (views, VIEWS_VERSION),
            NORMALISED_BY,
            BACKGROUND_WEIGHT,
            PAIRS_PER_QUERY,
            options.threads,
        )
    )
    path = options.cache / "images" / "results" / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    label = f"{method.name} + {views}" if views else method.name
    if path.exists() and not options.again:
        tell(f"{label}: measured before")
        return read_results(path) | {"method": method.name}
    tell(f"{label}: measuring")
    load = load_average()
    measured = measure(
        method.make(corpus, options.threads), corpus, VIEWS.get(views), tell, _reranker(features, method.name, corpus)
    )
    row = {
        "method": method.name,
        "identity": method.identity,
        "views": views,
        "reranked_by": features or "",
        "scores": measured.table(),
        "bytes": round(method.bytes_a_picture(measured), 1),
        "microseconds": round(measured.microseconds, 1),
        "threads": options.threads,
        "load_average_before": load,
    }
    write_results(path, row)
    return row


def _reranker(features: str | None, model: str, corpus: Corpus) -> Reranker | None:
    if features is None:
        return None
    card = load_card(model)
    config = Config(verify=VerifyConfig(features=features))  # type: ignore[arg-type]
    return Reranker(corpus.references(), find_features(config), load_calibration(model, card.unrelated_similarity))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    text = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m benchmarks.images", description=__doc__, formatter_class=text)
    add = parser.add_argument
    add("--methods", nargs="+", metavar="NAME", help=f"some only, of {', '.join(METHODS)}, or a model card (.toml)")
    add("--model", nargs="+", metavar="CARD.toml", help="measure these models only, and print: no results file")
    add("--quick", action="store_true", help="fewer queries and distractors: compares with itself only")
    add("--edits", nargs="+", choices=list(EDITS), default=list(EDITS), metavar="EDIT")
    add("--views", nargs="*", choices=list(VIEWS), metavar="VIEWS", help=f"also with: {', '.join(VIEWS)}; or none")
    add("--data", type=Path, default=default_data(), help="folder with eval, train, videos (default: %(default)s)")
    add("--pictures", type=Path, help="a Parquet file or folder of pictures instead of those in --data")
    add("--cache", type=Path, default=default_cache(), help="(default: %(default)s)")
    add("--seed", type=int, default=0)
    add("--rerank", choices=["sift", "orb", "learned"], default="sift", help="local features that confirm vcd-rmac's")
    add("--threads", type=int, default=1, help="for the networks and OpenCV (default: %(default)s)")
    add("--again", action="store_true", help="measure anew what was measured before")
    add("--output", type=Path, help="default: benchmarks/results/images.json after a whole run, none after others")
    return parser.parse_args(arguments)


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
