"""Material -> one `Run` for each thing measured in each round, all in turns."""

import json
import shutil
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.machine import usable_cores
from benchmarks.measure import Usage, run_measured
from benchmarks.speed import plain
from benchmarks.speed.material import Material
from vcd.config import load_config
from vcd.errors import SetupError
from vcd.upkeep import library_info

SAMPLE_S = 60.0
"""So much of every file is decoded whole."""
INDEX_PRESETS = ("fast", "default")
BLOCK_BYTES = 1 << 24

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One measurement, as it came."""

    what: str
    """floor, decode, query, or the preset that `vcd index` ran with."""
    round: int
    hours: float
    """Length of the video that was read."""
    wall_s: float
    cpu_s: float
    peak_mib: float | None
    disk_mib: float
    """Not near 0: the files did not stay in the page cache, and the wall time is that of the disk."""
    frames: int | None
    """Frames that were decoded (floor, decode) or that are in the library."""
    rows: int | None = None
    """query: segments that were found."""


class Steps:
    """What is measured, each in a fresh process with the files in the page cache."""

    def __init__(self, material: Material, folder: Path) -> None:
        """`folder` holds the libraries and the list of files; it must exist."""
        self._material, self._folder = material, folder
        self._list = folder / "files.txt"
        self._list.write_text("".join(f"{file.path}\n" for file in material.files), encoding="utf-8")

    def floor(self, number: int) -> Run:
        """Key frames decoded by PyAV, one file a process, as many processes as cores."""
        usage = run_measured(self._plain("keys"))
        return _run("floor", number, self._material.hours, usage, int(usage.output))

    def decode(self, number: int) -> Run:
        """The first minute of every file decoded whole, in as many processes."""
        usage = run_measured([*self._plain("all"), "--seconds", str(SAMPLE_S)])
        return _run("decode", number, self._material.sample_hours(SAMPLE_S), usage, int(usage.output))

    def index(self, preset: str, number: int) -> Run:
        """`vcd index` into a new library."""
        library = self._library(preset)
        shutil.rmtree(library, ignore_errors=True)
        command: list[str | Path] = [
            vcd_program(),
            "index",
            "--files-from",
            self._list,
            "--library",
            library,
            "--quiet",
        ]
        usage = run_measured([*command, "--config", preset])
        frames = library_info(library, load_config(preset))["frames"]
        return _run(preset, number, self._material.hours, usage, frames)

    def query(self, number: int) -> Run:
        """`vcd query` of the clip against the library of the default preset."""
        command: list[str | Path] = [vcd_program(), "query", self._material.clip, "--library", self._library("default")]
        usage = run_measured([*command, "--format", "json", "--quiet"])
        rows = len(json.loads(usage.output)["segments"])
        return _run("query", number, self._material.clip_s / 3600, usage, None, rows)

    def _plain(self, what: str) -> list[str | Path]:
        return [sys.executable, plain.__file__, what, "--processes", str(usable_cores()), self._list]

    def _library(self, preset: str) -> Path:
        return self._folder / f"library-{preset}"


def measure_rounds(material: Material, folder: Path, rounds: int, thorough: bool, tell: Tell) -> Iterator[Run]:
    """Every thing once a round, in the same order."""
    steps = Steps(material, folder)
    presets = [*INDEX_PRESETS, "thorough"] if thorough else list(INDEX_PRESETS)
    # A first start writes the compiled modules, which is not what is measured.
    run_measured([sys.executable, "-c", "import vcd.pipeline"])
    for number in range(1, rounds + 1):
        measured = [partial(steps.floor, number), *(partial(steps.index, preset, number) for preset in presets)]
        measured += [partial(steps.query, number), partial(steps.decode, number)]
        for measure in measured:
            warm([file.path for file in material.files] + [material.clip])
            run = measure()
            took = f"{run.wall_s:.1f} s, {run.cpu_s:.1f} s of processor time, {run.disk_mib:.0f} MiB from disk"
            tell(f"round {number}: {run.what}: {took}")
            yield run


def measure_help(times: int) -> list[float]:
    """Wall seconds of `vcd --help`, each time; one start before them is not counted."""
    program = vcd_program()
    return [run_measured([program, "--help"]).wall_s for _ in range(times + 1)][1:]


def warm(paths: Sequence[Path]) -> None:
    """Read files to their ends, so that they are in the page cache where it is large enough."""
    for path in paths:
        with path.open("rb") as file:
            while file.read(BLOCK_BYTES):
                pass


def vcd_program() -> Path:
    """The program of the environment that this runs in."""
    program = Path(sysconfig.get_path("scripts"), "vcd")
    if not program.exists():
        raise SetupError(f"{program}: there is no such program; run: scripts/setup")
    return program


def _run(what: str, number: int, hours: float, usage: Usage, frames: int | None, rows: int | None = None) -> Run:
    return Run(
        what=what,
        round=number,
        hours=hours,
        wall_s=round(usage.wall_s, 3),
        cpu_s=round(usage.cpu_s, 3),
        peak_mib=None if usage.peak_mib is None else round(usage.peak_mib, 1),
        disk_mib=round(usage.disk_mib, 1),
        frames=frames,
        rows=rows,
    )


def now_utc() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
