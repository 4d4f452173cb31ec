"""Result files: JSON that appears whole or not at all."""

import json
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT

FOLDER = ROOT / "benchmarks" / "results"


def write_whole(path: Path, text: str) -> None:
    """Write through a temporary name beside the file, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def write_results(path: Path, results: dict[str, Any]) -> None:
    write_whole(path, json.dumps(results, indent=1) + "\n")


def read_results(path: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return results
