"""python -m benchmarks.dedupe: the library against itself, for a library of generated descriptors.

python -m benchmarks.dedupe                 10,000 videos (minutes to make, once: kept in --cache)
python -m benchmarks.dedupe --videos 1000

Of 20 videos one has a copy, one a part in another video, and two share an intro; the rest are alone. Time and memory
are those of a process of its own that does nothing else; the aim for 10,000 is 10 minutes and 2 GB.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vcd.config import Config
from vcd.describe import load_card
from vcd.library import LibraryWriter
from vcd.types import Descriptors, MediaInfo

STEP_S = 1.5
NOISE = 0.25
INTRO, SERIES = 8, 25
"""Frames of an intro, and videos that share one."""
CHILD = """
import json, resource, sys, time
from pathlib import Path
from vcd.config import Config
from vcd.dedupe import dedupe
begin_s = time.perf_counter()
found = dedupe(Path(sys.argv[1]), Config())
groups = [sorted([g.best.path, *(row.path for row in g.members())]) for g in found.groups]
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "seconds": time.perf_counter() - begin_s, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024,
    "groups": groups, "pairs": [sorted((p.holder.path, p.held.path)) for p in found.pairs],
    "stretches": [[place.row.path for place in s.places] for s in found.stretches],
}))
"""


def films(count: int, frames: int, dimension: int, seed: int) -> Iterator[tuple[Descriptors, str]]:
    """Each video with the name of the one that it is a copy of, or holds a part of; empty for none."""
    rng = np.random.default_rng(seed)
    intros = [_shots(rng, INTRO, dimension) for _ in range(max(1, count // (10 * SERIES)))]
    before: tuple[str, NDArray[np.float64]] = "", np.zeros((0, dimension))
    for number in range(count):
        name, vectors, source = f"video-{number:06d}.mp4", _shots(rng, frames, dimension), ""
        kind = number % 20
        if kind == 1:
            source, vectors = before[0], before[1]
        elif kind == 3:
            source, vectors = before[0], np.concatenate([before[1][5 : 5 + frames // 2], vectors[: frames // 3]])
        elif kind in (10, 15):
            vectors = np.concatenate([intros[(number // 20) % len(intros)], vectors[INTRO:]])
        before = name, vectors
        noisy = vectors + NOISE * rng.normal(size=vectors.shape)
        unit = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
        times_s = STEP_S * np.arange(len(unit)) + rng.uniform(0, 0.3)
        info = MediaInfo("video", STEP_S * len(unit), 640, 360, "made")
        yield Descriptors(name, info, times_s, unit, np.ones(len(unit), dtype=np.float32)), source


def _shots(rng: np.random.Generator, frames: int, dimension: int) -> NDArray[np.float64]:
    """float64 (frames, D): shots of four frames that drift."""
    shots = rng.normal(size=(-(-frames // 4), dimension)).repeat(4, axis=0)[:frames]
    return shots + 0.15 * (np.arange(frames) % 4)[:, None] * rng.normal(size=(frames, dimension))


def make_library(folder: Path, options: argparse.Namespace) -> None:
    """Written once; its truth beside it."""
    card, truth = load_card(Config().describe.model), []
    folder.mkdir(parents=True)
    with LibraryWriter.open_or_create(
        folder / "library", Config().library, card.identity, card.dimension, {}
    ) as writer:
        for film, source in films(options.videos, options.frames, card.dimension, options.seed):
            writer.add(film, Path("/made"), f"hash of {film.name}", Path(__file__).stat(), None)
            truth += [sorted((film.name, source))] if source else []
        print("building the index", file=sys.stderr)
        writer.update_index()
    (folder / "truth.json").write_text(json.dumps(truth))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dedupe", description=__doc__)
    parser.add_argument("--videos", type=int, default=10_000)
    parser.add_argument("--frames", type=int, default=40, help="of each video (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "vcd-bench" / "dedupe")
    options = parser.parse_args()
    folder = options.cache / f"{options.videos}-{options.frames}-{options.seed}"
    begin_s = time.perf_counter()
    if not (folder / "truth.json").exists():
        make_library(folder, options)
        print(f"library made in {time.perf_counter() - begin_s:.0f} s", file=sys.stderr)
    command = [sys.executable, "-c", CHILD, str(folder / "library")]
    passive = {**os.environ, "OMP_WAIT_POLICY": "passive"}  # as the command line sets it
    answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=passive).stdout)
    truth = {tuple(pair) for pair in json.loads((folder / "truth.json").read_text())}
    found = {tuple(pair) for pair in answer["pairs"]}
    print(
        f"{options.videos} videos: {answer['seconds']:.1f} s, {answer['cpu_s']:.1f} s of CPU, "
        f"peak {answer['peak_mb']:.0f} MB",
        f"pairs: {len(truth & found)} of {len(truth)} found, {len(found - truth)} others",
        f"groups: {len(answer['groups'])}; shared stretches: {[len(files) for files in answer['stretches']]} files",
        sep="\n",
    )


if __name__ == "__main__":
    main()
