"""A `Report` and its `Exhibit`s -> one HTML page that needs nothing beside itself.

What comes from outside (names, reasons) reaches the page through the template's escaping only; the page's policy allows
no network and no script but its own, by its hash.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vcd.errors import printable
from vcd.report.exhibit import Changes, Exhibit, Matrix
from vcd.report.figure import clock_label
from vcd.report.rows import in_order
from vcd.report.table import clock, clock_span, how, reference_clock
from vcd.report.words import describe_changes, explain, verdict
from vcd.types import Rectangle, Report, Segment, Span

TEMPLATE = Path(__file__).parent / "template"
COLOURS = 8
"""Of references; the ninth has that of the first."""
LANE_PX, LEAST_BAR = 22, 4.0
"""Height of a timeline's lane, and the narrowest bar in thousandths of its width."""
CORRIDOR = 3.0
"""Half the width of the frame around a segment in its matrix, in hundredths of the matrix."""
COLUMNS = (
    ("query", "query"), ("qstart", "in the query"), ("reference", "reference"), ("rstart", "in the reference"),
    ("length", "length"), ("score", "score"),
)  # fmt: skip


def render_page(report: Report, exhibits: Iterable[Exhibit], titles: Mapping[str, str] | None = None) -> bytes:
    """All segments of the report, in the order of its rows, those without an exhibit without pictures.

    `titles` are what people call references whose files have other names.
    """
    shown = {exhibit.segment: exhibit for exhibit in exhibits}
    ordered = [
        _titled(shown.get(segment, Exhibit(segment, 0.0)), titles or {}) for segment in in_order(report.segments)
    ]
    numbered = list(enumerate(ordered, 1))
    queries = []
    for _, group in groupby(numbered, key=lambda item: item[1].segment.query):
        queries.append(_query(list(group)))
    script, style = _read("page.js"), _read("page.css")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("page.html").render(
        policy=page_policy(), script=script, style=style,
        summary=_summary(report), columns=COLUMNS,
        segments=[segment for query in queries for segment in query["segments"]], queries=queries,
        problems=[{"path": printable(p.path), "reason": printable(p.reason)} for p in report.problems],
        made_with=[(key, printable(str(value))) for key, value in report.made_with.items()],
    )  # fmt: skip
    return page.encode()


def _read(name: str) -> str:
    return (TEMPLATE / name).read_text(encoding="utf-8")


def page_policy() -> str:
    """What every page allows, as a Content-Security-Policy: no network, no script and no style but its own."""
    texts = _read("page.js"), _read("page.css")
    hashes = [b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    return (
        f"default-src 'none'; img-src data:; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _titled(exhibit: Exhibit, titles: Mapping[str, str]) -> Exhibit:
    segment = exhibit.segment
    return replace(exhibit, segment=replace(segment, reference=titles.get(segment.reference, segment.reference)))


def _summary(report: Report) -> str:
    count, queries = len(report.segments), len({segment.query for segment in report.segments})
    files = f"{report.usable} {'file' if report.usable == 1 else 'files'}"
    if not count:
        return f"No copy found in {files}"
    return f"{count} copied {'stretch' if count == 1 else 'stretches'} in {queries} of {files}"


def _query(numbered: Sequence[tuple[int, Exhibit]]) -> dict[str, Any]:
    """What the template shows of one query."""
    references = list(dict.fromkeys(exhibit.segment.reference for _, exhibit in numbered))
    colours = {name: place % COLOURS for place, name in enumerate(references)}
    length_s = max((exhibit.query_length_s for _, exhibit in numbered), default=0.0)
    path = printable(numbered[0][1].segment.query)
    bars = _bars(numbered, length_s, colours) if length_s else []
    return {
        "name": Path(path).name,
        "path": path,
        "ticks": [clock_label(length_s * share) for share in (0, 0.25, 0.5, 0.75, 1)] if length_s else [],
        "bars": bars,
        "height": max((bar["y"] for bar in bars), default=0) + LANE_PX - 2,
        "legend": [(colours[name], printable(name)) for name in references],
        "segments": [_segment(number, exhibit, colours) for number, exhibit in numbered],
    }


def _bars(numbered: Sequence[tuple[int, Exhibit]], length_s: float, colours: dict[str, int]) -> list[dict[str, Any]]:
    """A bar a segment, by time, in the first lane that has room."""
    free_from_s: list[float] = []
    bars = []
    for number, exhibit in sorted(numbered, key=lambda item: item[1].segment.query_span.start_s):
        segment = exhibit.segment
        span = segment.query_span
        lane = next((n for n, end_s in enumerate(free_from_s) if end_s <= span.start_s), len(free_from_s))
        free_from_s[lane : lane + 1] = [span.end_s]
        width = max(LEAST_BAR, 1000 * span.length_s / length_s)
        label = f"{clock_span(span)}: {printable(segment.reference)} at {reference_clock(segment)}"
        bars.append({
            "number": number, "colour": colours[segment.reference], "y": 2 + lane * LANE_PX,
            "x": round(min(1000 - width, 1000 * span.start_s / length_s), 1), "width": round(width, 1),
            "label": f"{label}, score {segment.score:.2f}",
        })  # fmt: skip
    return bars


def _segment(number: int, exhibit: Exhibit, colours: dict[str, int]) -> dict[str, Any]:
    segment = exhibit.segment
    query, reference = printable(segment.query), printable(segment.reference)
    sentences = explain(segment)
    if exhibit.changes:
        sentences += describe_changes(exhibit.changes)
    elif exhibit.moments:
        sentences.append("No transform of size, place and turn lays these pictures over each other.")
    return {
        "number": number,
        "query": query, "query_name": Path(query).name, "reference": reference, "reference_name": Path(reference).name,
        "colour": colours[segment.reference],
        "q_start": segment.query_span.start_s, "r_start": segment.reference_span.start_s,
        "length": segment.query_span.length_s, "duration": f"{segment.query_span.length_s:.1f} s",
        "q_span": clock_span(segment.query_span), "r_span": reference_clock(segment),
        "exact_score": segment.score, "score": f"{segment.score:.2f}", "verdict": verdict(segment.score),
        "how": how(segment), "why": sentences, "missing": printable(exhibit.missing),
        "moments": [
            {"query": _jpeg(m.query), "reference": _jpeg(m.reference), "q_at": clock(m.query_s),
             "r_at": clock(m.reference_s)}
            for m in exhibit.moments
        ],
        "matrix": _matrix(exhibit.matrix, segment) if exhibit.matrix else None,
        "changes": _changes(exhibit.changes) if exhibit.changes else None,
        "region": _region(segment.view.rectangle),
    }  # fmt: skip


def _changes(changes: Changes) -> dict[str, str]:
    return {"marked": _jpeg(changes.marked), "heat": _jpeg(changes.heat), "at": clock(changes.query_s)}


def _matrix(matrix: Matrix, segment: Segment) -> dict[str, str]:
    """The picture, and the corners of a frame around the segment's line."""
    q, r = segment.query_span, segment.reference_span
    ends = [(r.start_s, q.start_s), (r.end_s, q.end_s)]
    if segment.speed < 0:
        ends = [(r.end_s, q.start_s), (r.start_s, q.end_s)]
    (x0, y0), (x1, y1) = ((_share(matrix.reference, x), _share(matrix.query, y)) for x, y in ends)
    length = max(1e-6, ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)
    across, along = (-CORRIDOR * (y1 - y0) / length, CORRIDOR * (x1 - x0) / length) if length > 1e-3 else (CORRIDOR, 0)
    corners = [
        (x0 + across, y0 + along),
        (x1 + across, y1 + along),
        (x1 - across, y1 - along),
        (x0 - across, y0 - along),
    ]
    return {
        "png": f"data:image/png;base64,{b64encode(matrix.png).decode()}",
        "corridor": " ".join(f"{x:.1f},{y:.1f}" for x, y in corners),
        "across": clock_span(matrix.reference),
        "down": clock_span(matrix.query),
    }


def _share(span: Span, at_s: float) -> float:
    return 100 * (at_s - span.start_s) / max(1e-6, span.length_s)


def _region(rectangle: Rectangle) -> dict[str, float] | None:
    if rectangle == Rectangle():
        return None
    return {
        "x": round(160 * rectangle.left, 1), "y": round(90 * rectangle.top, 1),
        "width": round(160 * rectangle.width, 1), "height": round(90 * rectangle.height, 1),
    }  # fmt: skip


def _jpeg(content: bytes) -> str:
    return f"data:image/jpeg;base64,{b64encode(content).decode()}" if content else ""
