"""A whole corpus from a folder of tiny clips: its split, its plan, its files, and its truth checked by decoding."""

import json
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.corpus import plan as plans
from benchmarks.corpus.__main__ import main
from benchmarks.corpus.clips import Clip, NoMaterial, read_clips, read_films, split_of
from benchmarks.corpus.plan import EXTENTS, Extent, Plan, make_plan
from benchmarks.corpus.pool import SHARES, share_out
from benchmarks.corpus.programmes import Programme
from benchmarks.corpus.queries import Lengths, OtherMaterial
from benchmarks.corpus.truth import HEADER, decimal, shared_stretches
from benchmarks.edits import ARRANGEMENTS, EDITS, STRENGTHS, Piece, Size
from tests.made_clocks import make_clock, read_film
from vcd.evaluate.records import Row, Truth
from vcd.evaluate.tables import read_truth

TINY = Extent(
    programmes_min=(0.5, 0.45, 0.4), distractors_min=(0.25,), film_min=0.2, lengths=Lengths((2, 5), (4, 8)), rounds=0,
    intros=1, no_copy=6, spared=2, size=Size(128, 72),
)  # fmt: skip
SIDES = ("dev",) * 11 + ("test",) * 5
KEEPS_THE_PICTURE = {
    "crf",
    "gop",
    "codec",
    "bitrate",
    "splice",
    "mash-up",
    "out-of-order",
    "shared-intro",
    "frame-drop",
}
"""Edits after which a frame looks like the one it was copied from."""


def tell(line: str) -> None:
    raise AssertionError(f"nothing should be left out: {line}")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen clips of which every frame is another, eleven of them for dev; two of a source each."""
    folder = tmp_path_factory.mktemp("media") / "clips"
    folder.mkdir()
    lines = ["file,source,split"]
    for number, side in enumerate(SIDES):
        make_clock(folder / f"clip-{number:02d}.mp4", number, 26.0 if number < 2 else 9.0, audio=number == 3)
        lines.append(f"clip-{number:02d}.mp4,maker/{side}-{number // 2},{side}")
    (folder / "clips.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    name = next(f"film{number}" for number in range(99) if split_of(f"film{number}") == "dev")
    make_clock(folder / f"{name}.mp4", 20, 14.0)
    return folder


@pytest.fixture(scope="module")
def corpus(clips: Path, films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    build(clips, films, folder)
    return folder


@pytest.fixture(scope="module")
def truth(corpus: Path) -> Truth:
    return read_truth(corpus / "truth.csv")


def build(clips: Path, films: Path, folder: Path, *more: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(plans.EXTENTS, "quick", TINY)  # type: ignore[arg-type]
        main([str(clips), str(folder), "--films", str(films), "--split", "dev", *more])


def tiny_plan(clips: Path, seed: int = 0, split: str = "dev", extent: Extent = TINY) -> Plan:
    return make_plan(read_clips(clips, split, tell), (), Path("/out"), extent, seed, Path("/out/.drawn"))


# Split


@given(st.text(max_size=30))
def test_the_split_of_a_source_never_changes(source: str) -> None:
    assert split_of(source) in ("dev", "test")
    assert split_of(source) == split_of(source)


def test_the_split_is_the_documented_one() -> None:
    """By the first byte of SHA-256 of "385:" and the source, computed elsewhere."""
    assert [split_of(name) for name in ("a/a", "b/b", "c/c", "d/d")] == ["dev", "test", "dev", "dev"]


def test_no_source_is_on_both_sides(clips: Path, tmp_path: Path) -> None:
    bare = tmp_path / "clips"
    bare.mkdir()
    for path in clips.glob("*.mp4"):
        shutil.copy(path, bare)
    lines = (clips / "clips.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "clips.csv").write_text("\n".join(line.rpartition(",")[0] for line in lines), encoding="utf-8")
    for folder in (clips, bare):
        dev, test = (read_clips(folder, side, tell) for side in ("dev", "test"))
        assert len(dev) + len(test) == len(SIDES)
        assert not {clip.source for clip in dev} & {clip.source for clip in test}
    assert all(split_of(clip.source) == "dev" for clip in read_clips(bare, "dev", tell))


def test_without_a_table_every_file_is_a_source(clips: Path, tmp_path: Path) -> None:
    shutil.copy(clips / "clip-04.mp4", tmp_path / "one.mp4")
    shutil.copy(clips / "clip-04.mp4", tmp_path / "two.mp4")
    found = [clip for side in ("dev", "test") for clip in read_clips(tmp_path, side, tell)]
    assert sorted(clip.source for clip in found) == ["one.mp4", "two.mp4"]


def test_a_clip_that_cannot_be_read_is_told_and_left_out(clips: Path, tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text("file,source,split\nbroken.mp4,a,dev\nnone.mp4,a,dev\ngood.mp4,b,dev\n")
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    shutil.copy(clips / "clip-04.mp4", tmp_path / "good.mp4")
    told: list[str] = []
    assert [clip.name for clip in read_clips(tmp_path, "dev", told.append)] == ["good.mp4"]
    assert [line.split(":")[1].strip() for line in told] == ["broken.mp4", "none.mp4"]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("file,source\nx.mp4,\n", "row 2: there must be a file and a source"),
        ("file,source,split\nx,y,train\n", "train"),
    ],
)
def test_a_table_that_says_nothing_is_an_error(table: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text(table, encoding="utf-8")
    with pytest.raises(NoMaterial, match=reason):
        read_clips(tmp_path, "dev", tell)


# Plan


def test_every_clip_has_one_use_and_the_shares_are_kept() -> None:
    made = [Clip(Path(f"{number}.mp4"), f"s{number % 9}", 100 + 13 * (number % 7)) for number in range(60)]
    pool = share_out(made, 3, np.random.default_rng(0))
    uses = {"programme": pool.programme, "distractor": pool.distractor, "foreign": pool.foreign}
    paths = [piece.path for pieces in uses.values() for piece in pieces]
    assert sorted(paths) == sorted(clip.path for clip in made)
    total = sum(clip.frames for clip in made)
    for name, pieces in uses.items():
        assert sum(piece.frames for piece in pieces) / total == pytest.approx(SHARES[name], abs=0.06)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_not_copied_is_in_no_reference(clips: Path, seed: int) -> None:
    plan = tiny_plan(clips, seed)
    shown = [take for one in (*plan.references, *plan.distractors) for take in one.takes]
    for query in plan.queries:
        for piece in query.pieces:
            if not piece.copied:
                twins = [take for take in shown if take.path == piece.path]
                assert all(piece.start_s >= take.end_s + 1 or piece.end_s <= take.start_s for take in twins)


def test_no_take_is_shown_twice_but_the_intro_and_the_outro(clips: Path) -> None:
    plan = tiny_plan(clips)
    takes = [(take.path, take.start_s) for one in (*plan.references, *plan.distractors) for take in one.takes]
    twice = {path.stem for path, start_s in takes if takes.count((path, start_s)) > 1}
    assert twice == {"intro", "outro"}


@pytest.mark.parametrize("size", EXTENTS)
def test_a_corpus_has_every_edit_and_full_has_it_at_every_strength(size: str, clips: Path) -> None:
    plan = tiny_plan(clips, extent=EXTENTS[size])
    done = {(query.edit, query.strength) for query in plan.queries}
    names = {*EDITS, *ARRANGEMENTS}
    assert {edit for edit, _ in done} == {*names, "shared-intro", "no-copy"}
    assert {("speed", strength) for strength in STRENGTHS} <= done
    if size == "full":
        assert {(name, strength) for name in names for strength in STRENGTHS} <= done
    counts = [sum(query.strength == strength for query in plan.queries) for strength in STRENGTHS]
    assert min(counts) > 0.7 * max(counts)
    assert len({query.name for query in plan.queries}) == len(plan.queries)
    assert [one.frames / 25 / 60 for one in plan.references] == pytest.approx(EXTENTS[size].programmes_min)


def test_places_of_copies_do_not_follow_strengths(clips: Path) -> None:
    plan = tiny_plan(clips, extent=EXTENTS["full"])
    places = {
        (query.strength, query.pieces[0].copied, query.pieces[-1].copied)
        for query in plan.queries
        if query.edit in EDITS
    }
    assert len(places) >= 9


def test_the_seed_decides_the_plan(clips: Path) -> None:
    one, again, other = (tiny_plan(clips, seed) for seed in (1, 1, 2))
    assert (one.references, one.queries) == (again.references, again.queries)
    assert one.references != other.references
    assert one.queries != other.queries


def test_too_few_clips_are_an_error(clips: Path, tmp_path: Path) -> None:
    shutil.copy(clips / "clip-04.mp4", tmp_path)
    with pytest.raises(SystemExit, match="too few"):
        main([str(tmp_path), str(tmp_path / "out"), "--split", split_of("clip-04.mp4")])
    with pytest.raises(SystemExit, match="is no folder"):
        main([str(tmp_path / "nowhere"), str(tmp_path / "out")])


@given(st.integers(1, 400), st.integers(0, 50))
def test_other_material_is_as_long_as_asked_for(frames: int, seed: int) -> None:
    stock = OtherMaterial([Piece(Path("a.mp4"), Fraction(2), 90), Piece(Path("b.mp4"), Fraction(0), 400)])
    taken = stock.take(frames, np.random.default_rng(seed))
    assert sum(piece.frames for piece in taken) == frames
    for piece in taken:
        stretch = stock.pieces[0 if piece.path.name == "a.mp4" else 1]
        assert stretch.start_s <= piece.start_s
        assert piece.end_s <= stretch.end_s


# Truth


def programme(name: str, *takes: tuple[str, int, int]) -> Programme:
    made = tuple(Piece(Path(clip), Fraction(start_s), 25 * length_s) for clip, start_s, length_s in takes)
    return Programme(Path(f"{name}.mp4"), "cuts", made)


def test_what_two_programmes_share_is_found_from_their_cuts() -> None:
    one = programme("one", ("intro", 0, 9), ("sign", 0, 3), ("a", 0, 20))
    two = programme("two", ("b", 5, 10), ("intro", 0, 9), ("sign", 0, 3), ("c", 0, 5), ("a", 12, 4))
    both = (one, two)
    found = shared_stretches(one, Fraction(4), Fraction(40), both)
    assert [(each.start_s, each.end_s, each.programme.name, each.shift_s) for each in found] == [
        (24, 28, "two.mp4", 3),
        (4, 12, "two.mp4", 10),
    ]
    assert shared_stretches(two, Fraction(0), Fraction(10), both) == []
    assert shared_stretches(one, Fraction(0), Fraction(1, 2), both) == []


def test_a_clip_shown_twice_in_one_programme_is_in_both_places() -> None:
    one = programme("one", ("a", 0, 5), ("b", 0, 5), ("a", 0, 5))
    found = shared_stretches(one, Fraction(1), Fraction(4), (one,))
    assert [(each.start_s, each.end_s, each.shift_s) for each in found] == [(1, 4, 10)]


@pytest.mark.parametrize(("seconds", "text"), [(Fraction(0), "0"), (Fraction(10, 3), "3.333333"), (Fraction(30), "30")])
def test_times_are_written_short(seconds: Fraction, text: str) -> None:
    assert decimal(seconds) == text


# Files


def test_the_truth_is_one_that_the_evaluation_reads(corpus: Path, truth: Truth) -> None:
    assert (corpus / "truth.csv").read_text().splitlines()[0] == ",".join(HEADER)
    queries = {path.name for path in (corpus / "queries").iterdir()}
    references = {path.name for path in (corpus / "references").iterdir()}
    assert queries == set(truth.queries())
    assert {row.reference for row in truth.copies} <= references
    assert len(truth.queries_without_copy) == TINY.no_copy
    assert {row.edit for row in truth.copies} == {*EDITS, *ARRANGEMENTS, "shared-intro"}
    assert not [path for path in corpus.rglob("*") if ".part" in path.name]


def test_every_span_of_the_truth_lies_in_its_files(corpus: Path, truth: Truth) -> None:
    def length_s(path: Path) -> float:
        with av.open(str(path)) as container:
            return container.duration / 1e6

    for row in truth.copies:
        assert 0 <= row.query_span.start_s < row.query_span.end_s <= length_s(corpus / "queries" / row.query) + 0.1
        assert row.reference_span.end_s <= length_s(corpus / "references" / row.reference) + 0.05


def test_references_have_a_constant_rate_and_the_planned_length(corpus: Path) -> None:
    for name, minutes in zip(
        sorted(path.name for path in (corpus / "references").glob("programme*")), (0.5, 0.45, 0.4), strict=True
    ):
        times_s, _ = read_film(corpus / "references" / name)
        assert times_s == pytest.approx(np.arange(round(minutes * 60 * 25)) / 25)


def test_the_frames_of_a_copy_are_those_that_the_truth_names(corpus: Path, truth: Truth) -> None:
    """Every frame inside looks like its own, and the frames beside a copy do not look like what would follow."""
    references = {path.name: read_film(path)[1] for path in (corpus / "references").iterdir()}
    checked, beside = set(), []
    for row in truth.copies:
        if row.edit in KEEPS_THE_PICTURE:
            beside += check_copy(row, references[row.reference], *read_film(corpus / "queries" / row.query))
            checked.add(row.edit)
    assert checked == KEEPS_THE_PICTURE
    assert np.mean([distance > 40 for distance in beside]) > 0.9


def check_copy(row: Row, reference: list[np.ndarray], times_s: list[float], pictures: list[np.ndarray]) -> list[float]:
    """Distances of the frames just before and just behind the copy."""
    beside = []
    for time_s, picture in zip(times_s, pictures, strict=True):
        frame = round((time_s - row.query_span.start_s + row.reference_span.start_s) * 25)
        inside = row.query_span.start_s <= time_s + 1e-6 < row.query_span.end_s
        if inside:
            assert distance(picture, reference[frame]) < 40, (row, time_s)
        elif min(abs(time_s + 0.04 - row.query_span.start_s), abs(time_s - row.query_span.end_s)) < 0.01:
            beside += [distance(picture, reference[frame])] if 0 <= frame < len(reference) else []
    return beside


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Of gray pictures of one size: two frames of a clock differ in a bar of sixteen at least, by 155 levels."""
    return float(np.median(np.sort(np.abs(one.astype(float) - other).mean(axis=0))[-6:]))


def test_the_facts_say_what_was_made(corpus: Path, clips: Path) -> None:
    facts = json.loads((corpus / "corpus.json").read_text(encoding="utf-8"))
    assert (facts["seed"], facts["split"], facts["size"]) == (0, "dev", "quick")
    assert facts["hours_of_reference"] == pytest.approx((0.5 + 0.45 + 0.4 + 0.25 + 0.2) / 60, abs=1e-4)
    assert len(facts["queries"]) == len(list((corpus / "queries").iterdir()))
    kinds = {query["name"]: query["kind"] for query in facts["queries"]}
    assert facts["hard_negatives"] == [name for name, kind in kinds.items() if kind in ("same-clip", "same-source")]
    assert "same-clip" in kinds.values()
    chains = {query["edit"]: query["steps"] for query in facts["queries"] if query["edit"].startswith("chain")}
    assert [len(chains[name]) for name in sorted(chains)] == [2, 3, 4, 5]
    assert str(clips) not in json.dumps(facts)


def test_a_broken_off_corpus_is_finished_and_nothing_is_made_twice(
    corpus: Path, clips: Path, films: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    shutil.copytree(corpus, again)
    missing = sorted((again / "queries").iterdir())[4]
    before = {path: path.stat().st_mtime_ns for path in again.rglob("*.mp4") if path != missing}
    pictures = read_film(missing)
    missing.unlink()
    (again / "truth.csv").unlink()
    build(clips, films, again)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    times_s, made = read_film(missing)
    assert times_s == pictures[0]
    assert all(np.array_equal(one, other) for one, other in zip(made, pictures[1], strict=True))
    assert (again / "truth.csv").read_bytes() == (corpus / "truth.csv").read_bytes()


def test_another_corpus_in_the_folder_is_left_alone(corpus: Path, clips: Path, films: Path) -> None:
    with pytest.raises(SystemExit, match="holds another corpus"):
        build(clips, films, corpus, "--seed", "1")


def test_films_are_read_by_side(films: Path) -> None:
    assert [len(read_films(films, side, tell)) for side in ("dev", "test")] == [1, 0]
    assert read_films(None, "dev", tell) == ()
