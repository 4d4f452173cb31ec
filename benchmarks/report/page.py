"""The one report: every table and plot of a run on one page of Markdown."""

from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.markdown import markdown_table
from benchmarks.report.cost import draw_scaling, draw_stages
from benchmarks.report.ends import draw_ends
from benchmarks.report.matrix import average, draw_matrix
from benchmarks.report.pareto import draw_pareto
from benchmarks.report.results import MAIN, STRENGTHS, Results
from benchmarks.report.trust import draw_trust
from benchmarks.results import write_whole

PLOTS = {
    "matrix": (draw_matrix, "Robustness: every edit, for vcd and each peer"),
    "pareto": (draw_pareto, "Accuracy against speed"),
    "ends": (draw_ends, "Error of the ends"),
    "trust": (draw_trust, "Reliability of the score, and false segments on queries without a copy"),
    "stages": (draw_stages, "Cost of each stage"),
    "scaling": (draw_scaling, "Growth with the library"),
}
NEEDED = {"scaling": "scaling", "stages": f"stages-{MAIN.removeprefix('vcd-')}"}
"""Results that a plot cannot do without; the others need the default preset's."""
COLUMNS = {
    "f1_1s": "F1 1 s", "f1_3s": "F1 3 s", "f1_5s": "F1 5 s", "segment_micro_ap": "segment AP", "vcsl_f": "VCSL F",
    "micro_ap": "micro-AP", "recall_at_p90": "R@P90",
}  # fmt: skip


def write_report(folder: Path) -> list[Path]:
    """Draw what the results of a folder allow, and write its README.md; returns all that was written."""
    results = Results.read(folder)
    written = []
    for name, (draw, _) in PLOTS.items():
        if MAIN in results.files and NEEDED.get(name, MAIN) in results.files:
            draw(results, folder / "plots" / f"{name}.png")
            written.append(folder / "plots" / f"{name}.png")
    write_whole(folder / "README.md", page(results, [path.stem for path in written]))
    return [*written, folder / "README.md"]


def page(results: Results, plots: list[str]) -> str:
    parts = [
        "# Benchmarks: " + ("the quick run" if results.corpus["quick"] else "the full run"),
        corpus_text(results),
        "## Who finds what, at what cost",
        accuracy_table(results),
        "## The same descriptors, other aligners",
        aligner_table(results),
        "## Edit by edit: vcd's default preset",
        edit_table(results),
    ]
    for name in plots:
        parts += [f"## {PLOTS[name][1]}", f"![{PLOTS[name][1]}](plots/{name}.png)"]
    return "\n\n".join([*parts, *image_parts(results)]) + "\n"


def image_parts(results: Results) -> list[str]:
    """What the benchmark of still images says, where it was run."""
    if "images" not in results.files:
        return []
    sheet = import_module("benchmarks.images.sheet")
    found = results.files["images"]
    return ["## Still images", sheet.accuracy_sheet(found), sheet.cost_sheet(found)]


def corpus_text(results: Results) -> str:
    """What was measured, on what, with which code."""
    corpus, main = results.corpus, results.files[MAIN]
    machine = corpus["machine"]
    commit = (corpus["commit"] or "unknown")[:9] + (" with changes" if corpus["changed"] else "")
    split = corpus["made_by"].get("split", "unknown")
    return (
        f"{corpus['queries']} queries ({60 * corpus['query_hours']:.0f} min, {corpus['copies']} copies in them, "
        f"{corpus['queries_without_copy']} queries without any) against {corpus['references']} references and "
        f"{corpus['distractors']} distractors ({corpus['reference_hours']:.1f} h); split `{split}`. "
        f"F1 at N s counts a row as right when the reference is right and all four times are within N s; vcd's rows "
        f"are those from its default score of {main['threshold']:g} on, each peer's those from the score that suits "
        f"it best on this corpus. Peers' hashes and histograms are searched and aligned as vcd's own descriptors are; "
        f"hash bits count as +1 and -1. Costs are processor seconds for an hour of video, decoding included.\n\n"
        f"{machine['cores']} cores ({machine['cpu']}, {machine['memory_gib']:.0f} GiB), "
        f"vcd {corpus['packages']['vcd']}, commit {commit}, "
        f"{corpus['date'][:10]}, load average {machine['load_average'][0]:.1f} at the start."
    )


def accuracy_table(results: Results) -> str:
    """A row for each method that is not merely another aligner."""
    methods = {
        n: m for n, m in results.methods.items() if m["group"] != "aligner" or n in ("vcd-samples", "exact-search")
    }
    head = ["", *COLUMNS.values(), "false segments", "index s/h", "query s/h"]
    rows = [
        [
            f"**{method['label']}**" if name == MAIN else method["label"],
            *_scores(method),
            shown(method["negatives"]["per_1000_query_minutes_and_reference_hours"], 1),
            shown(method["cost"].get("index_cpu_s_per_hour"), 0),
            shown(method["cost"].get("query_cpu_s_per_hour"), 0),
        ]
        for name, method in methods.items()
    ]
    return markdown_table(head, rows) + (
        "\n\nFalse segments: on queries without a copy, for 1,000 query minutes and an hour of reference."
    )


def aligner_table(results: Results) -> str:
    """Ends from samples in all of them; the score that ranks is vcd's for all."""
    head = ["aligner", *COLUMNS.values(), "align s/h"]
    chosen = {name: m for name, m in results.aligners().items() if name != "vcd-samples"}
    rows = [
        [
            "vcd's voting" if m["aligner"] == "vote" else m["label"],
            *_scores(m),
            shown(m["steps_s_per_hour"]["align"], 1),
        ]
        for m in chosen.values()
    ]
    return markdown_table(head, rows)


def edit_table(results: Results) -> str:
    """F1 at 3 s, and the share of copies found at all."""
    cells = results.files[MAIN]["cells"]
    strengths = [s for s in STRENGTHS if any(s in row for row in cells.values())]
    head = ["edit", *(f"{s}: F1 3 s" for s in strengths), "copies", "found"]
    rows = []
    for edit in sorted(cells):
        copies = sum(cell["copies"] for cell in cells[edit].values())
        by_strength = [cells[edit].get(s, {}).get("f1_3s") for s in strengths]
        rows.append([edit, *(shown(f1, 2) for f1 in by_strength), str(copies), shown(average(cells, edit, "found"), 2)])
    return markdown_table(head, rows)


def _scores(method: dict[str, Any]) -> list[str]:
    """A method that tells no times has no score for them."""
    timeless = ("micro_ap", "recall_at_p90")
    return [
        shown(method["overall"][column], 3) if method["tells_times"] or column in timeless else "-"
        for column in COLUMNS
    ]


def shown(value: float | None, digits: int) -> str:
    """A dash for what could not be measured."""
    return "-" if value is None or value != value else f"{value:,.{digits}f}"
