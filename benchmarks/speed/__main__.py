"""python -m benchmarks.speed: seconds to index an hour of video, as ratios measured in one run."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import av

from benchmarks.machine import git_commit, load_average, machine_facts, package_versions
from benchmarks.measure import INTERVAL_S, MEMORY
from benchmarks.results import FOLDER, write_results
from benchmarks.speed.material import Material, make_material, plan_for, use_folder
from benchmarks.speed.rounds import INDEX_PRESETS, SAMPLE_S, Run, measure_help, measure_rounds, now_utc
from benchmarks.speed.summary import summarise
from benchmarks.tables import speed_table
from vcd.config import load_config
from vcd.errors import VcdError

FULL_MINUTES = 60.0
HELP_TIMES = 9


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    cache: Path = options.cache.resolve()
    whole = options.minutes == FULL_MINUTES and options.media is None
    output: Path = options.output or (FOLDER if whole else cache) / "speed.json"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        tell(f"making or reading the material in {cache}")
        material = (
            use_folder(options.media, cache) if options.media else make_material(plan_for(options.minutes), cache)
        )
        results = benchmark(material, cache, options.rounds, options.thorough)
    except (VcdError, OSError, RuntimeError) as error:
        sys.exit(f"benchmarks.speed: {error}")
    write_results(output, results)
    print(speed_table(results))
    tell(f"written to {output}")


def benchmark(
    material: Material, cache: Path, rounds: int, thorough: bool, help_times: int = HELP_TIMES
) -> dict[str, Any]:
    """Measure everything and say on what; a round takes about twice as long as one `vcd index`."""
    for problem in material.left_out:
        tell(f"left out: {problem}")
    started, code, load_before = now_utc(), git_commit(), load_average()
    if load_before[0] > 0.5:
        tell(f"the machine is not quiet (load average {load_before[0]}): trust the ratios, not the seconds")
    with tempfile.TemporaryDirectory(dir=cache, prefix="libraries-") as folder:
        runs = list(measure_rounds(material, Path(folder), rounds, thorough, tell))
    if any(run.rows == 0 for run in runs if run.what == "query"):
        tell("the query found nothing, though its clip was cut from one of the files: its time says little")
    help_s = [round(wall_s, 3) for wall_s in measure_help(help_times)]
    machine = machine_facts() | {"load_average_before": load_before, "load_average_after": load_average()}
    if git_commit() != code:
        tell("the code was changed during the run: its rounds may not measure the same thing")
        code["changed"] = True
    return {"benchmark": "speed", "version": 1, "date": started, **code} | _document(machine, material, runs, help_s)


def _document(
    machine: dict[str, object], material: Material, runs: Sequence[Run], help_s: Sequence[float]
) -> dict[str, Any]:
    presets = [preset for preset in [*INDEX_PRESETS, "thorough"] if any(run.what == preset for run in runs)]
    return {
        "machine": machine,
        "packages": package_versions(),
        "ffmpeg": {name: ".".join(map(str, numbers)) for name, numbers in av.library_versions.items()},
        "settings": {preset: load_config(preset).digest for preset in presets},
        "rounds": max(run.round for run in runs),
        "method": {
            "floor": "PyAV with skip_frame=NONKEY, one thread a file, as many processes as cores, nothing else",
            "decode": f"PyAV, every frame of the first {SAMPLE_S:g} s of each file, scaled to the hour",
            "query": "vcd query of the clip against the library that vcd index made with the default preset",
            "order": "in each round: floor, presets, query, decode; a fresh process each, files in the page cache",
            "memory": f"{MEMORY}; in runs shorter than {10 * INTERVAL_S:g} s the highest may be missed",
        },
        "material": _facts(material),
        "runs": [asdict(run) for run in runs],
        "help_s": list(help_s),
        "medians": summarise(runs) | {"help": {"wall_s": round(median(help_s), 3)}},
    }


def _facts(material: Material) -> dict[str, Any]:
    """The material without the place where it lies."""
    files = [asdict(file) | {"path": file.path.name} for file in material.files]
    size_bits = 8 * sum(file.size_bytes for file in material.files)
    return {
        "what": material.text,
        "hours": round(material.hours, 4),
        "mbit_per_s": round(size_bits / material.hours / 3.6e9, 2),
        "files": files,
        "clip_s": material.clip_s,
        "clip_of": material.clip_of,
        "left_out": len(material.left_out),
    }


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    default_cache = Path(tempfile.gettempdir(), f"vcd-speed-{os.getuid()}")
    parser.add_argument(
        "--cache", type=Path, default=default_cache, help="where the films are kept, about 3 GB (default: %(default)s)"
    )
    parser.add_argument("--media", type=Path, metavar="FOLDER", help="measure on the videos of this folder instead")
    parser.add_argument("--minutes", type=float, default=FULL_MINUTES, help="about so much film (default: %(default)g)")
    parser.add_argument("--rounds", type=int, default=3, help="2 or more (default: %(default)s)")
    parser.add_argument("--thorough", action="store_true", help="also vcd index --config thorough")
    parser.add_argument(
        "--output", type=Path, help="default: benchmarks/results/speed.json for the whole hour, else in the cache"
    )
    options = parser.parse_args(arguments)
    if options.rounds < 2:
        parser.error("--rounds must be 2 or more: one round cannot show how much the machine varies")
    if not options.minutes >= 0.2:
        parser.error("--minutes must be 0.2 or more")
    return options


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
