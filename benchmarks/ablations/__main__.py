"""python -m benchmarks.ablations: what each part of the descriptor is worth, on development pictures.

python -m benchmarks.ablations                pooling, depth, input size, dimension, whitening, normalisation: minutes
python -m benchmarks.ablations trained        edits and generated pictures, by short trainings; needs the extra torch
python -m benchmarks.ablations steps A.toml:1250 B.toml:7300   models of one training by step -> its accuracy
python -m benchmarks.ablations throughput     views a second that are made and trained on, on one core each; extra torch
python -m benchmarks.ablations curve          the log of the shipped model's training as a picture
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.ablations.corpus import dev_corpus, other_items
from benchmarks.ablations.curve import PICTURE, draw
from benchmarks.ablations.learnt import measure_steps
from benchmarks.ablations.pooled import measure_pooled
from benchmarks.images.corpus import Corpus, default_cache, default_data
from benchmarks.machine import ROOT, git_commit, load_average, machine_facts, package_versions, usable_cores
from benchmarks.results import FOLDER, read_results, write_results
from vcd.describe import load_card
from vcd.errors import VcdError

BACKGROUND = 3000
"""Pictures of other sources, for whitening and score normalisation."""
FOREIGN = 40
"""Queries without a copy, for each edit."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    try:
        if options.what == "curve":
            print(draw(FOLDER / "training.jsonl", read_results(options.output).get("steps", []), ROOT / PICTURE))
            return
        whole = dev_corpus(options.data, options.cache, tell)
        corpus = whole.smaller(whole.copied, FOREIGN, 0, 0)
        found = {options.what: _measure(options, corpus)}
    except (VcdError, OSError, ValueError) as error:
        sys.exit(f"benchmarks.ablations: {error}")
    before = read_results(options.output) if options.output.exists() else {}
    write_results(options.output, before | _facts(corpus) | found)
    print(options.output)


def _measure(options: argparse.Namespace, corpus: Corpus) -> Any:
    if options.what == "steps":
        return measure_steps(options.models, corpus, tell)
    if options.what == "throughput":
        from benchmarks.ablations import throughput  # torch is an extra

        others = other_items(options.data, throughput.PICTURES)
        load = load_average()
        rows = throughput.measure_throughput(others, options.cache / "ablations", tell)
        return {"rows": rows, "load_average_before": load, "machine": machine_facts()}
    if options.what == "trained":
        from benchmarks.ablations.trained import PICTURES, measure_trained  # torch is an extra

        others = other_items(options.data, PICTURES)
        return measure_trained(corpus, others, options.cache / "ablations", options.threads, tell)
    others = other_items(options.data, BACKGROUND)
    return measure_pooled(load_card(options.model), corpus, others, options.threads, tell)


def _facts(corpus: Corpus) -> dict[str, Any]:
    return {
        "benchmark": "ablations",
        "version": 1,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        **git_commit(),
        "machine": machine_facts(),
        "packages": package_versions(),
        "corpus": {
            "digest": corpus.digest,
            "copied": corpus.copied,
            "foreign": corpus.foreign,
            "references": len(corpus.references()),
            "background": BACKGROUND,
        },
    }


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    text = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablations", description=__doc__, formatter_class=text)
    add = parser.add_argument
    add("what", nargs="?", default="pooled", choices=("pooled", "trained", "steps", "throughput", "curve"))
    add("models", nargs="*", metavar="CARD.toml:STEP", help="for steps")
    add("--model", default="vcd-rmac", help="a model that vcd.train exported (default: %(default)s)")
    add("--data", type=Path, default=default_data(), help="folder with train and videos (default: %(default)s)")
    add("--cache", type=Path, default=default_cache(), help="(default: %(default)s)")
    add("--threads", type=int, default=usable_cores(), help="(default: %(default)s)")
    add("--output", type=Path, default=FOLDER / "ablations.json", help="(default: %(default)s)")
    return parser.parse_args(arguments)


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
