"""`vcd.dedupe` on libraries of made vectors: what is shared is known from construction."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_descriptors import MadeFilm, descriptors
from tests.made_library import EXACT, ROOT, STAT
from vcd.config import Config
from vcd.dedupe import add_known, dedupe, find_known
from vcd.dedupe.clusters import find_clusters
from vcd.dedupe.groups import make_groups
from vcd.dedupe.records import Duplicates, Group, Pair
from vcd.dedupe.spans import length_s, overlap_s, union
from vcd.describe import load_card
from vcd.errors import DataError, LibraryError, LibraryMismatch
from vcd.library import LibraryWriter, MediaRow
from vcd.types import Descriptors, Segment, Span

CONFIG = Config(library=EXACT)
CARD = load_card(CONFIG.describe.model)


def make(folder: Path, items: Iterable[Descriptors], hashes: dict[str, str] | None = None) -> Path:
    """A library of these; those without a hash of their own differ in content."""
    with LibraryWriter.open_or_create(folder, EXACT, CARD.identity, CARD.dimension, {}) as writer:
        for item in items:
            writer.add(item, ROOT, (hashes or {}).get(item.name, f"hash of {item.name}"), STAT, None)
    return folder


def made(
    name: str, pieces: Sequence[tuple[MadeFilm, float, float]], *, gap_s: float = 1.0, phase_s: float = 0.0,
    noise: float = 0.2, height_px: int = 180,
) -> Descriptors:  # fmt: skip
    """Stretches of films (from, to) one after the other, with noise on them."""
    duration_s = sum(to_s - from_s for _, from_s, to_s in pieces)
    times_s = np.arange(phase_s, duration_s, gap_s)
    vectors, begin_s = np.zeros((len(times_s), CARD.dimension)), 0.0
    for film, from_s, to_s in pieces:
        inside = (times_s >= begin_s) & (times_s < begin_s + to_s - from_s)
        vectors[inside] = film.at(from_s + times_s[inside] - begin_s)
        begin_s += to_s - from_s
    scale = np.linalg.norm(vectors, axis=1, keepdims=True) / np.sqrt(CARD.dimension)
    rng = np.random.default_rng([*name.encode()])
    item = descriptors(name, times_s, vectors + noise * scale * rng.normal(size=vectors.shape), duration_s)
    return replace(item, info=replace(item.info, height_px=height_px, width_px=height_px * 16 // 9))


def still(name: str, film: MadeFilm, at_s: float) -> Descriptors:
    return descriptors(name, np.zeros(1), film.at(np.array([at_s])), 0.0, "image")


FILMS = [MadeFilm(seed, dimension=CARD.dimension) for seed in range(12)]
SHARED = MadeFilm(77, dimension=CARD.dimension)


def paths(group: Group) -> list[str]:
    return [group.best.path, *(row.path for row in group.members())]


# --- What is found.


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Duplicates:
    """A film, a larger copy, a part of it, a still of it; a series with one intro; two films that share a part."""
    items = [
        made("film.mp4", [(FILMS[0], 0, 100)]),
        made("film-large.mp4", [(FILMS[0], 0, 100)], phase_s=0.4, height_px=720),
        made("part.mp4", [(FILMS[0], 30, 55), (FILMS[1], 0, 5)], phase_s=0.2),
        still("still.png", FILMS[0], 40.0),
        *(made(f"episode-{n}.mp4", [(SHARED, 0, 20), (FILMS[n], 0, 60)], phase_s=n / 9) for n in range(2, 8)),
        made("mix-a.mp4", [(FILMS[8], 0, 60), (FILMS[9], 0, 20)]),
        made("mix-b.mp4", [(FILMS[9], 0, 20), (FILMS[10], 0, 80)], phase_s=0.3),
        made("alone.mp4", [(FILMS[11], 0, 90)]),
        made("same-1.mp4", [(FILMS[11], 95, 118)]),
        made("same-2.mp4", [(FILMS[11], 95, 118)]),
    ]
    folder = make(tmp_path_factory.mktemp("library"), items, {"same-1.mp4": "same", "same-2.mp4": "same"})
    return dedupe(folder, CONFIG, clusters=3)


def test_copies_parts_and_stills_are_in_the_group_of_the_best_copy(found: Duplicates) -> None:
    assert [sorted(paths(group)) for group in found.groups] == [
        ["film-large.mp4", "film.mp4", "part.mp4", "still.png"], ["same-1.mp4", "same-2.mp4"],
    ]  # fmt: skip
    assert found.groups[0].best.path == "film-large.mp4"


def pair_of(found: Duplicates, *names: str) -> Pair:
    [pair] = [pair for pair in found.pairs if {pair.holder.path, pair.held.path} == set(names)]
    return pair


def test_a_pair_says_how_much_of_each_file_the_other_holds(found: Duplicates) -> None:
    pair = pair_of(found, "film.mp4", "part.mp4")

    assert (pair.holder.path, pair.held.path) == ("film.mp4", "part.mp4")
    assert pair.share_of_held == pytest.approx(25 / 30, abs=0.05)
    assert pair.share_of_holder == pytest.approx(25 / 100, abs=0.03)
    assert pair.relation(0.5) == "part"
    assert pair.relation(0.9) == "overlap"
    assert pair_of(found, "film.mp4", "film-large.mp4").relation(0.9) == "duplicate"


def test_a_still_of_a_film_is_held_by_it_at_its_moment(found: Duplicates) -> None:
    pair = pair_of(found, "film-large.mp4", "still.png")

    assert (pair.share_of_held, pair.share_of_holder) == (1.0, 0.0)
    assert pair.segments[0].reference_span.start_s == pytest.approx(40, abs=1)


def test_files_of_the_same_bytes_are_identical(found: Duplicates) -> None:
    pair = pair_of(found, "same-1.mp4", "same-2.mp4")

    assert (pair.relation(0.5), pair.share_of_held, pair.share_of_holder, pair.score) == ("identical", 1, 1, 1)


def test_an_intro_makes_no_duplicates_and_is_reported(found: Duplicates) -> None:
    [stretch] = found.stretches

    assert stretch.kind == "intro"
    assert [place.row.path for place in stretch.places] == [f"episode-{n}.mp4" for n in range(2, 8)]
    for place in stretch.places:
        assert [place.span.start_s, place.span.end_s] == pytest.approx([0, 20], abs=1.2)
    assert not any("episode" in pair.holder.path for pair in found.pairs)


def test_files_that_share_less_are_a_pair_and_no_group(found: Duplicates) -> None:
    pair = pair_of(found, "mix-a.mp4", "mix-b.mp4")

    assert pair.relation(0.5) == "overlap"
    assert pair.share_of_held == pytest.approx(20 / 80, abs=0.04)
    assert not {"mix-a.mp4", "mix-b.mp4", "alone.mp4"} & {path for group in found.groups for path in paths(group)}


def test_every_file_is_in_one_cluster(found: Duplicates) -> None:
    files = [row.path for cluster in found.clusters for row in cluster.files]

    assert len(found.clusters) == 3
    assert len(files) == len(set(files)) == found.files - 1  # one of the identical ones stands for both


def test_the_index_of_a_large_library_finds_the_same(found: Duplicates, tmp_path: Path) -> None:
    """HNSW, and vectors that the index does not hold yet."""
    items = [made(f"film-{n}.mp4", [(FILMS[n // 2], 10 * (n % 2), 60 + n)], phase_s=n / 17) for n in range(8)]
    make(tmp_path, items[:6])
    with LibraryWriter(tmp_path, Config().library) as writer:
        writer.update_index()
    make(tmp_path, items[6:])

    exact, approximate = dedupe(tmp_path, CONFIG), dedupe(tmp_path, Config())

    assert [paths(group) for group in approximate.groups] == [paths(group) for group in exact.groups]
    assert len(exact.groups) == 4


def test_more_copies_than_candidates_are_one_group(tmp_path: Path) -> None:
    """What the search leaves open is looked at when it would complete a group."""
    make(tmp_path, [made(f"copy-{n:02d}.mp4", [(FILMS[0], 0, 20)], phase_s=n / 40) for n in range(12)])
    few = replace(CONFIG, search=replace(CONFIG.search, candidates=3))

    [group] = dedupe(tmp_path, few).groups

    assert len(group.pairs) == 11


def test_a_library_of_another_model_is_refused(tmp_path: Path) -> None:
    LibraryWriter.open_or_create(tmp_path, EXACT, "other@1", CARD.dimension, {}).close()

    with pytest.raises(LibraryMismatch, match=r"other@1.*describe\.model"):
        dedupe(tmp_path, CONFIG)


def test_an_empty_library_has_no_duplicates(tmp_path: Path) -> None:
    found = dedupe(make(tmp_path, []), CONFIG, clusters=4)

    assert (found.groups, found.pairs, found.stretches, found.clusters, found.files) == ((), (), (), (), 0)


# --- The list of pairs that are none.


def test_a_pair_that_is_no_duplicate_is_left_out_from_then_on(tmp_path: Path) -> None:
    make(tmp_path, [made(f"film {n},.mp4", [(FILMS[0], 0, 40)], phase_s=n / 5) for n in range(2)])
    assert len(dedupe(tmp_path, CONFIG).groups) == 1

    for _ in range(2):
        assert add_known(("film 1,.mp4", str(ROOT / "film 0,.mp4")), tmp_path, CONFIG) == ("film 1,.mp4", "film 0,.mp4")

    found = dedupe(tmp_path, CONFIG)
    assert (found.groups, found.pairs, found.left_out) == ((), (), 1)
    assert find_known(tmp_path) == {frozenset(("film 0,.mp4", "film 1,.mp4"))}


def test_identical_files_can_be_no_duplicates(tmp_path: Path) -> None:
    items = [made(f"{n}.mp4", [(FILMS[0], 0, 20)]) for n in range(3)]
    make(tmp_path, items, {item.name: "same" for item in items})
    add_known(("0.mp4", "2.mp4"), tmp_path, CONFIG)

    [group] = dedupe(tmp_path, CONFIG).groups

    assert sorted(paths(group)) in (["0.mp4", "1.mp4"], ["1.mp4", "2.mp4"])


def test_names_that_are_none_are_refused(tmp_path: Path) -> None:
    make(tmp_path, [made("a.mp4", [(FILMS[0], 0, 20)])])

    with pytest.raises(LibraryError, match=r"b\.mp4"):
        add_known(("a.mp4", "b.mp4"), tmp_path, CONFIG)
    with pytest.raises(LibraryError, match="same file"):
        add_known(("a.mp4", "a.mp4"), tmp_path, CONFIG)
    assert find_known(tmp_path) == set()


@pytest.mark.parametrize("line", ["a.mp4", "a.mp4,b.mp4,c.mp4", "a.mp4,a.mp4"])
def test_a_line_that_names_no_pair_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "not-duplicates.csv").write_text(f"file,other\nx.mp4,y.mp4\n{line}\n")

    with pytest.raises(DataError, match="row 2"):
        find_known(tmp_path)


# --- Groups: rules that hold for any pairs.


def row_of(media_id: int) -> MediaRow:
    return MediaRow(
        id=media_id, path=f"{media_id}.mp4", root="/", content_hash="", size_bytes=1, mtime_ns=0, kind="video",
        duration_s=100.0 - media_id, width_px=320, height_px=180, format="", frames=9, added_at="", part_id=1,
        first_row=0,
    )  # fmt: skip


def pair_from(one: int, other: int, share_of_other: float, share_of_one: float) -> Pair:
    segment = Segment(f"{other}.mp4", f"{one}.mp4", Span(0, 1), Span(0, 1), 1.0)
    return Pair(row_of(one), row_of(other), (segment,), share_of_other, share_of_one)


Shares = dict[tuple[int, int], tuple[float, float]]
SHARES = st.dictionaries(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda ids: ids[0] < ids[1]),
    st.tuples(st.sampled_from([0.1, 0.6, 1.0]), st.sampled_from([0.1, 0.6, 1.0])),
    max_size=25,
)


@given(SHARES, SHARES)
def test_a_group_is_what_its_best_file_holds(seen: Shares, unseen: Shares) -> None:
    everything = {**unseen, **seen}

    def look_at(one: MediaRow, other: MediaRow) -> Pair | None:
        ids = min(one.id, other.id), max(one.id, other.id)
        assert ids not in seen
        return pair_from(*ids, *everything[ids]) if ids in everything else None

    groups, more = make_groups([pair_from(*ids, *shares) for ids, shares in seen.items()], 0.5, look_at)

    def holds(one: int, other: int) -> bool:
        of_other, of_one = everything.get((min(one, other), max(one, other)), (0.0, 0.0))
        return (of_other if one < other else of_one) >= 0.5

    grouped = [row.id for group in groups for row in (group.best, *group.members())]
    assert len(grouped) == len(set(grouped))
    for group in groups:
        assert group.pairs
        assert all(holds(group.best.id, row.id) for row in group.members())
    for one, other in seen:
        assert one in grouped or other in grouped or not (holds(one, other) or holds(other, one))
    assert {(pair.holder.id, pair.held.id) for pair in more} <= set(unseen) - set(seen)


def test_a_chain_is_no_group() -> None:
    """1 is like 0 and like 2, but 0 is nothing like 2."""
    chain = [pair_from(0, 1, 0.6, 0.6), pair_from(1, 2, 0.6, 0.6), pair_from(2, 3, 0.6, 0.6)]

    groups, _ = make_groups(chain, 0.5, lambda *_: None)

    assert [sorted(row.id for row in (group.best, *group.members())) for group in groups] == [[0, 1, 2]]
    assert groups[0].best.id == 1


# --- Sets of moments, against a twin that counts hundredths.

SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda ends: Span(ends[0] / 4, (ends[0] + ends[1]) / 4)),
    max_size=8,
)


def moments(spans: Iterable[Span]) -> set[int]:
    return {step for span in spans for step in range(round(4 * span.start_s), round(4 * span.end_s))}


@given(SPANS, SPANS)
def test_lengths_and_overlaps_are_those_of_sets(some: list[Span], others: list[Span]) -> None:
    assert length_s(some) == pytest.approx(len(moments(some)) / 4)
    assert overlap_s(some, others) == pytest.approx(len(moments(some) & moments(others)) / 4)
    joined = union(some)
    assert all(one.end_s < other.start_s for one, other in pairwise(joined))


# --- Clusters.


def test_clusters_are_what_looks_alike() -> None:
    rng = np.random.default_rng(1)
    middles = np.eye(3, 8)
    looks = {}
    for media_id in range(30):
        vector = middles[media_id % 3] + 0.1 * rng.normal(size=8)
        looks[media_id] = (vector / np.linalg.norm(vector)).astype(np.float32)
    media = {media_id: row_of(media_id) for media_id in looks}

    clusters = find_clusters(looks, media, 3)

    assert sorted(sorted(row.id % 3 for row in cluster.files) for cluster in clusters) == [[0] * 10, [1] * 10, [2] * 10]
    assert find_clusters(looks, media, 3) == clusters
    assert len(find_clusters({0: looks[0], 3: looks[0]}, media, 5)) == 1
