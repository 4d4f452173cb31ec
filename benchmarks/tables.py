"""Committed results -> the Markdown tables of README.md and the model card, between `<!-- NAME:begin -->` and
`<!-- NAME:end -->`.

    python -m benchmarks.tables [--check] [FILE...]

Numbers in the documentation come from here and from nowhere else; with --check nothing is written, and the exit code
is 1 when FILE does not hold what the results say.
"""

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.ablations.sheet import ablation_sheet
from benchmarks.images.sheet import methods_sheet, recall_sheet
from benchmarks.machine import ROOT
from benchmarks.markdown import markdown_table
from benchmarks.results import FOLDER, read_results, write_whole
from benchmarks.scale.sheet import scale_table
from benchmarks.serve.sheet import serve_table

CARD = ROOT / "vcd" / "describe" / "shipped" / "vcd-rmac.md"
"""What people read about the shipped model."""
SCALE = ROOT / "docs" / "scale.md"
METHODS = ROOT / "docs" / "methods.md"
SERVICE = ROOT / "docs" / "service.md"
LABELS = {
    "floor": "PyAV, key frames only: the floor",
    "fast": "`vcd index --config fast`",
    "default": "`vcd index`",
    "thorough": "`vcd index --config thorough`",
    "decode": "PyAV, every frame",
}


class NoPlace(ValueError):
    """The file has no such pair of markers, or more than one."""


def speed_table(results: Mapping[str, Any]) -> str:
    """What one run of `benchmarks.speed` found, with what it was measured on below."""
    medians = results["medians"]
    head = ["for an hour of video", "seconds", "× floor", "processor seconds", "× floor", "peak memory", "frames"]
    rows = [_speed_row(label, medians[what]) for what, label in LABELS.items() if what in medians]
    return f"{markdown_table(head, rows)}\n\n{_speed_notes(results)}"


def _speed_row(label: str, found: Mapping[str, Any]) -> list[str]:
    return [
        label,
        _number(found["wall_s_per_hour"]),
        f"{found['wall_to_floor']:.1f}",
        _number(found["cpu_s_per_hour"]),
        f"{found['cpu_to_floor']:.1f}",
        _mib(found["peak_mib"]),
        f"{found['frames_per_hour']:,.0f}",
    ]


def _speed_notes(results: Mapping[str, Any]) -> str:
    machine, material, query = results["machine"], results["material"], results["medians"]["query"]
    first = material["files"][0]
    commit = (results["commit"] or "unknown")[:9] + (" with changes" if results["changed"] else "")
    return (
        f"`vcd query` of a {material['clip_s']:.0f} s clip against that library: {query['wall_s']:.1f} s, "
        f"{_mib(query['peak_mib'])}; `vcd --help`: {results['medians']['help']['wall_s']:.2f} s.\n\n"
        f"Medians of {results['rounds']} rounds on {machine['cores']} cores ({machine['cpu']}, "
        f"{machine['memory_gib']:.0f} GiB), {60 * material['hours']:.0f} min of "
        f"{first['width_px']} x {first['height_px']} video "
        f"({first['format']}, {material['mbit_per_s']:.1f} Mbit/s; {material['what'].partition(':')[0]}); "
        f"× floor is the ratio within a round. vcd {results['packages']['vcd']}, commit {commit}, "
        f"{results['date'][:10]}; load average {machine['load_average_before'][0]:.1f} before and "
        f"{machine['load_average_after'][0]:.1f} after; all measurements: `benchmarks/results/speed.json`."
    )


SCORES = (0.5, 0.9, 0.98)
"""Thresholds that the table of scores shows."""


def score_table(results: Mapping[str, Any]) -> str:
    """What a score is worth: rows and false ones from some thresholds on, of films that the score was not fitted to."""
    shown = results["as_shown"]
    rows = [
        [f"{row['threshold']:.2f}", str(row["rows"]), str(row["false"]), f"{row['precision']:.2f}",
         f"{(row['rows'] - row['false']) / shown['copies_in_truth']:.2f}"]
        for row in shown["thresholds"]
        if row["threshold"] in SCORES
    ]  # fmt: skip
    head = ["score at least", "rows", "false", "precision", "share of copies found"]
    return (
        f"{markdown_table(head, rows)}\n\n{shown['copies_in_truth']} copies, each edited in another way, mild to hard, "
        f"in {shown['query_minutes']:.0f} minutes of queries against {shown['reference_hours'] * 60:.0f} minutes of "
        f"references; calibration error (ECE) {shown['ece']:.3f}."
    )


TABLES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "ablations": ablation_sheet,
    "calibration-vcd-rmac": score_table,
    "images": recall_sheet,
    "scale": scale_table,
    "serve": serve_table,
    "speed": speed_table,
}
"""What is made of ``results/NAME.json``, by NAME."""


ALSO: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {"methods": ("images", methods_sheet)}
"""More tables, by the names of their markers, and the results that each is made of."""


def video_tables(folder: Path) -> dict[str, str]:
    """Tables of the video benchmark's latest run, by the names of their markers; none where nothing was run."""
    from benchmarks.report import page  # it uses this module
    from benchmarks.report.results import MAIN, Results, latest_folder

    latest = latest_folder(folder)
    results = Results.read(latest) if latest else None
    if latest is None or results is None or MAIN not in results.files:
        return {}
    where = f"All results and plots: [benchmarks/results/{latest.name}](benchmarks/results/{latest.name}/README.md)."
    return {
        "videos": f"{page.accuracy_table(results)}\n\n{page.corpus_text(results)}\n\n{where}",
        "aligners": page.aligner_table(results),
    }


def with_table(text: str, name: str, table: str) -> str:
    """The text with the table between the markers of that name; raises `NoPlace`."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    place = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(place.findall(text)) != 1 or text.count(begin) != 1 or text.count(end) != 1:
        raise NoPlace(f"there must be exactly one {begin} followed by one {end}")
    return place.sub(lambda _: f"{begin}\n{table}\n{end}", text)


def update_file(path: Path, results_folder: Path = FOLDER, write: bool = True) -> bool:
    """Put the table of every result that is there into the file; True when the file was not up to date."""
    before = after = path.read_text(encoding="utf-8")
    files = {name: results_folder / f"{name}.json" for name in TABLES}
    tables = {name: TABLES[name](read_results(file)) for name, file in files.items() if file.exists()}
    tables |= {name: made(read_results(files[of])) for name, (of, made) in ALSO.items() if files[of].exists()}
    for name, table in {**tables, **video_tables(results_folder)}.items():
        if f"<!-- {name}:begin -->" in after:
            after = with_table(after, name, table)
    if write and after != before:
        write_whole(path, after)
    return after != before


def _number(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 100 else f"{seconds:,.0f}"


def _mib(mib: float | None) -> str:
    return "not measured" if mib is None else f"{mib:,.0f} MiB"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=(__doc__ or "").partition("\n")[0])
    places = [ROOT / "README.md", CARD, METHODS, SCALE, SERVICE]
    parser.add_argument("files", type=Path, nargs="*", default=places, metavar="FILE")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when one is out of date")
    options = parser.parse_args(arguments)
    for file in options.files:
        try:
            changed = update_file(file, write=not options.check)
        except (NoPlace, OSError) as error:
            sys.exit(f"benchmarks.tables: {file}: {error}")
        if options.check and changed:
            sys.exit(f"benchmarks.tables: {file} is out of date; run: python -m benchmarks.tables")


if __name__ == "__main__":
    main()
