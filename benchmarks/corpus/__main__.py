"""python -m benchmarks.corpus CLIPS OUT: make a corpus of references and edited queries with its truth."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.corpus.build import build
from benchmarks.corpus.clips import SALT, SPLITS, read_clips, read_films
from benchmarks.corpus.plan import EXTENTS, make_plan
from benchmarks.edits.ffmpeg_run import EditFailed
from vcd.errors import VcdError


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    try:
        clips = read_clips(options.clips, options.split, tell)
        films = read_films(options.films, options.split, tell)
        extent, out = EXTENTS[options.size], options.out.resolve()
        plan = make_plan(clips, films, out, extent, options.seed, out / ".drawn")
        about = {
            "format": 1,
            "seed": options.seed,
            "split": options.split,
            "size": options.size,
            "split_rule": f"clips.csv, or else the first byte of sha256('{SALT}:' + source): dev below 128, test above",
            "sources": sorted({clip.source for clip in (*clips, *films)}),
        }
        build(plan, out, about, tell)
    except (VcdError, EditFailed, OSError) as error:
        sys.exit(f"benchmarks.corpus: {error}")
    tell(f"written to {options.out}")


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("clips", type=Path, help="folder of clips; clips.csv in it or beside it names their sources")
    parser.add_argument("out", type=Path, help="folder for the corpus; one that was begun is finished")
    parser.add_argument("--films", type=Path, help="folder of whole films, each a reference of its own")
    parser.add_argument("--split", choices=SPLITS, default="dev")
    parser.add_argument("--size", choices=EXTENTS, default="quick")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
