"""A corpus: references, distractors, queries, and which stretches of the queries come from where."""

import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av

from vcd.evaluate import Row, Truth, read_truth


@dataclass(frozen=True, slots=True)
class Corpus:
    """What lies in a corpus folder; files are known by their names alone, which are all different."""

    root: Path
    references: tuple[Path, ...]
    distractors: tuple[Path, ...]
    queries: tuple[Path, ...]
    truth: Truth
    facts: dict[str, Any]
    """What its maker says of it."""

    @property
    def films(self) -> tuple[Path, ...]:
        """All that a library holds."""
        return self.references + self.distractors

    @property
    def digest(self) -> str:
        """Changes when a file does: names and sizes, and the truth."""
        seen = [(path.name, path.stat().st_size) for path in (*self.films, *self.queries)]
        truth = (self.root / "truth.csv").read_bytes()
        return hashlib.sha256(repr(seen).encode() + truth).hexdigest()[:12]


def read_corpus(root: Path) -> Corpus:
    """Raises ValueError when files are missing or two have one name, `DataError` when the truth is bad."""
    folders = [_files(root / part) for part in ("references", "distractors", "queries")]
    names = [path.name for paths in folders for path in paths]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{root}: two files are called {repeated[0]}")
    if not folders[0] or not folders[2]:
        raise ValueError(f"{root}: is no corpus: it needs references and queries")
    truth = _by_file_name(read_truth(root / "truth.csv"))
    unknown = truth.queries() | {row.reference for row in truth.copies}
    if missing := sorted(unknown - set(names)):
        raise ValueError(f"{root}: truth.csv speaks of {missing[0]}, which is not there")
    asked = tuple(path for path in folders[2] if path.name in truth.queries())
    facts = root / "corpus.json"
    told = json.loads(facts.read_text(encoding="utf-8")) if facts.exists() else {}
    return Corpus(root, folders[0], folders[1], asked, truth, told)


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.rglob("*") if path.is_file())) if folder.is_dir() else ()


def _by_file_name(truth: Truth) -> Truth:
    copies = [replace(row, query=Path(row.query).name, reference=Path(row.reference).name) for row in truth.copies]
    return Truth(tuple(copies), tuple(Path(name).name for name in truth.queries_without_copy))


def duration_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return float((container.duration or 0) / av.time_base)


def hours(paths: Sequence[Path]) -> float:
    return sum(map(duration_s, paths)) / 3600


def save_rows(path: Path, rows: Sequence[Row]) -> None:
    """In the format that `vcd evaluate` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["query", "reference", "q_start", "q_end", "r_start", "r_end", "score"])
        for row in rows:
            spans = (row.query_span.start_s, row.query_span.end_s, row.reference_span.start_s, row.reference_span.end_s)
            writer.writerow([row.query, row.reference, *(f"{at_s:.3f}" for at_s in spans), f"{row.score:.6f}"])
