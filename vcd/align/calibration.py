"""What belongs to a descriptor model when its segments are scored: parameters, fitted by `benchmarks.calibrate`.

One JSON file a model in ``calibrations/``, by the model's name. A model without one, such as a user's own, gets
those of `FALLBACK` with its own card's unrelated similarity: evidence is measured in margins, which mean about the
same for every model, so its scores rank well, but are not checked to be probabilities.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from vcd.types import Evidence, Geometry

FOLDER = Path(__file__).parent / "calibrations"
FALLBACK = "regional-dct"
EVIDENCE = tuple(f.name for f in fields(Evidence) if f.name != "still")
STILL_GEOMETRY = {"intercept": -4.5, "weights": {"log_odds": 1.0, "log_inliers": 3.0}}
"""For models without their own; set by hand, so that ten features that follow one transform, which about one in five
hundred pairs of unrelated pictures have, do not make a copy of pictures that look nothing alike, and twenty do."""
GEOMETRY = tuple(f.name for f in fields(Geometry) if f.name != "pairs")


@dataclass(frozen=True, slots=True)
class Logistic:
    """1 / (1 + exp(-(intercept + weights . values)))."""

    intercept: float
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the evidence of one model's segments becomes a probability."""

    model: str
    unrelated_similarity: float
    """Similarity, less the bias of the query's frame, that 99 of 100 pairs of unrelated frames stay below."""
    segment: Logistic
    """Of the fields of `Evidence`."""
    still: Logistic
    """Of the margin of a single pair of pictures."""
    geometry: Logistic
    """Of the fields of `Geometry`, and ``log_odds``, which the evidence alone gives."""
    still_geometry: Logistic
    """As `geometry`, of a single pair of pictures, in which nothing can move."""
    own: bool = field(default=True)
    """Whether it was fitted for this very model."""


def load_calibration(model: str, unrelated_similarity: float) -> Calibration:
    """The model's own, or the fallback with the `unrelated_similarity` of its card."""
    if (FOLDER / f"{model}.json").is_file():
        return parse_calibration(model, _read(model))
    values = {**_read(FALLBACK), "unrelated_similarity": unrelated_similarity}
    return replace(parse_calibration(model, values), own=False)


def parse_calibration(model: str, values: Mapping[str, Any]) -> Calibration:
    """The content of a model's file; measures that it does not name weigh nothing."""
    return Calibration(
        model=model,
        unrelated_similarity=float(values["unrelated_similarity"]),
        segment=_logistic(values["segment"], EVIDENCE),
        still=_logistic(values["still"], ("margin",)),
        geometry=_logistic(values["geometry"], ("log_odds", *GEOMETRY)),
        still_geometry=_logistic(values.get("still_geometry", STILL_GEOMETRY), ("log_odds", *GEOMETRY)),
    )


@lru_cache(maxsize=8)
def _read(name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return values


def _logistic(values: Mapping[str, Any], names: tuple[str, ...]) -> Logistic:
    return Logistic(float(values["intercept"]), {name: float(values["weights"].get(name, 0.0)) for name in names})
