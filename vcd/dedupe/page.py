"""What `dedupe` found as one HTML page with a picture of each file, so that a person sees at once what is alike.

The only part of it that reads media; a file that cannot be read is shown without a picture. No script, no network.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
from jinja2 import Environment

from vcd.config import Config, MediaConfig
from vcd.dedupe.formats import note
from vcd.dedupe.records import Duplicates, Pair
from vcd.errors import InputError, printable
from vcd.library import MediaRow
from vcd.media import open_media
from vcd.report.table import clock, clock_span
from vcd.types import Progress, Span, quiet
from vcd.workers import Workers, usable_cores

SHORT_SIDE_PX = 90
JPEG_QUALITY = 70
MOST = 600
"""Pictures on a page, of about 4 KB; what comes later has none."""
SHOWN = 12
"""Files of a stretch or of a cluster that are shown."""
Key = tuple[int, float]
"""A file's media id, and the moment of its picture."""

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>vcd dedupe</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>body{font:14px/1.4 system-ui,sans-serif;margin:2em;max-width:75em;color:#222;background:#fff}
section{border-top:1px solid #ccc;padding:.5em 0 1em}
figure{display:inline-block;vertical-align:top;margin:.3em;width:170px}
img,.none{width:160px;height:90px;object-fit:contain;background:#eee;display:block}
figcaption{overflow-wrap:anywhere;font-size:12px}h3{margin:.2em 0}</style>
<h1>Duplicates</h1><p>{{ summary }}</p>
{% for part in parts %}{% if part.blocks %}<h2>{{ part.title }}</h2>{% endif %}
{% for block in part.blocks %}<section><h3>{{ block.title }}</h3>
{% for shown in block.files %}<figure>{% if shown.picture %}
<img alt="" src="data:image/jpeg;base64,{{ shown.picture }}">
{% else %}<span class="none"></span>{% endif %}<figcaption>{{ shown.name }}<br>{{ shown.facts }}</figcaption></figure>
{% endfor %}</section>{% endfor %}{% endfor %}</html>
"""


def render_page(found: Duplicates, config: Config, progress: Progress = quiet) -> bytes:
    """Groups with the file to keep first, then shared stretches and clusters."""
    groups = [
        (f"{len(g.pairs) + 1} files", [_file(g.best, "the best of them"), *map(_held, g.members(), g.pairs)])
        for g in found.groups
    ]
    stretches = [
        (f"{s.kind} of {len(s.places)} files", [_file(p.row, clock_span(p.span), p.span) for p in s.places[:SHOWN]])
        for s in found.stretches
    ]
    clusters = [(f"{len(c.files)} files", [_file(row, "") for row in c.files[:SHOWN]]) for c in found.clusters]
    parts = [("Groups", groups), ("The same stretch in many files", stretches), ("Files that look alike", clusters)]
    wanted = [(row, key) for _, blocks in parts for _, files in blocks for row, key, _ in files]
    pictures = _take_pictures(wanted, config, progress)
    shown = [
        {"title": title, "blocks": [{"title": name, "files": [_figure(*file, pictures) for file in files]}
                                    for name, files in blocks]}
        for title, blocks in parts
    ]  # fmt: skip
    template = Environment(autoescape=True).from_string(_PAGE)
    return template.render(summary=note(found).decode(errors="replace"), parts=shown).encode(
        "utf-8", "backslashreplace"
    )


File = tuple[MediaRow, Key, str]


def _file(row: MediaRow, facts: str, span: Span | None = None) -> File:
    at_s = (span.start_s + span.end_s) / 2 if span else row.duration_s / 2
    size = f"{row.width_px} x {row.height_px}" + (f", {clock(row.duration_s)}" if row.kind == "video" else "")
    return row, (row.id, at_s), f"{size}; {facts}" if facts else size


def _held(row: MediaRow, pair: Pair) -> File:
    if pair.same_bytes:
        return _file(row, "the same bytes")
    return _file(row, f"{100 * pair.share_of(row.id):.0f} % of it is in the best")


def _figure(row: MediaRow, key: Key, facts: str, pictures: dict[Key, bytes]) -> dict[str, str]:
    return {
        "name": printable(row.path), "facts": facts, "picture": b64encode(pictures.get(key, b"")).decode()
    }  # fmt: skip


def _take_pictures(wanted: Iterable[tuple[MediaRow, Key]], config: Config, progress: Progress) -> dict[Key, bytes]:
    """JPEGs, each once; none of a file that is gone or cannot be read."""
    files = {key: row.file for row, key in wanted}
    keys = [key for key, file in files.items() if file.exists()][:MOST]
    tasks = [(str(files[key]), (files[key], key[1], config.media)) for key in keys]
    if not tasks:
        return {}
    count = min(usable_cores(), len(tasks))
    with Workers(count, config.media.timeout_s, config.media.memory_mb) as pool:
        taken = progress(pool.map(take_picture, tasks), "taking pictures", len(tasks))
        return {keys[number]: jpeg for number, jpeg in taken if not isinstance(jpeg, InputError)}


def take_picture(path: Path, at_s: float, media: MediaConfig) -> bytes:
    """What a worker process does: a small JPEG of about that moment. Raises `InputError`."""
    opened = open_media(path, replace(media, short_side_px=SHORT_SIDE_PX))
    near = opened.frames_between(Span(max(0.0, at_s - 0.5), at_s + 2.0), 10.0)
    frame = next(iter(near), None) or next(iter(opened.glances(1)))
    small = cv2.cvtColor(frame.picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()  # type: ignore[no-any-return]
