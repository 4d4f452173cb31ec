"""python -m benchmarks: where vcd stands against its peers, on a corpus made from a folder of clips.

The quick run takes minutes, --full up to two hours; either goes on where it was interrupted. Tuning may look at the
quick run, which uses the `dev` half of the sources; the full run uses the `test` half. Results and plots go to
benchmarks/results/quick or full, tables to README.md.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import ROOT, load_average
from benchmarks.report.page import write_report
from benchmarks.results import FOLDER
from benchmarks.tables import NoPlace, update_file
from benchmarks.videos.extract import UnreadableCorpus
from benchmarks.videos.folder import read_corpus
from benchmarks.videos.run import Steps
from vcd.errors import VcdError

MEDIA = ROOT.parent / "shared" / "data"
CLIPS, FILMS = Path("videos/clips"), Path("videos/long")
"""Where clips and whole films lie in a folder of media; a folder without these holds clips."""
IMAGES, PICTURES = "benchmarks.images", Path("eval")
"""The benchmark of still images, and where a folder of media keeps what it needs."""


class StepFailed(RuntimeError):
    """A benchmark that runs as a program of its own ended with an error."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    size = "full" if options.full else "quick"
    results: Path = options.results or FOLDER / size
    try:
        if not options.report:
            _measure(options, size, results)
        for path in write_report(results):
            print(path)
        if options.results is None:
            update_file(ROOT / "README.md")
    except (VcdError, UnreadableCorpus, StepFailed, NoPlace, OSError, ValueError) as error:
        sys.exit(f"benchmarks: {error}")


def _measure(options: argparse.Namespace, size: str, results: Path) -> None:
    started_s = time.perf_counter()
    if load_average()[0] > 0.5:
        tell(f"the machine is not quiet (load average {load_average()[0]}): costs will be too high")
    work: Path = options.work / size
    folder: Path = options.corpus or work / "corpus"
    if options.corpus is None:
        _run(["benchmarks.corpus", *_corpus_arguments(options.media, folder, size, options.split)])
    Steps(read_corpus(folder), work / "steps", results, size == "quick", tell).run()
    if importlib.util.find_spec(IMAGES) and (options.media / PICTURES).is_dir() and not options.videos_only:
        kept = [
            "--data",
            options.media,
            "--cache",
            options.work / "images",
            "--output",
            results.resolve() / "images.json",
        ]
        _run([IMAGES, *kept, *(["--quick"] if size == "quick" else [])])
    tell(f"everything: {(time.perf_counter() - started_s) / 60:.1f} min")


def _corpus_arguments(media: Path, folder: Path, size: str, split: str) -> list[str | Path]:
    clips = media / CLIPS if (media / CLIPS).is_dir() else media
    films: list[str | Path] = ["--films", media / FILMS] if (media / FILMS).is_dir() else []
    return [clips, folder, *films, "--split", split, "--size", size]


def _run(module: Sequence[str | Path]) -> None:
    """Another benchmark, as a program of its own; what it prints to stdout is not for this one's."""
    done = subprocess.run([sys.executable, "-m", *map(str, module)], cwd=ROOT, stdout=sys.stderr, check=False)
    if done.returncode:
        raise StepFailed(f"python -m {module[0]} ended with exit code {done.returncode}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition(": ")[2])
    work = Path(tempfile.gettempdir(), f"vcd-benchmarks-{os.getuid()}")
    parser.add_argument("--full", action="store_true", help="everything, up to two hours")
    parser.add_argument("--media", type=Path, default=MEDIA, help="folder of clips (default: %(default)s)")
    parser.add_argument("--split", choices=("dev", "test"), help="half of the sources (default: dev, with --full test)")
    parser.add_argument("--corpus", type=Path, help="use this corpus instead of making one")
    parser.add_argument("--work", type=Path, default=work, help="where what is derived is kept (default: %(default)s)")
    parser.add_argument("--results", type=Path, help="default: benchmarks/results/quick or full, and README.md")
    parser.add_argument("--report", action="store_true", help="measure nothing, draw and write the report again")
    parser.add_argument("--videos-only", action="store_true", help="leave out the still images")
    options = parser.parse_args(arguments)
    options.split = options.split or ("test" if options.full else "dev")
    return options


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
