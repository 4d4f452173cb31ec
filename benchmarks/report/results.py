"""The results of one run of the benchmarks, read back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import FOLDER, read_results

MAIN = "vcd-default"
ORDER = ("vcd-fast", "vcd-default", "vcd-thorough", "vcd-samples", "pdq", "phash", "vpdq", "sift-words",
         "colour-histogram", "lecture", "exact-search", "exhaustive", "temporal-network", "hough",
         "dynamic-programming", "extrapolation")  # fmt: skip
"""Of methods, in every table and plot."""
STRENGTHS = ("mild", "medium", "hard")


@dataclass(frozen=True, slots=True)
class Results:
    """Every result file of a folder, by name."""

    files: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, folder: Path) -> "Results":
        """Those of one corpus and one state of the code: what an earlier run has left beside them is not shown."""
        found = {path.stem: read_results(path) for path in sorted(folder.glob("*.json"))}
        state = found.get("corpus", {}).get("state")
        return cls({name: result for name, result in found.items() if result.get("state", state) == state})

    @property
    def methods(self) -> dict[str, dict[str, Any]]:
        """Those that found copies, in the order of `ORDER`."""
        found = {name: self.files[name] for name in ORDER if name in self.files}
        return {name: method for name, method in found.items() if "overall" in method}

    def chosen(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {name: method for name, method in self.methods.items() if name in names}

    def aligners(self) -> dict[str, dict[str, Any]]:
        """Methods that differ in nothing but the aligner."""
        return {name: method for name, method in self.methods.items() if method["group"] == "aligner"}

    @property
    def corpus(self) -> dict[str, Any]:
        return self.files["corpus"]

    @property
    def presets(self) -> list[str]:
        return [name.removeprefix("vcd-") for name, method in self.methods.items() if method["group"] == "vcd"]


def latest_folder(results: Path = FOLDER) -> Path | None:
    """The full run where there is one, else the quick one."""
    found = [results / name for name in ("full", "quick") if (results / name / "corpus.json").exists()]
    return found[0] if found else None
