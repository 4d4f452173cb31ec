"""What `dedupe` found as bytes, by the name of the format."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.table import Table

from vcd.dedupe.records import Duplicates, Group, Pair, Stretch
from vcd.errors import printable
from vcd.library import MediaRow
from vcd.report import segment_row
from vcd.report.encode import encode_csv, encode_json, encode_parquet
from vcd.report.table import clock, clock_span, render_table

COLUMNS = (
    "group", "holder", "held", "relation", "share_of_held", "share_of_holder", "shared_s", "score",
)  # fmt: skip
NAMED = 5
"""Files of a stretch or a cluster that the table names."""


def as_table(found: Duplicates, on_terminal: bool | None = None) -> bytes:
    """Groups, then what else shares something, then shared stretches and clusters; one line when there is nothing."""
    pieces = [note(found)]
    if found.groups:
        pieces.append(render_table(_groups(found.groups), on_terminal))
    numbers = found.group_of()
    if others := [pair for pair in found.pairs if not _is_inside(pair, numbers)]:
        pieces.append(b"also sharing a part:\n" + render_table(_others(others), on_terminal))
    if found.stretches:
        pieces.append(b"the same stretch in many files, which makes them no duplicates:\n" + _lines(found.stretches))
    for number, cluster in enumerate(found.clusters, 1):
        names = _some(row.path for row in cluster.files)
        pieces.append(f"cluster {number}, {_count(len(cluster.files), 'file')}: {names}\n".encode())
    return b"\n".join(pieces)


def note(found: Duplicates) -> bytes:
    files = sum(1 + len(group.pairs) for group in found.groups)
    text = f"{_count(len(found.groups), 'group')} of {_count(files, 'file')}" if files else "no duplicates"
    known = f"; {_count(found.left_out, 'pair')} left out as no duplicates" if found.left_out else ""
    return f"{text} among {_count(found.files, 'file')}{known}\n".encode()


def _groups(groups: Iterable[Group]) -> Table:
    """A line for each file, the best one first, and further lines for further stretches of it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("group", "file", "what", "", "of the best"):
        table.add_column(title, justify="right" if title == "group" else "left", overflow="fold")
    for number, group in enumerate(groups, 1):
        table.add_row(str(number), printable(group.best.path), f"best: {_facts(group.best)}", "", "")
        for pair, row in zip(group.pairs, group.members(), strict=True):
            what = "identical" if pair.same_bytes else f"{_percent(pair.share_of(row.id))} held"
            spans = [(s.query_span, s.reference_span) for s in pair.segments]
            if row.id == pair.holder.id:
                spans = [(there, here) for here, there in spans]
            rows = [[clock_span(here), clock_span(there)] for here, there in spans] or [["", ""]]
            table.add_row("", printable(row.path), what, *rows[0])
            for more in rows[1:]:
                table.add_row("", "", "", *more)
    return table


def _facts(row: MediaRow) -> str:
    size = f"{row.width_px} x {row.height_px}"
    return size if row.kind == "image" else f"{size}, {clock(row.duration_s)}"


def _others(pairs: Iterable[Pair]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("file", "holds", "of", "its", "at"):
        table.add_column(title, justify="right" if title == "holds" else "left", overflow="fold")
    for pair in pairs:
        first = max(pair.segments, key=lambda s: (s.query_span.length_s, s.score)) if pair.segments else None
        here, there = (clock_span(first.query_span), clock_span(first.reference_span)) if first else ("", "")
        share = _percent(pair.share_of_held)
        table.add_row(printable(pair.holder.path), share, printable(pair.held.path), here, there)
    return table


def _lines(stretches: Iterable[Stretch]) -> bytes:
    lines = []
    for stretch in stretches:
        names = _some(f"{place.row.path} {clock_span(place.span)}" for place in stretch.places)
        lines.append(f"{stretch.kind}, {_count(len(stretch.places), 'file')}: {names}\n".encode())
    return b"".join(lines)


def _some(names: Iterable[str]) -> str:
    named = [printable(name) for name in names]
    more = f", and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return ", ".join(named[:NAMED]) + more


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _is_inside(pair: Pair, numbers: Mapping[int, int]) -> bool:
    """Whether both files are in one group."""
    return pair.holder.id in numbers and numbers[pair.holder.id] == numbers.get(pair.held.id)


# --- For programs.


def pair_rows(found: Duplicates) -> list[dict[str, Any]]:
    """The values of COLUMNS; `group` is None where the two are not in one group."""
    numbers = found.group_of()
    return [
        {
            "group": numbers[pair.holder.id] if _is_inside(pair, numbers) else None,
            "holder": pair.holder.path,
            "held": pair.held.path,
            "relation": pair.relation(found.min_coverage),
            "share_of_held": round(pair.share_of_held, 4),
            "share_of_holder": round(pair.share_of_holder, 4),
            "shared_s": round(pair.shared_s, 3),
            "score": round(pair.score, 4),
        }
        for pair in found.pairs
    ]


def document(found: Duplicates) -> dict[str, Any]:
    """The whole answer as one JSON document; the segments of a pair have the held file as query."""
    pairs = [
        row | {"segments": [segment_row(segment) for segment in pair.segments]}
        for row, pair in zip(pair_rows(found), found.pairs, strict=True)
    ]
    return {
        "version": 1,
        "files": found.files,
        "groups": [_group_row(number, group) for number, group in enumerate(found.groups, 1)],
        "pairs": pairs,
        "stretches": [
            {
                "kind": stretch.kind,
                "files": [
                    {"path": p.row.path, "start": round(p.span.start_s, 3), "end": round(p.span.end_s, 3)}
                    for p in stretch.places
                ],
            }
            for stretch in found.stretches
        ],
        "clusters": [[row.path for row in cluster.files] for cluster in found.clusters],
        "left_out": found.left_out,
        "problems": [],
        "made_with": found.made_with,
    }


def _group_row(number: int, group: Group) -> dict[str, Any]:
    members = [
        {"path": row.path, "held": round(pair.share_of(row.id), 4), "identical": pair.same_bytes}
        for pair, row in zip(group.pairs, group.members(), strict=True)
    ]
    return {"group": number, "best": group.best.path, "members": members}


def as_json(found: Duplicates) -> bytes:
    return encode_json(document(found), indent=1)


def as_jsonl(found: Duplicates) -> bytes:
    """One group, pair, stretch or cluster a line; ``"kind_of_row"`` says which."""
    answer = document(found)
    kinds = {"groups": "group", "pairs": "pair", "stretches": "stretch"}
    rows = [{"kind_of_row": kind, **row} for name, kind in kinds.items() for row in answer[name]]
    rows += [{"kind_of_row": "cluster", "files": files} for files in answer["clusters"]]
    return b"".join(map(encode_json, rows))


def as_csv(found: Duplicates) -> bytes:
    """One pair a line; groups by their numbers. Stretches and clusters are in the other formats."""
    return encode_csv(COLUMNS, [list(row.values()) for row in pair_rows(found)])


def as_parquet(found: Duplicates) -> bytes:
    """As CSV, with all of the answer as JSON in the file's metadata."""
    import pyarrow as pa

    kinds: dict[str, Any] = dict.fromkeys(COLUMNS, pa.float64())
    kinds |= dict.fromkeys(("holder", "held", "relation"), pa.string()) | {"group": pa.int64()}
    return encode_parquet(kinds, pair_rows(found), {"duplicates": encode_json(document(found))})


FORMATS: Mapping[str, Callable[[Duplicates], bytes]] = {
    "table": as_table,
    "json": as_json,
    "jsonl": as_jsonl,
    "csv": as_csv,
    "parquet": as_parquet,
}


def render(found: Duplicates, name: str, for_file: bool = False) -> bytes:
    """The answer in one of FORMATS; a table has no colours and its full width in a file."""
    return as_table(found, on_terminal=False) if name == "table" and for_file else FORMATS[name](found)
