"""Measure a model's network on each engine and in each precision, in turns, and write the ratios as JSON.

Every round measures all of them, so that a machine that becomes slower or faster meanwhile does so for all; a ratio
compares two measurements of one round.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.engines.rounds import Speed, Way, agreement, made_pictures, measure, vectors
from benchmarks.images.corpus import default_data
from benchmarks.images.stored import read_items
from benchmarks.machine import git_commit, load_average, machine_facts, usable_cores
from benchmarks.results import FOLDER, write_results
from vcd.describe import load_card
from vcd.describe.engines import ENGINES, make_engine
from vcd.describe.export import card_toml
from vcd.describe.quantize import quantize
from vcd.errors import MissingExtra, SetupError, VcdError
from vcd.types import Picture

STANDARD = ("onnxruntime", "fp32")
"""What the others are compared with."""
PRECISIONS = ("fp32", "bf16", "int8")
CALIBRATION = 200
"""Pictures that the ranges of an int8 network are taken from."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    try:
        with TemporaryDirectory() as folder:
            card, int8 = with_int8(options.card, Path(folder), calibration_pictures(options.calibrate))
            results = benchmark(card, options.rounds, options.batch, options.seconds, options.pictures)
    except VcdError as error:
        sys.exit(str(error))
    results["int8_weights"] = int8
    write_results(options.output, results)
    for row in results["medians"]:
        print(f"{row['way']:<24}{row['describe_per_s']:>9.1f}/s {row['describe_ratio']:>7.2f} x  {row['name']}")
    print(options.output)


def benchmark(card: Path, rounds: int, batch: int, for_s: float, pictures: int) -> dict[str, Any]:
    """The content of the result file. Raises `VcdError` when the model cannot be run at all."""
    facts = load_card(str(card))
    there, left_out = find_ways(card)
    exact = vectors(card, *STANDARD, pictures)
    load_before = load_average()
    found: list[tuple[int, Way, Speed]] = []
    for number in range(rounds):
        for way in there if number % 2 == 0 else reversed(there):
            print(f"round {number + 1} of {rounds}: {way.name}, {describe_way(way)}", file=sys.stderr, flush=True)
            found.append((number, way, measure(card, way, batch, for_s)))
    kinds = dict.fromkeys((way.engine, way.precision) for way in there)
    return {
        "machine": machine_facts() | {"load_before": load_before, "load_after": load_average()},
        "versions": {name: _version(name) for name in ("onnxruntime", "openvino", "numpy", "opencv-python-headless")},
        "code": git_commit(),
        "model": {"identity": facts.identity, "input_px": facts.input_px, "description": facts.description},
        "method": {"rounds": rounds, "batch": batch, "seconds_each": for_s, "pictures_compared": pictures},
        "left_out": left_out,
        "agreement": [
            {"name": f"{engine} {precision}", **agreement(vectors(card, engine, precision, pictures), exact)}
            for engine, precision in kinds
        ],
        "medians": summarise(found),
        "runs": [{"round": number, **asdict(way), **asdict(speed)} for number, way, speed in found],
    }


def with_int8(path: Path, folder: Path, pictures: Sequence[Picture]) -> tuple[Path, str]:
    """A card like the one at `path` that has int8 weights, and where those are from.

    Where it has none they are made in `folder`, if that can be done here.
    """
    card = load_card(str(path))
    if card.int8_weights or card.needs_torch or not card.weights:
        return path, "the model's own"
    for name, _ in card.files:
        (folder / name).symlink_to(card.path(name).resolve())
    target = folder / f"{path.stem}.int8.onnx"
    try:
        quantize(card, target, pictures)
    except MissingExtra as error:
        return path, f"none: {error}"
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    made = folder / path.name
    made.write_text(card_toml(replace(card, int8_weights=target.name, int8_sha256=digest)), encoding="utf-8")
    return made, f"made for this run, calibrated on {len(pictures)} pictures; not shipped"


def calibration_pictures(items: Path | None) -> Sequence[Picture]:
    """From a Parquet file or folder; made ones where there is none."""
    if items is None or not items.exists():
        return made_pictures(CALIBRATION)
    found = read_items(items)
    return [item.picture() for item in found[:: max(1, len(found) // CALIBRATION)]][:CALIBRATION]


def find_ways(card: Path) -> tuple[list[Way], dict[str, str]]:
    """What can be measured here, and why the rest cannot."""
    cores = usable_cores()
    facts = load_card(str(card))
    there: list[Way] = []
    left_out: dict[str, str] = {}
    for engine in ENGINES:
        for precision in PRECISIONS:
            try:
                make_engine(facts, engine, precision)  # type: ignore[arg-type]
            except SetupError as error:
                left_out[f"{engine} {precision}"] = str(error)
            else:
                there += [Way(engine, precision, *split) for split in dict.fromkeys([(1, cores), (cores, 1)])]
    return there, left_out


def summarise(found: Sequence[tuple[int, Way, Speed]]) -> list[dict[str, Any]]:
    """Medians over the rounds for each way, fastest first; ratios to the standard in the same round and split."""
    standard = {
        (number, way.processes): speed for number, way, speed in found if (way.engine, way.precision) == STANDARD
    }
    rows = []
    for wanted in dict.fromkeys(way for _, way, _ in found):
        mine = [(number, speed) for number, way, speed in found if way == wanted]
        pairs = [(speed, standard[number, wanted.processes]) for number, speed in mine]
        rows.append(
            {
                "name": describe_way(wanted),
                "way": wanted.name,
                "load_s": round(median(speed.load_s for speed, _ in pairs), 3),
                "network_per_s": round(median(speed.network_per_s for speed, _ in pairs), 1),
                "network_ratio": round(median(speed.network_per_s / base.network_per_s for speed, base in pairs), 3),
                "describe_per_s": round(median(speed.describe_per_s for speed, _ in pairs), 1),
                "describe_ratio": round(median(speed.describe_per_s / base.describe_per_s for speed, base in pairs), 3),
            }
        )
    return sorted(rows, key=lambda row: (row["name"], -row["describe_ratio"], row["way"]))


def describe_way(way: Way) -> str:
    return f"{way.processes} x {way.threads} threads"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("card", type=Path, help="a model card beside an ONNX file")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--batch", type=int, default=32, help="pictures at once (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement (default: %(default)g)")
    parser.add_argument("--pictures", type=int, default=200, help="whose vectors are compared (default: %(default)s)")
    parser.add_argument(
        "--calibrate", type=Path, default=default_data() / "train" / "train-00.parquet", metavar="PICTURES",
        help="Parquet file or folder of pictures to make int8 weights with (default: %(default)s, else made ones)",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, default=FOLDER / "engines.json", help="default: %(default)s")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
