"""python -m benchmarks.differences: are a planted logo, a subtitle and a blurred box found where they are?

Frames of real clips, of the split that is named; each gets one thing planted at a random place, then a medium edit of
the whole picture. A thing counts as found when a box overlaps its place with an IoU of at least 0.7. Blurred boxes are
also counted by how much detail there was to lose: what is flat shows no blur to anybody.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus.clips import read_clips
from benchmarks.images.corpus import default_data
from benchmarks.results import FOLDER, write_results
from vcd.config import MediaConfig
from vcd.media import open_media
from vcd.types import Picture
from vcd.verify.difference import Box, find_difference

FOUND = 0.7
WIDTH, HEIGHT = 640, 360
Place = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""
Planted = tuple[Picture, Place]
FLAT = 2.0
"""Mean contrast of fine detail (of 255) in the flattest ninth of a box below which a part of it has nothing to lose."""


def pictures(folder: Path, split: str, count: int) -> Iterator[Picture]:
    """The middle frames of clips."""
    clips = read_clips(folder, split, lambda text: print(text, file=sys.stderr))
    for clip in clips[:: max(1, len(clips) // count)][:count]:
        frames = list(open_media(clip.path, MediaConfig(short_side_px=HEIGHT)).glances(3))
        yield cv2.resize(frames[len(frames) // 2].picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def logo(shown: Picture, rng: np.random.Generator) -> Planted:
    """An ellipse with letters on it, where stations put theirs."""
    marked = shown.copy()
    wide, high = int(rng.integers(70, 120)), int(rng.integers(40, 70))
    left, top = int(rng.choice([40, WIDTH - 40 - wide])), int(rng.choice([24, HEIGHT - 24 - high]))
    colour, ink = (tuple(int(v) for v in rng.integers(low, low + 100, 3)) for low in (150, 0))
    cv2.rectangle(marked, (left, top), (left + wide - 1, top + high - 1), colour, -1)
    cv2.putText(marked, "TV5", (left + 6, top + high - 12), cv2.FONT_HERSHEY_DUPLEX, wide / 85, ink, 2, cv2.LINE_AA)
    return marked, (left, top, left + wide, top + high)


def subtitle(shown: Picture, rng: np.random.Generator) -> Planted:
    """A line of text with an outline near the bottom."""
    marked = shown.copy()
    words = rng.choice(["so", "this", "is", "where", "it", "was", "all", "along", "never"], 5)
    for thick, ink in ((6, (0, 0, 0)), (2, (255, 255, 255))):
        cv2.putText(marked, " ".join(words), (120, 325), cv2.FONT_HERSHEY_DUPLEX, 1.0, ink, thick, cv2.LINE_AA)
    rows, columns = np.nonzero(np.abs(marked.astype(int) - shown).max(axis=-1) > 20)
    return marked, (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def blur(shown: Picture, rng: np.random.Generator) -> Planted:
    """A box, as faces and number plates are made unreadable."""
    marked = shown.copy()
    wide, high = int(rng.integers(100, 180)), int(rng.integers(70, 120))
    x, y = int(rng.integers(50, WIDTH - 50 - wide)), int(rng.integers(30, HEIGHT - 30 - high))
    marked[y : y + high, x : x + wide] = cv2.GaussianBlur(marked[y : y + high, x : x + wide], (0, 0), 9)
    return marked, (x, y, x + wide, y + high)


def detail(shown: Picture, place: Place) -> float:
    """Mean contrast of fine detail in the flattest ninth of a place."""
    grey = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 4.0))
    left, top, right, bottom = (int(side) for side in place)
    rows = np.array_split(fine[top:bottom, left:right], 3)
    return min(float(part.mean()) for row in rows for part in np.array_split(row, 3, axis=1))


def compressed(shown: Picture, place: Place) -> Planted:
    """JPEG of quality 40."""
    coded = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8), place


def cropped(shown: Picture, place: Place) -> Planted:
    """Fifteen sixteenths of it, scaled up again, and compressed."""
    scale = 16 / 15
    matrix: NDArray[np.float64] = np.array([[scale, 0, -20 * scale], [0, scale, -11 * scale]])
    left, top, right, bottom = place
    moved = ((left - 20) * scale, (top - 11) * scale, (right - 20) * scale, (bottom - 11) * scale)
    return compressed(cv2.warpAffine(shown, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA), moved)


def graded(shown: Picture, place: Place) -> Planted:
    """Darker, with another gamma, less sharp, and compressed."""
    dark = np.clip(255 * (shown / 255) ** 1.3 * 0.85 + 10, 0, 255).astype(np.uint8)
    return compressed(cv2.GaussianBlur(dark, (0, 0), 1.0), place)


PLANTS: Mapping[str, Callable[[Picture, np.random.Generator], Planted]] = {
    "logo": logo, "subtitle": subtitle, "blur": blur,
}  # fmt: skip
EDITS: Mapping[str, Callable[[Picture, Place], Planted]] = {
    "compressed": compressed, "cropped": cropped, "graded": graded,
}  # fmt: skip


def iou(box: Box, place: Place) -> float:
    wide = min(box.right, place[2]) - max(box.left, place[0])
    high = min(box.bottom, place[3]) - max(box.top, place[1])
    both = max(0.0, wide) * max(0.0, high)
    area = (box.right - box.left) * (box.bottom - box.top) + (place[2] - place[0]) * (place[3] - place[1])
    return both / (area - both)


def measure(shown: list[Picture], seed: int) -> dict[str, object]:
    """Share found by thing and edit, boxes beside it, and boxes in pictures where nothing was planted."""
    rng = np.random.default_rng(seed)
    table: dict[str, dict[str, list[float]]] = {name: {edit: [] for edit in EDITS} for name in [*PLANTS, "blur, flat"]}
    others, nothing, laid = [], [], 0
    for picture in shown:
        for edit, change in EDITS.items():
            plain = find_difference(change(picture, (0, 0, 1, 1))[0], picture)
            if plain is None:
                continue  # no local features lay one over the other
            laid += 1
            nothing.append(len(plain.boxes))
            for name, plant in PLANTS.items():
                marked, place = plant(picture, rng)
                kind = "blur, flat" if name == "blur" and detail(picture, place) < FLAT else name
                query, moved = change(marked, place)
                found = find_difference(query, picture)
                best = max((iou(box, moved) for box in found.boxes), default=0.0) if found else 0.0
                table[kind][edit].append(best)
                others.append(len(found.boxes) - (best >= FOUND) if found else 0)
    found_share = {name: {edit: _summary(values) for edit, values in edits.items()} for name, edits in table.items()}
    return {
        "pictures": len(shown), "laid": laid, "found": found_share, "other_boxes": round(float(np.mean(others)), 2),
        "boxes_where_nothing_is": round(float(np.mean(nothing)), 2),
    }  # fmt: skip


def _summary(values: list[float]) -> dict[str, float]:
    if not values:
        return {"count": 0}
    share = float(np.mean(np.array(values) >= FOUND))
    return {"count": len(values), "share": round(share, 3), "median_iou": round(float(np.median(values)), 3)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.differences", description=__doc__)
    parser.add_argument("--clips", type=Path, default=default_data() / "videos" / "clips")
    parser.add_argument("--split", choices=["dev", "test"], default="test")
    parser.add_argument("--count", type=int, default=40, help="pictures (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=FOLDER / "differences.json")
    options = parser.parse_args()
    found = measure(list(pictures(options.clips, options.split, options.count)), options.seed)
    write_results(options.output, {"split": options.split, "seed": options.seed, "least_iou": FOUND, **found})
    print(options.output.read_text())


if __name__ == "__main__":
    main()
