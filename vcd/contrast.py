"""What differs between a copy and its original, drawn along a segment: what `vcd compare --difference` writes."""

from dataclasses import replace
from pathlib import Path

from vcd.config import Config
from vcd.errors import InputError, SetupError
from vcd.examine import SHORT_SIDE_PX, frames_at
from vcd.extract import open_kept
from vcd.report import write_atomically
from vcd.types import Picture, Report, Segment
from vcd.verify import choose_moments, reference_time
from vcd.verify.difference import find_difference
from vcd.verify.drawing import beside, difference_png
from vcd.workers import Workers

MOMENTS = 5
"""Of a segment, evenly spread; a still picture has one."""


def write_difference(report: Report, query: Path, reference: Path, config: Config, target: Path) -> int:
    """Draw the most probable segment of a comparison; how many moments are shown.

    Raises `SetupError` when nothing was found, or no transform lays one side over the other at any moment: then there
    is nothing to draw.
    """
    if not report.segments:
        raise SetupError(f"{target}: no copy was found, so there is no difference to draw")
    segment = max(report.segments, key=lambda each: (each.score, each.query_span.length_s))
    with Workers(1, config.media.timeout_s, config.media.memory_mb) as pool:
        _, drawn = next(iter(pool.map(draw_moments, [(segment.query, (segment, query, reference, config))])))
    if isinstance(drawn, InputError):
        raise drawn
    if not drawn:
        raise SetupError(f"{target}: no transform of size, place and turn lays the reference over the query")
    write_atomically(difference_png(drawn), target)
    return len(drawn)


def draw_moments(segment: Segment, query: Path, reference: Path, config: Config) -> list[tuple[str, Picture]]:
    """What a worker process does: title and picture of each moment whose pictures lie over each other."""
    large = replace(config.media, short_side_px=max(SHORT_SIDE_PX, config.media.short_side_px))
    both = open_kept(query, large), open_kept(reference, large)
    found = []
    for q_span, r_span in choose_moments(segment, MOMENTS):
        for frame in frames_at(both[0], (q_span.start_s,)):
            moves = segment.query_span.length_s and segment.reference_span.length_s
            r_s = reference_time(segment, frame.time_s) if moves else r_span.start_s
            seen = segment.view.of(frame.picture)
            for other in frames_at(both[1], (r_s,)):
                if difference := find_difference(seen, other.picture, config.verify.features):
                    changes = ", ".join(box.change for box in difference.boxes) or "nothing differs"
                    title = f"query {frame.time_s:.2f} s, reference {other.time_s:.2f} s: {changes}"
                    found.append((title, beside(seen, difference)))
    return found
