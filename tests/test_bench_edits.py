"""Every edit at every strength on a tiny film; what it says about times is checked against decoded pictures."""

from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.edits import (
    ARRANGEMENTS,
    CHAINS,
    EDITS,
    SINGLE,
    STRENGTHS,
    Edited,
    Piece,
    Size,
    TimeMap,
    arrange,
    cut_up,
    make_film,
    steps,
)
from benchmarks.edits.ffmpeg_run import EditFailed
from benchmarks.edits.film import KINDS
from benchmarks.edits.table import draw_chain
from tests.made import make_video, steady
from tests.made_clocks import FOREIGN, make_clock, read_clock, read_film

SMALL = Size(128, 72)
STEP_S = 1 / 25
OTHER_RATE = {"frame-drop", "frame-rate"}
OTHER_SPEED = {"speed", "reverse"}
RANDOM = ["noise", "frame-drop", "perspective", "text", "watermark", "sticker", "screen", "pip-small", "chain-5"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.2 s with sound."""
    path = tmp_path_factory.mktemp("edits") / "scene.mp4"
    return make_video(path, steady(1.2, 25), size=(128, 72), audio=True)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Film 1, 6 s."""
    return make_clock(tmp_path_factory.mktemp("edits") / "clock.mp4", 1, 6.0)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clock(tmp_path_factory.mktemp("edits") / "foreign.mp4", FOREIGN, 6.0)


def edit(path: Path, pieces: tuple[Piece, ...], name: str | None, strength: str, other: Path, seed: int = 3) -> Edited:
    return make_film(path, pieces, name, strength, seed, lambda frames: (Piece(other, Fraction(0), frames),), SMALL)


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]


# All edits


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_keeps_length_and_sound_at_every_strength(
    name: str, scene: Path, foreign: Path, tmp_path: Path
) -> None:
    found = []
    for strength in STRENGTHS:
        edited = edit(tmp_path / f"{strength}.mp4", (Piece(scene, Fraction(0), 30),), name, strength, foreign)
        length_s = float(edited.placed[0].end_s)
        assert edited.placed[0].start_s == 0
        assert length_s == pytest.approx(1.2 * abs(float(edited.times.scale)))
        with av.open(str(edited.path)) as container:
            times_s = [frame.time for frame in container.decode(video=0)]
            sound_s = float(container.streams.audio[0].duration * container.streams.audio[0].time_base)
        done = set(steps(name, 3))
        assert times_s[0] == 0
        assert times_s[-1] == pytest.approx(length_s - STEP_S, abs=0.17 if done & OTHER_RATE else STEP_S + 1e-6)
        if not done & (OTHER_RATE | OTHER_SPEED):
            assert times_s == pytest.approx(np.arange(30) / 25)
        assert sound_s == pytest.approx(length_s, abs=0.1)
        found.append(pictures(edited.path))
    # key frames 10 s apart and none at all are the same in so short a film
    for one, other in ((0, 1), (0, 2)) if name == "gop" else ((0, 1), (1, 2), (0, 2)):
        assert not same(found[one], found[other]), "two strengths give the same pictures"


def same(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    return len(some) == len(others) and all(np.array_equal(a, b) for a, b in zip(some, others, strict=True))


@pytest.mark.parametrize("name", RANDOM)
def test_the_seed_decides_what_an_edit_shows(name: str, scene: Path, foreign: Path, tmp_path: Path) -> None:
    piece = (Piece(scene, Fraction(0), 15),)
    first, again, differs = (
        pictures(edit(tmp_path / f"{number}.mp4", piece, name, "medium", foreign, seed).path)
        for number, seed in enumerate((1, 1, 2))
    )
    assert same(first, again)
    assert not same(first, differs)


@pytest.mark.parametrize(
    "name", ["blur", "noise", "contrast", "brightness", "resolution", "crf", "text", "rotate", "crop"]
)
def test_harder_is_farther_from_the_original(name: str, scene: Path, foreign: Path, tmp_path: Path) -> None:
    piece = (Piece(scene, Fraction(0), 5),)
    plain = pictures(edit(tmp_path / "plain.mp4", piece, None, "mild", foreign).path)[0][:72]
    distances = []
    for strength in STRENGTHS:
        made = edit(tmp_path / f"{strength}.mp4", piece, name, strength, foreign)
        with av.open(str(made.path)) as container:
            frame = next(container.decode(video=0)).reformat(128, 72, "gray").to_ndarray()
        distances.append(np.abs(frame.astype(float) - plain).mean())
    assert distances[0] < distances[1] < distances[2]


def test_an_edit_that_ffmpeg_refuses_leaves_no_file(tmp_path: Path, foreign: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(foreign.read_bytes()[:3000])
    with pytest.raises((EditFailed, av.error.FFmpegError)):
        edit(tmp_path / "out.mp4", (Piece(broken, Fraction(0), 5),), "crop", "mild", foreign)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.mp4"]


@pytest.mark.parametrize("strength", ["", "harder"])
def test_an_unknown_strength_is_refused(strength: str, tmp_path: Path, foreign: Path) -> None:
    with pytest.raises(ValueError, match="strength"):
        edit(tmp_path / "out.mp4", (Piece(foreign, Fraction(0), 5),), "crop", strength, foreign)


# Times


def check_times(edited: Edited) -> None:
    """Each frame shows the frame of the clock that the truth says, and nothing of it outside the copied stretches."""
    times_s, shown = read_film(edited.path)
    copied = [placed for placed in edited.placed if placed.piece.copied]
    seen = 0
    for time_s, picture in zip(times_s, shown, strict=True):
        film, frame = read_clock(picture)
        moment = Fraction(time_s).limit_denominator(10_000)
        placed = next((one for one in copied if one.start_s <= moment < one.end_s), None)
        if placed is None:
            assert film == FOREIGN
            continue
        origin_s = placed.start_s if edited.times.scale > 0 else placed.end_s
        row = (placed.piece.start_s + (moment - origin_s) / edited.times.scale) * 25
        # backwards, a moment is the end of the frame that is shown from then on
        assert (film, frame) == (1, floor(row) if edited.times.scale > 0 else ceil(row) - 1)
        seen += 1
    assert seen >= 5


def query(clock: Path, foreign: Path) -> tuple[Piece, ...]:
    return (
        Piece(foreign, Fraction(0), 20),
        Piece(clock, Fraction(1), 40, copied=True),
        Piece(foreign, Fraction(2), 15),
    )


@pytest.mark.parametrize(
    "name", [None, "crf", "gop", "codec", "resolution", "noise", "brightness", "frame-drop", "text"]
)
def test_copied_frames_stand_exactly_where_the_truth_says(
    name: str | None, clock: Path, foreign: Path, tmp_path: Path
) -> None:
    edited = edit(tmp_path / "out.mp4", query(clock, foreign), name, "medium", foreign)
    assert [(one.start_s, one.end_s) for one in edited.placed] == [
        (0, Fraction(20, 25)), (Fraction(20, 25), Fraction(60, 25)), (Fraction(60, 25), 3)
    ]  # fmt: skip
    check_times(edited)


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("name", ["speed", "reverse"])
def test_the_truth_follows_speed_and_reversal(
    name: str, strength: str, clock: Path, foreign: Path, tmp_path: Path
) -> None:
    edited = edit(tmp_path / "out.mp4", query(clock, foreign), name, strength, foreign)
    assert (edited.times.scale < 0) == (name == "reverse")
    check_times(edited)


def test_another_rate_of_frames_moves_no_time(clock: Path, foreign: Path, tmp_path: Path) -> None:
    check_times(edit(tmp_path / "out.mp4", query(clock, foreign), "frame-rate", "hard", foreign))


def test_speed_is_1_2_at_medium_and_between_0_8_and_1_5_always(clock: Path, foreign: Path, tmp_path: Path) -> None:
    for seed in range(4):
        for strength in STRENGTHS:
            made = edit(
                tmp_path / f"{seed}{strength}.mp4", (Piece(clock, Fraction(0), 12),), "speed", strength, foreign, seed
            )
            assert Fraction(4, 5) <= made.times.speed <= Fraction(3, 2)
            assert strength != "medium" or made.times.speed == Fraction(6, 5)


moments = st.fractions(min_value=0, max_value=1000, max_denominator=1000)
maps = st.builds(TimeMap, st.fractions(-5, 5, max_denominator=50).filter(bool), moments)


@given(maps, maps, moments, moments)
def test_two_edits_move_a_stretch_as_one_does(first: TimeMap, second: TimeMap, one: Fraction, other: Fraction) -> None:
    start_s, end_s = sorted((one, other))
    assert first.then(second).span(start_s, end_s) == second.span(*first.span(start_s, end_s))
    begin, stop = first.span(start_s, end_s)
    assert stop - begin == (end_s - start_s) * abs(first.scale)
    assert first.scale * first.speed == 1


# Several copied stretches


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_every_part_of_an_arrangement_is_where_the_truth_says(
    name: str, strength: str, clock: Path, foreign: Path, tmp_path: Path
) -> None:
    arrangement = ARRANGEMENTS[name]
    parts = cut_up(Piece(clock, Fraction(1), 100, copied=True), arrangement.count(strength))

    def other(frames: int) -> tuple[Piece, ...]:
        return (Piece(foreign, Fraction(0), frames),)

    pieces = arrange(arrangement, parts, other, np.random.default_rng(1))
    edited = edit(tmp_path / "out.mp4", pieces, None, strength, foreign)
    copied = [placed.piece for placed in edited.placed if placed.piece.copied]
    assert sorted(copied, key=lambda piece: piece.start_s) == list(parts)
    assert (copied != list(parts)) == arrangement.shuffled
    assert (len(pieces) > len(copied)) == arrangement.foreign_between
    check_times(edited)


@given(st.integers(1, 500), st.integers(1, 8))
def test_a_stretch_cut_up_is_whole_again(frames: int, count: int) -> None:
    count = min(count, frames)
    parts = cut_up(Piece(Path("x.mp4"), Fraction(3), frames, copied=True), count)
    assert len(parts) == count
    assert (parts[0].start_s, parts[-1].end_s) == (3, 3 + Fraction(frames, 25))
    assert all(one.end_s == other.start_s for one, other in pairwise(parts))
    assert max(part.frames for part in parts) - min(part.frames for part in parts) <= 1


# Chains


@given(st.integers(2, 5), st.integers(0, 10_000))
def test_a_chain_has_different_kinds_of_edits_in_a_sensible_order(length: int, seed: int) -> None:
    names = draw_chain(length, np.random.default_rng(seed))
    kinds = [KINDS.index(SINGLE[name].kind) for name in names]
    assert len(names) == length
    assert kinds == sorted(set(kinds))
    assert steps(f"chain-{length}", seed) == names


def test_chains_reach_every_edit() -> None:
    drawn = {name for seed in range(300) for name in draw_chain(3, np.random.default_rng(seed))}
    assert drawn == set(SINGLE)
    assert list(CHAINS) == ["chain-2", "chain-3", "chain-4", "chain-5"]
