"""The demo's films through the real program, and what it found beside the truth."""

from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Table

from vcd import pipeline
from vcd.config import Config
from vcd.demo.make import DemoMedia, make_demo
from vcd.demo.pirate import TrueSegment
from vcd.report import render
from vcd.report.table import clock_span, render_table
from vcd.types import Progress, Report, Segment, quiet

MODEL, SETTINGS = "regional-dct", "drawn.toml"
"""Drawn textures look much alike to a network that was trained on pictures of the world."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """All that `vcd demo` shows."""

    folder: Path
    media: DemoMedia
    report: Report
    pairs: tuple[tuple[TrueSegment, Segment | None], ...]
    """Each true segment with the found one that overlaps it most, if any."""


def run_demo(folder: Path, config: Config, progress: Progress = quiet) -> DemoResult:
    """Make the media, index the films, query the clip."""
    media = make_demo(folder, progress)
    library = folder / "library"
    (folder / SETTINGS).write_text(f'[describe]\nmodel = "{MODEL}"\n', encoding="utf-8")
    config = replace(config, describe=replace(config.describe, model=MODEL))
    pipeline.index([folder / "films"], library, config, progress=progress)
    report = pipeline.query([media.clip], library, config, progress=progress)
    pairs = tuple((true, _best_match(true, report.segments)) for true in media.truth)
    return DemoResult(folder, media, report, pairs)


def _best_match(true: TrueSegment, found: tuple[Segment, ...]) -> Segment | None:
    same = [s for s in found if s.reference == true.reference.name and s.query_span.overlap_s(true.query_span) > 0]
    return max(same, key=lambda s: s.query_span.overlap_s(true.query_span), default=None)


def demo_text(result: DemoResult) -> bytes:
    """Found rows, the same beside the truth with the errors in seconds, and where everything lies."""
    library = result.folder / "library"
    lines = [
        "The references are four films drawn by code; the clip holds stretches of two, between foreign material.",
        f"(Drawn films call for the model {MODEL}: {result.folder / SETTINGS} says so. Real ones need no settings.)",
        "",
        f"$ vcd index {result.folder / 'films'} --library {library} --config {result.folder / SETTINGS}",
        f"$ vcd query {result.media.clip} --library {library} --config {result.folder / SETTINGS}",
        render(result.report, "table").decode("utf-8", "surrogateescape"),
        "Beside the truth (errors in seconds: found minus true, at the start and the end on each side):",
        render_table(_truth_table(result)).decode("utf-8", "surrogateescape"),
        "Play them and look:",
        *(f"  {path}" for path in (result.media.clip, *result.media.films)),
    ]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def _truth_table(result: DemoResult) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (
        "reference",
        "what was done",
        "true clip",
        "true film",
        "speed",
        "clip errors",
        "film errors",
        "found speed",
    ):
        table.add_column(title, overflow="fold")
    for true, found in result.pairs:
        true_cells = (
            true.reference.name,
            true.edit,
            clock_span(true.query_span),
            clock_span(true.reference_span),
            f"{true.speed:g}",
        )
        if found is None:
            table.add_row(*true_cells, "not found", "", "")
            continue
        errors = [
            f"{ours.start_s - its.start_s:+.2f} {ours.end_s - its.end_s:+.2f}"
            for ours, its in (
                (found.query_span, true.query_span),
                (found.reference_span, true.reference_span),
            )
        ]
        table.add_row(*true_cells, *errors, f"{found.speed:.3g}")
    return table
