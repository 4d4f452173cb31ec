"""What each clip is used for, and the films that are drawn where there are not clips enough.

No clip is used for two things, but for a long one in a programme: its last third is kept for a query without a copy,
which shows the same scene at another time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.corpus.clips import Clip
from benchmarks.edits import FRAMES_PER_S, Piece, Size
from vcd.demo import canvas
from vcd.demo.encode import Encoding
from vcd.demo.films import Recipe
from vcd.demo.scenes import SCENES

SHARES = {"programme": 0.6, "distractor": 0.12, "foreign": 0.28}
"""Of the seconds of a split."""
LONG_S = 24
"""Clips as long as this can spare their last third."""
GAP_S = 2
"""Between what a programme shows of a clip and what a query without a copy shows of it."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Who may use what; stretches of clips, whole ones unless they are shared with `later`."""

    programme: tuple[Piece, ...]
    distractor: tuple[Piece, ...]
    foreign: tuple[Piece, ...]
    later: tuple[Piece, ...]
    """Last thirds of clips that programmes show the begin of."""


def share_out(clips: Sequence[Clip], spared: int, random: np.random.Generator) -> Pool:
    """Give every clip its use; the last third of `spared` of the longest clips in programmes is kept back."""
    order = [clips[int(number)] for number in random.permutation(len(clips))]
    uses: dict[str, list[Clip]] = {name: [] for name in SHARES}
    for clip in order:
        uses[min(SHARES, key=lambda name: _had(uses[name], clip) / SHARES[name])].append(clip)
    shown, later = [], []
    longest = sorted(uses["programme"], key=lambda clip: (-clip.frames, clip.name))[:spared]
    for clip in uses["programme"]:
        if clip in longest and clip.frames >= LONG_S * FRAMES_PER_S:
            end = clip.frames * 2 // 3
            start = end + GAP_S * FRAMES_PER_S
            shown.append(whole(clip, 0, end))
            later.append(whole(clip, start, clip.frames))
        else:
            shown.append(whole(clip))
    rest = (tuple(whole(clip) for clip in uses[name]) for name in ("distractor", "foreign"))
    return Pool(tuple(shown), *rest, tuple(later))


def _had(used: Sequence[Clip], clip: Clip) -> float:
    """Frames that a use has; those of the clip's own source count more, so that sources are spread over the uses."""
    return sum(one.frames * (1.5 if one.source == clip.source else 1.0) for one in used)


def whole(clip: Clip, first: int = 0, stop: int | None = None) -> Piece:
    """Frames [first, stop) of a clip."""
    return Piece(clip.path, Fraction(first, FRAMES_PER_S), (clip.frames if stop is None else stop) - first)


def part(piece: Piece, first: int, frames: int) -> Piece:
    """So many frames of a stretch, from its frame `first`."""
    if first < 0 or first + frames > piece.frames:
        raise ValueError(f"frames {first} to {first + frames} are not all in a stretch of {piece.frames}")
    return Piece(piece.path, piece.start_s + Fraction(first, FRAMES_PER_S), frames, piece.copied)


def drawn(path: Path, frames: int, seed: int, shots_s: tuple[float, float], size: Size) -> tuple[Piece, Recipe]:
    """A film that is drawn, as a piece, and how to draw it."""
    length_s = frames / FRAMES_PER_S
    shortest_s, longest_s = (min(length, length_s) for length in shots_s)
    encoding = Encoding(size=canvas.Size(size.width_px, size.height_px), frames_per_s=FRAMES_PER_S, crf=28)
    recipe = Recipe(
        name=path.stem, seed=seed, scenes=tuple(SCENES), shortest_s=shortest_s, longest_s=longest_s,
        length_s=length_s, encoding=encoding,
    )  # fmt: skip
    return Piece(path, Fraction(0), frames), recipe
