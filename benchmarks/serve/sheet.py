"""What the load benchmark measured -> the table of docs/service.md."""

from collections.abc import Mapping
from typing import Any

from benchmarks.markdown import markdown_table


def serve_table(results: Mapping[str, Any]) -> str:
    """A row for each target, and what it was measured on."""
    jobs, memory, reached = results["jobs"], results["memory_mib"], results["targets"]
    asked = results["answers"] + results["errors"]
    right = results["answers"] - results["wrong_answers"]
    growth = ", ".join(f"{half['last'] / half['second']:.2f}" for half in memory)
    peak = max(half["peak"] for half in memory)
    no_time = "not measured: no answer"
    times = f"{results['p50_s']:.1f} / {results['p95_s']:.1f} s" if results["answers"] else no_time
    rows = [
        ["answered, with the right reference", "all", f"{right:,} of {asked:,}", _mark(reached["no_error"])],
        [
            "time to an answer, p50 / p95", f"p95 at most {results['p95_limit_s']:.1f} s", times,
            _mark(reached["p95_within"]),
        ],
        [
            "memory, end of a half to its second quarter", "at most 1.10", f"{growth} (most: {peak:,.0f} MiB)",
            _mark(reached["memory_flat"]),
        ],
        [
            "jobs that waited or ran at the `kill -9`, done after it", "all",
            f"{jobs['of_those_done_right']} of {jobs['queued_at_kill']}",
            _mark(reached["no_lost_job"] and reached["killed_with_work_waiting"]),
        ],
    ]  # fmt: skip
    return f"{markdown_table(['', 'target', 'measured', 'reached'], rows)}\n\n{_notes(results)}"


def _mark(reached: bool) -> str:
    return "yes" if reached else "**no**"


def _notes(results: Mapping[str, Any]) -> str:
    machine = results["machine"]
    commit = (results["commit"] or "unknown")[:9] + (" with changes" if results["changed"] else "")
    busy = results["load_average_before"][0]
    return (
        f"{results['clients']} clients, each asking again and again what its {results['clip_s']:.0f} s clip was copied "
        f"from, for {results['minutes']:g} minutes with a `kill -9` and a restart in the middle: "
        f"{results['answers_per_min']:.0f} answers a minute of a library of {results['library_hours']:g} hours "
        f"({results['library_frames']:,} frames). A query by itself takes {results['single_s']:.2f} s; the limit is 3 "
        f"times that, times the queue of {results['clients'] / machine['cores']:g} clients a core. On "
        f"{machine['cores']} cores ({machine['cpu']}, {machine['memory_gib']:.0f} GiB), which the clients use, "
        f"too; load average before {busy:.1f}. vcd {results['packages']['vcd']}, commit {commit}, "
        f"{results['date'][:10]}; all measurements: `benchmarks/results/serve.json`."
    )
