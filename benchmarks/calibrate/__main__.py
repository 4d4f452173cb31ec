"""See the package's text."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.calibrate.candidates import (
    Candidate,
    find_candidates,
    other_takes,
    still_pairs,
    unrelated,
    with_geometry,
)
from benchmarks.calibrate.check import check
from benchmarks.calibrate.corpus import Read, read_corpus
from benchmarks.calibrate.fit import TooFew, fit_geometry, fit_segments, fit_stills
from benchmarks.calibrate.negatives import without_copies
from benchmarks.calibrate.plot import draw_reliability
from benchmarks.machine import ROOT, git_commit, package_versions
from benchmarks.results import FOLDER, write_results
from vcd.align import make_aligner, rescore
from vcd.align.calibration import FOLDER as PARAMETERS
from vcd.align.calibration import parse_calibration
from vcd.config import Config, load_config, parse_config
from vcd.errors import VcdError
from vcd.model import Model

KEPT = ROOT / "benchmarks" / ".kept"
ROUNDS = 2
"""Fits: which of two segments for one copy stays depends on the scores."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    config = load_config(options.config)
    if options.model:
        config = parse_config({"describe": {"model": options.model}}, "the command line", config)
    began_s = time.monotonic()
    try:
        dev = [read_corpus(folder, config, options.keep, options.workers) for folder in options.dev]
        test = read_corpus(options.test, config, options.keep, options.workers)
        _tell(f"read in {time.monotonic() - began_s:.0f} s")
        fitted, parameters = calibrate(dev, config, options)
        checked = verify_and_check(test, fitted, config, options)
    except (VcdError, TooFew) as error:
        sys.exit(f"benchmarks.calibrate: {error}")
    name = fitted.card.name
    write_results(options.parameters / f"{name}.json", parameters)
    about = {"model": fitted.card.identity, "dev": [str(folder) for folder in options.dev], "test": str(options.test),
             "when": datetime.now(UTC).isoformat(timespec="seconds"), "config": config.digest,
             "versions": package_versions(), **git_commit()}  # fmt: skip
    write_results(options.results / f"calibration-{name}.json", {"made_with": about, **checked})
    (options.results / f"calibration-{name}.png").write_bytes(draw_reliability(name, checked))
    _tell(f"done in {time.monotonic() - began_s:.0f} s; {json.dumps(_summary(checked))}")


def calibrate(dev: Sequence[Read], config: Config, options: argparse.Namespace) -> tuple[Model, dict[str, Any]]:
    """The model with fitted parameters, and these as they are written."""
    model = Model.of(config)
    floor = round(float(np.quantile(np.concatenate([unrelated(one, model, config) for one in dev]), 0.99)), 4)
    model = _with(model, {**_as_values(model), "unrelated_similarity": floor}, config)
    pairs = [still_pairs(one, model, config) for one in dev]
    similarities, still_true = (np.concatenate(part) for part in zip(*pairs, strict=True))
    values = _as_values(model)
    values["still"] = fit_stills(np.clip((similarities - floor) / (1 - floor), 0, 1), still_true)
    hard = [candidate for one in dev for candidate in without_copies(one, model, config)]
    for _ in range(ROUNDS):
        candidates = [find_candidates(one, model, config) for one in dev]
        natural = [candidate for some in candidates for candidate in some]
        values["segment"] = fit_segments([*natural, *hard])
        model = _with(model, values, config)
    seen = [c for one, some in zip(dev, candidates, strict=True) for c in _seen(one, some, model, config, options)]
    try:
        values["geometry"] = fit_geometry(seen)
    except TooFew as error:
        _tell(f"the parameters of local features stay as they are: {error}")
    model = _with(model, values, config)
    true = sum(c.true for c in natural)
    values["fitted_on"] = {"corpus": ", ".join(one.folder.name for one in dev), "true": true,
                           "false": len(natural) - true, "false_without_the_copied": len(hard),
                           "with_geometry": len(seen), "model": model.card.identity}  # fmt: skip
    return model, {"model": model.card.name, **values}


def _seen(
    dev: Read, candidates: Sequence[Candidate], model: Model, config: Config, options: argparse.Namespace
) -> list[Candidate]:
    """Candidates whose pictures were compared, the true ones also with another moment of their reference."""
    seen = with_geometry(dev, [_rescored(c, model) for c in candidates], config, options.verify, options.workers)
    as_it_is = replace(config, align=replace(config.align, refine=False))
    return seen + with_geometry(dev, other_takes(seen, dev), as_it_is, options.verify // 3, options.workers)


def verify_and_check(test: Read, model: Model, config: Config, options: argparse.Namespace) -> dict[str, Any]:
    """The check of scores from evidence alone, and of those that the default settings show: verified where grey."""
    candidates = find_candidates(test, model, config)
    low, high = config.verify.grey_from, config.verify.grey_to
    grey = [c for c in candidates if low <= c.segment.score <= high]
    seen = {id(c.segment): c for c in grey}
    looked = with_geometry(test, grey, config, len(grey), options.workers)
    by_spans = {_spans(c): _rescored(c, model) for c in looked}
    final = [by_spans.get(_spans(c), c) if id(c.segment) in seen else c for c in candidates]
    return {"evidence_alone": check(candidates, test), "as_shown": check(final, test)}


def _spans(candidate: Candidate) -> tuple[Any, ...]:
    s = candidate.segment
    return s.query, s.reference, s.query_span, s.reference_span, s.mirrored


def _rescored(candidate: Candidate, model: Model) -> Candidate:
    return replace(candidate, segment=rescore(candidate.segment, model.calibration))


def _as_values(model: Model) -> dict[str, Any]:
    parts = ("segment", "still", "geometry")
    found: dict[str, Any] = {"unrelated_similarity": model.calibration.unrelated_similarity}
    for part in parts:
        logistic = getattr(model.calibration, part)
        found[part] = {"intercept": logistic.intercept, "weights": dict(logistic.weights)}
    return found


def _with(model: Model, values: dict[str, Any], config: Config) -> Model:
    calibration = parse_calibration(model.card.name, values)
    return replace(model, calibration=calibration, aligner=make_aligner(config.align, calibration.unrelated_similarity))


def _summary(checked: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {key: part[key] for key in ("true", "false", "ece", "least_score_with_precision_99")}
        for name, part in checked.items()
    }


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibrate")
    parser.add_argument("dev", type=Path, nargs="+", help="corpora to fit on")
    parser.add_argument("test", type=Path, help="corpus to check on")
    parser.add_argument("--model", help="a built-in model or a model card; default: what the settings say")
    parser.add_argument("--config", help="a preset or a TOML file")
    parser.add_argument("--verify", type=int, default=120, help="segments of each dev whose pictures are compared")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--keep", type=Path, default=KEPT, help="folder for what was read, for the next fit")
    parser.add_argument("--parameters", type=Path, default=PARAMETERS, help="folder for the parameters")
    parser.add_argument("--results", type=Path, default=FOLDER, help="folder for the check and its plot")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
