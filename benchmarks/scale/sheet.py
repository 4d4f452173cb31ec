"""What the scale benchmark measured -> the tables of docs/scale.md."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.markdown import markdown_table
from benchmarks.results import FOLDER, read_results

HOURS = 1_000_000
PRESETS = {"fast": "`--config fast`", "default": "default"}
MACHINE_BYTES, SHARE = 64e9, 0.75
"""Memory of a machine that serves, and how much of it the index may take."""
CORE_HOUR, GB_MONTH, MACHINE_MONTH = 0.04, 0.08, 250.0
"""Assumed prices in dollars; of a core for an hour, of a GB on an SSD and of such a machine for a month."""


def scale_table(results: Mapping[str, Any]) -> str:
    """Every run that was finished, what it was measured on, and what follows for a million hours."""
    runs = [run for run in results["runs"] if {"build", "ask", "add"} <= set(run)]
    if not runs:
        return "Nothing measured yet."
    head = [
        "frames", "kind", "index, bytes a frame", "memory while serving", "built, frames/s", "copies found",
        "search of 60 s, p50 / p95", "processor seconds a search", "1,000 videos added in",
    ]  # fmt: skip
    parts = [markdown_table(head, [_row(run) for run in runs]), _growth(runs), _notes(runs)]
    if (FOLDER / "speed.json").exists():
        parts.append(_plan(max(runs, key=lambda run: int(run["frames"])), read_results(FOLDER / "speed.json")))
    return "\n\n".join(part for part in parts if part)


def _row(run: Mapping[str, Any]) -> list[str]:
    build, ask, add = run["build"], run["ask"], run["add"]
    return [
        f"{run['frames']:,}", build["kinds"][0], f"{build['index_bytes'] / run['frames']:,.0f}",
        f"{ask['memory_bytes'] / 1e9:.2f} GB", f"{build['index_vectors_per_s']:,.0f}", f"{ask['found']:.3f}",
        f"{ask['search_p50_s']:.3f} / {ask['search_p95_s']:.3f} s", f"{ask['search_cpu_p50_s']:.2f}",
        f"{add['stored_s'] + add['indexed_s']:,.0f} s",
    ]  # fmt: skip


def _growth(runs: Sequence[Mapping[str, Any]]) -> str:
    """In processor seconds, which depend least on what else the machine did."""
    chosen = sorted((run for run in runs if run["index"] == "auto"), key=lambda run: int(run["frames"]))
    if len(chosen) < 2:
        return ""
    first, last = chosen[0], chosen[-1]
    grown = last["ask"]["search_cpu_p50_s"] / first["ask"]["search_cpu_p50_s"]
    return (
        f"From {first['frames']:,} to {last['frames']:,} frames, {last['frames'] / first['frames']:.0f} times as many, "
        f"a search takes {grown:.1f} times the processor time."
    )


def _notes(runs: Sequence[Mapping[str, Any]]) -> str:
    machine = runs[0]["build"]["machine"]
    loads = [run["ask"]["load_before"][0] for run in runs]
    queries = ", ".join(sorted({str(run["ask"]["queries"]) for run in runs}))
    kept = all(run["add"]["volumes_kept"] == run["add"]["volumes_before"] for run in runs)
    busy = ": other work shared the machine, and the seconds are more than they need be" if max(loads) > 1 else ""
    return (
        f"{queries} queries each, on {machine['cores']} cores ({machine['cpu']}, {machine['memory_gib']:.0f} GiB); "
        f"load average before asking {min(loads):.1f} to {max(loads):.1f}{busy}. A video is 50 frames. "
        f"{'Adding left every volume that was there as it was. ' if kept else ''}"
        "All measurements: `benchmarks/results/scale.json`."
    )


def _plan(run: Mapping[str, Any], speed: Mapping[str, Any]) -> str:
    """For the index of the largest run."""
    a_frame = run["ask"]["memory_bytes"] / run["frames"]
    stored = run["build"]["disk_bytes"] / run["frames"]
    head = [
        f"{HOURS:,} hours of reference", "frames", "disk", "memory of the index", "core hours to index",
        f"machines of {MACHINE_BYTES / 1e9:.0f} GB", "once, $", "a month, $",
    ]  # fmt: skip
    rows = []
    for preset, label in PRESETS.items():
        found = speed["medians"][preset]
        frames, core_hours = HOURS * found["frames_per_hour"], HOURS * found["cpu_s_per_hour"] / 3600
        machines = -(-frames * a_frame // (SHARE * MACHINE_BYTES))
        month = machines * MACHINE_MONTH + frames * stored / 1e9 * GB_MONTH
        rows.append([
            label, f"{frames / 1e6:,.0f} M", f"{frames * stored / 1e12:.1f} TB", f"{frames * a_frame / 1e9:,.0f} GB",
            f"{core_hours:,.0f}", f"{machines:.0f}", f"{core_hours * CORE_HOUR:,.0f}", f"{month:,.0f}",
        ])  # fmt: skip
    return (
        f"{markdown_table(head, rows)}\n\nWorked out, not run: a frame takes {stored:.0f} bytes on the disk and "
        f"{a_frame:.0f} in memory as in the run of {run['frames']:,} frames ({run['build']['kinds'][0]}); frames and "
        f"core hours of an hour of video are those of `benchmarks/results/speed.json`; {SHARE:.0%} of a machine's "
        f"memory is for the index; assumed prices: ${CORE_HOUR} a core hour, ${GB_MONTH} a GB of SSD and "
        f"${MACHINE_MONTH:.0f} a machine, both a month."
    )
