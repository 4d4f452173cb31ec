"""The image benchmark on made pictures: what it makes, how it scores, and what every method must do."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmarks.corpus.clips import split_of
from benchmarks.images.__main__ import main
from benchmarks.images.corpus import Corpus, Plan, make_corpus
from benchmarks.images.edits import EDITS, crop, edited, jpeg
from benchmarks.images.evaluate import ALL, measure, score_describer
from benchmarks.images.frames import distractor_videos, frames_of
from benchmarks.images.methods import METHODS, make_method
from benchmarks.images.rerank import COMPARED, Reranker
from benchmarks.images.scores import BACKGROUND_WEIGHT, best_pairs, nearest_bias, score
from benchmarks.images.sheet import accuracy_sheet, methods_sheet
from benchmarks.images.stored import Item, encode, read_items, write_items
from benchmarks.images.twins import LEAST_AGREEING, agreeing, distinct, find_features
from benchmarks.images.views import VIEWS, mirrored, parts
from tests.conftest import MakeFilm
from tests.made_images import make_image
from tests.made_networks import make_card
from tests.made_scenes import picture
from vcd.align import load_calibration
from vcd.describe import load_card
from vcd.errors import InputError, UnknownName
from vcd.local.features import FINDERS
from vcd.types import Picture

NAMES = [
    "jpeg+blur", "crop 90%", "crop 70%", "crop 50%", "crop 30% area", "letterbox", "logo+text", "picture-in-picture",
    "behind", "mirror", "rotation 5", "grey+contrast", "compound",
]  # fmt: skip
EASY = {"sift-words": "crop 90%"}
"""What a method must find at least, where that is not blurred JPEG: blur takes the features away."""
SHOWN, OTHER = picture(1, 0), picture(2, 0)


def write_pictures(path: Path, first: int, count: int) -> Path:
    write_items(path, [Item(f"{scene:03}", "made", encode(picture(scene, 0))) for scene in range(first, first + count)])
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """17 pictures to measure on, 6 to train on; laid out as the real data are."""
    folder = tmp_path_factory.mktemp("data")
    write_pictures(folder / "eval" / "eval-00.parquet", 0, 17)
    write_pictures(folder / "train" / "train-00.parquet", 100, 6)
    return folder


@pytest.fixture(scope="module")
def plan(data: Path) -> Plan:
    return Plan(
        pictures=data / "eval" / "eval-00.parquet", background=data / "train", edits=("jpeg+blur", "crop 90%", "mirror")
    )


@pytest.fixture(scope="module")
def corpus(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_corpus(plan, tmp_path_factory.mktemp("cache"))


# Edits


def test_the_edits_are_those_that_the_targets_name() -> None:
    assert list(EDITS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_edit_is_the_same_each_time_and_leaves_its_input_alone(name: str) -> None:
    shown, other = SHOWN.copy(), OTHER.copy()
    made = edited(shown, other, name, 0, "a")
    assert np.array_equal(made, edited(shown, other, name, 0, "a"))
    assert np.array_equal(shown, SHOWN)
    assert np.array_equal(other, OTHER)
    assert made.dtype == np.uint8
    assert made.shape != SHOWN.shape or not np.array_equal(made, SHOWN)


@pytest.mark.parametrize("name", ["crop 30% area", "letterbox", "logo+text", "behind", "compound"])
def test_an_edit_differs_from_picture_to_picture_and_seed_to_seed(name: str) -> None:
    by_picture = {edited(SHOWN, OTHER, name, 0, picture_id).tobytes() for picture_id in "abcdef"}
    by_seed = {edited(SHOWN, OTHER, name, seed, "a").tobytes() for seed in range(6)}
    assert len(by_picture) > 3
    assert len(by_seed) > 3
    assert len(by_picture & by_seed) < 3


@pytest.mark.parametrize(("name", "share"), [("crop 90%", 0.9), ("crop 70%", 0.7), ("crop 50%", 0.5)])
def test_a_crop_keeps_the_centre_and_its_share_of_each_side(name: str, share: float) -> None:
    made = edited(SHOWN, OTHER, name, 0, "a")
    height, width = round(180 * share), round(320 * share)
    top, left = (180 - height) // 2, (320 - width) // 2
    assert np.array_equal(made, SHOWN[top : top + height, left : left + width])


@pytest.mark.parametrize("number", range(5))
def test_the_crop_by_area_keeps_thirty_percent(number: int) -> None:
    made = edited(SHOWN, OTHER, "crop 30% area", 0, str(number))
    assert made.shape[0] * made.shape[1] / (180 * 320) == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("number", range(8))
def test_a_letterbox_adds_black_bars_on_two_sides_only(number: int) -> None:
    made = edited(SHOWN, OTHER, "letterbox", 0, str(number))
    rows, columns = (made.shape[0] - 180) // 2, (made.shape[1] - 320) // 2
    assert (rows == 0) != (columns == 0)
    assert np.array_equal(made[rows : rows + 180, columns : columns + 320], SHOWN)
    assert made.sum() == SHOWN.sum()


def test_a_mirror_image_mirrored_is_the_picture() -> None:
    assert np.array_equal(edited(SHOWN, OTHER, "mirror", 0, "a")[:, ::-1], SHOWN)


@pytest.mark.parametrize(("name", "outer"), [("picture-in-picture", OTHER), ("behind", SHOWN)])
def test_one_picture_lies_inside_the_other(name: str, outer: Picture) -> None:
    made = edited(SHOWN, OTHER, name, 0, "a")
    changed = (made != outer).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert made.shape == outer.shape
    assert 0.1 < (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1) / changed.size < 0.45


def test_grey_has_no_colour() -> None:
    made = edited(SHOWN, OTHER, "grey+contrast", 0, "a")
    assert np.array_equal(made[..., 0], made[..., 1])
    assert np.array_equal(made[..., 0], made[..., 2])


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60), st.just(3))), st.sampled_from(NAMES))
def test_no_picture_is_too_small_for_an_edit(shown: Picture, name: str) -> None:
    made = edited(shown, OTHER, name, 0, "a")
    assert made.ndim == 3
    assert made.size > 0


# Scores


def test_scores_computed_by_hand() -> None:
    found = score(np.array([[0.9, 0.1, 0.2], [0.8, 0.7, 0.0], [0.0, 0.0, 0.6]], dtype=np.float32), np.array([0, 1, -1]))
    # Ranking: 0.9 right, 0.8 wrong, 0.7 right, ...
    assert found.micro_ap == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert found.rank_1 == 0.5
    assert found.recall_at_p90 == 0.5


def test_what_is_as_similar_as_the_original_comes_before_it() -> None:
    found = score(np.array([[0.5, 0.5]], dtype=np.float32), np.array([0]))
    assert (found.micro_ap, found.rank_1, found.recall_at_p90) == (0.5, 0.0, 0.0)


def test_a_similarity_that_is_no_number_is_an_error() -> None:
    with pytest.raises(ValueError, match="not finite"):
        score(np.array([[np.nan, 0.5]], dtype=np.float32), np.array([0]))


SMALL = hnp.arrays(np.int8, st.tuples(st.integers(1, 6), st.integers(2, 6)), elements=st.integers(-3, 3))


@given(SMALL, st.data())
def test_scores_are_those_of_the_obvious_way(table: np.ndarray, draw: st.DataObject) -> None:
    queries, references = table.shape
    originals = np.array(draw.draw(st.lists(st.integers(-1, references - 1), min_size=queries, max_size=queries)))
    originals[0] = max(0, originals[0])
    pairs = sorted((-int(table[q, r]), r == originals[q]) for q in range(queries) for r in range(references))
    ranked = [right for _, right in pairs]
    copies = int((originals >= 0).sum())
    precisions = [sum(ranked[:rank]) / rank for rank in range(1, len(ranked) + 1)]
    firsts = [
        all(table[q, originals[q]] > table[q, r] for r in range(references) if r != originals[q])
        for q in range(queries)
        if originals[q] >= 0
    ]

    found = score(table.astype(np.float32), originals)

    assert found.micro_ap == pytest.approx(
        sum(p for p, right in zip(precisions, ranked, strict=True) if right) / copies
    )
    assert found.rank_1 == pytest.approx(sum(firsts) / copies)
    reached = [sum(ranked[:rank]) for rank in range(1, len(ranked) + 1) if 10 * sum(ranked[:rank]) >= 9 * rank]
    assert found.recall_at_p90 == pytest.approx(max(reached, default=0) / copies)


@given(SMALL, st.integers(1, 40))
def test_the_best_pairs_are_all_those_above_some_similarity(table: np.ndarray, count: int) -> None:
    found = best_pairs(table.astype(np.float32), count)
    assert len(found) <= max(count, 0)
    lowest = min((row.score for row in found), default=np.inf)
    assert len(found) == (table >= lowest).sum()
    if table.size <= count:
        assert len(found) == table.size


def test_normalising_takes_off_what_a_query_resembles_anyway() -> None:
    bias = nearest_bias(np.array([[0.0, -1.0], [0.5, 0.25]], dtype=np.float32))
    assert bias == pytest.approx([0.0, BACKGROUND_WEIGHT / 2])


def test_a_model_with_a_background_of_its_own_is_normalised_by_it(corpus: Corpus) -> None:
    pdq = make_method("pdq").make(corpus, 1)
    vectors = pdq.describe([SHOWN, OTHER, *[item.picture() for item in corpus.background()[:4]]])

    class WithBackground:
        background = vectors

        def describe(self, pictures):
            return pdq.describe(pictures)

    own, corpus_given = measure(WithBackground(), corpus), measure(pdq, corpus)
    assert own.by_edit == corpus_given.by_edit
    assert own.normalised != corpus_given.normalised


# Pictures on disk


def test_a_folder_of_pictures_is_read_by_name(tmp_path: Path) -> None:
    for number in (2, 1):
        make_image(tmp_path / f"{number}.png", number)
    (tmp_path / "notes.txt").write_text("no picture")
    items = read_items(tmp_path)
    assert [item.id for item in items] == ["1.png", "2.png"]
    assert np.abs(items[0].picture().astype(int) - picture(1, 0)).mean() < 3


def test_pictures_come_back_from_a_file_as_they_went_in(tmp_path: Path) -> None:
    items = read_items(write_pictures(tmp_path / "a.parquet", 0, 3))
    assert [item.id for item in items] == ["000", "001", "002"]
    assert items[1].picture().shape == SHOWN.shape
    assert items[1].picture(90).shape == (90, 160, 3)


def test_pictures_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"], "image": [b""]}), tmp_path / "lacks.parquet")
    with pytest.raises(InputError, match=r"lacks\.parquet: lacks the column 'source'"):
        read_items(tmp_path / "lacks.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"broken\.parquet: is no readable Parquet"):
        read_items(tmp_path / "broken.parquet")
    with pytest.raises(InputError, match="holds no pictures"):
        read_items(tmp_path / "nothing here")
    with pytest.raises(InputError, match="a: is no picture"):
        Item("a", "made", b"no picture").picture()


# Corpus


def test_the_corpus_has_copies_of_references_and_queries_without(corpus: Corpus) -> None:
    references = [item.id for item in corpus.references()]
    assert (len(references), corpus.copied, corpus.foreign, corpus.backgrounds) == (15, 5, 2, 6)
    queries = corpus.queries("mirror")
    assert [item.id for item in queries[:5]] == [f"mirror/{name}" for name in references[:5]]
    assert {item.id.removeprefix("mirror/") for item in queries[5:]}.isdisjoint(references)
    back = queries[0].picture()[:, ::-1].astype(int)
    assert np.abs(back - corpus.references()[0].picture()).mean() < 3


def test_a_corpus_is_made_once_and_what_is_missing_of_it_again(plan: Plan, corpus: Corpus) -> None:
    told: list[str] = []
    assert make_corpus(plan, corpus.folder.parents[1], told.append) == corpus
    assert told == []
    lost = corpus.folder / "queries" / "09.parquet"
    before = lost.read_bytes()
    lost.unlink()
    make_corpus(plan, corpus.folder.parents[1], told.append)
    assert len(told) == 1
    assert lost.read_bytes() == before


def test_of_pictures_that_show_the_same_one_stays() -> None:
    flat = np.full((90, 160, 3), 90, dtype=np.uint8)
    shown = [SHOWN, OTHER, crop(SHOWN, 0.7), picture(3, 0), jpeg(OTHER, 30), crop(SHOWN, 0.8, None, 1.3), flat]
    assert distinct(shown) == [0, 1, 3, 6]
    assert distinct([picture(scene, 0) for scene in range(12)]) == list(range(12))


def test_chance_agrees_on_nothing() -> None:
    whole, part, other = (find_features(shown) for shown in (SHOWN, crop(SHOWN, 0.7), OTHER))
    assert agreeing(whole, part) >= LEAST_AGREEING > agreeing(whole, other)


def test_another_seed_is_another_corpus(plan: Plan, corpus: Corpus, tmp_path: Path) -> None:
    other = make_corpus(replace(plan, seed=1, edits=()), tmp_path)
    assert other.digest != corpus.digest
    assert [item.id for item in other.references()] != [item.id for item in corpus.references()]


def test_a_smaller_corpus_keeps_its_queries_beside_their_originals(corpus: Corpus) -> None:
    small = corpus.smaller(2, 1, 0, 3)
    assert small.digest != corpus.digest
    whole = corpus.queries("mirror")
    assert small.queries("mirror") == [*whole[:2], whole[5]]
    assert len(small.references()) == 15
    assert len(small.background()) == 3


def test_pictures_that_leave_no_query_without_a_copy_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too few"):
        make_corpus(Plan(pictures=write_pictures(tmp_path / "one.parquet", 0, 1)), tmp_path)


def test_distractors_are_frames_of_test_clips_and_long_films(tmp_path: Path, made_film: MakeFilm) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "long").mkdir()
    for name, first in (("clips/a.mp4", 0), ("clips/b.mp4", 10), ("long/c.mp4", 20)):
        (tmp_path / name).write_bytes(made_film(6, first).read_bytes())
    with (tmp_path / "clips.csv").open("w", newline="") as text:
        csv.writer(text).writerows([["file", "source", "split"], ["a.mp4", "x", "dev"], ["b.mp4", "y", "test"]])

    videos = distractor_videos(tmp_path)
    frames = list(frames_of(videos, 12))

    assert [path.name for path in videos] == ["b.mp4", "c.mp4"]
    assert [item.id for item in frames[:3]] == ["b.mp4@0.000", "b.mp4@1.000", "b.mp4@2.000"]
    assert 11 <= len(frames) <= 12  # two of them may show the same
    assert np.abs(frames[2].picture().astype(int) - picture(11, 2, (160, 90))).mean() < 12


def test_a_source_is_in_one_split_for_good() -> None:
    """Known values: the descriptor trained on `dev`; this must not move under it."""
    assert split_of("snap-research/Panda-70M") == "dev"
    assert split_of("shaka-project/shaka-player") == "test"


# Views


@pytest.mark.parametrize("name", VIEWS)
def test_the_first_view_is_the_picture_itself(name: str) -> None:
    for shown in (SHOWN, np.zeros((1, 1, 3), dtype=np.uint8)):
        views = VIEWS[name](shown)
        assert views[0] is shown
        assert all(view.size for view in views)


def test_some_window_holds_most_of_a_picture_in_a_picture() -> None:
    canvas = np.zeros((180, 320, 3), dtype=np.uint8)
    canvas[80:180, 150:320] = 255
    assert max(float(view.mean()) for view in parts(canvas)) > 0.8 * 255


def test_a_query_is_as_similar_as_its_best_view(corpus: Corpus) -> None:
    describer = make_method("pdq").make(corpus, 1)
    alone, viewed = measure(describer, corpus), measure(describer, corpus, mirrored)
    assert alone.by_edit["mirror"].micro_ap < 0.5
    assert viewed.by_edit["mirror"].micro_ap == viewed.by_edit["jpeg+blur"].micro_ap == 1.0


# Methods


@pytest.mark.parametrize("name", METHODS)
def test_every_method_finds_slightly_changed_pictures(name: str, corpus: Corpus) -> None:
    method = make_method(name)
    describer = method.make(corpus, 1)
    one = describer.describe([SHOWN])
    assert one.dtype == np.float32
    assert describer.describe([OTHER, SHOWN])[1:] == pytest.approx(one, abs=1e-5)

    found = measure(describer, corpus)

    assert found.by_edit[EASY.get(name, "jpeg+blur")].rank_1 >= 0.8
    assert set(found.by_edit) == set(found.normalised) == {"jpeg+blur", "crop 90%", "mirror", ALL}
    assert found.microseconds > 0
    assert 0 < method.bytes_a_picture(found) <= 2 * found.dimension


def test_hashes_know_their_size(corpus: Corpus) -> None:
    for name, size in (("phash", 8), ("pdq", 32)):
        method = make_method(name)
        assert method.bytes_a_picture(measure(method.make(corpus, 1), corpus)) == size


def test_an_unknown_method_is_an_error() -> None:
    with pytest.raises(UnknownName, match="pqd"):
        make_method("pqd")


class Constant:
    """Finds all pictures alike."""

    def describe(self, pictures: Sequence[Picture]) -> np.ndarray:
        return np.ones((len(pictures), 2), dtype=np.float32)


def test_a_describer_that_knows_nothing_scores_nothing(corpus: Corpus) -> None:
    table = score_describer(Constant(), corpus)
    assert table["plain"]["mirror"]["rank_1"] == table["plain"]["mirror"]["recall_at_p90"] == 0.0
    assert table["plain"]["mirror"]["micro_ap"] < 0.2
    assert set(table) == {"plain", "normalised"}


# The command


def run(data: Path, cache: Path, *arguments: str) -> None:
    main(["--data", str(data), "--cache", str(cache), "--edits", "jpeg+blur", "crop 90%", *arguments])


def test_the_command_measures_prints_and_remembers(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    card, output = make_card(tmp_path / "model"), tmp_path / "images.json"
    arguments = ["--methods", "phash", str(card), "--views", "mirrored", "--output", str(output)]
    run(data, tmp_path / "cache", *arguments)
    first, told = json.loads(output.read_text()), capfd.readouterr()
    run(data, tmp_path / "cache", *arguments)
    second, told_again = json.loads(output.read_text()), capfd.readouterr().err

    rows = [(row["method"], row["views"]) for row in first["methods"]]
    assert rows == [("phash", ""), ("phash", "mirrored"), ("made", ""), ("made", "mirrored")]
    assert first["corpus"]["references"] == 15
    assert first["methods"][0]["bytes"] == 8
    assert accuracy_sheet(first) in told.out
    assert "| crop 90% |" in told.out
    assert second["methods"] == first["methods"]
    assert told_again.count("measured before") == 4
    assert str(tmp_path) not in output.read_text()


def test_a_model_alone_is_shown_and_not_written(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.images.__main__.FOLDER", tmp_path / "results")
    run(data, tmp_path / "cache", "--model", str(make_card(tmp_path / "model")), "--quick")
    assert "| made | made, normalised |" in capsys.readouterr().out
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(["--methods", "pqd"], "pqd"), (["--model", "no.toml"], "no.toml"), (["--pictures", "no"], "holds no pictures")],
)
def test_what_cannot_be_measured_is_said(data: Path, tmp_path: Path, arguments: list[str], reason: str) -> None:
    with pytest.raises(SystemExit, match=rf"benchmarks\.images: .*{reason}"):
        run(data, tmp_path / "cache", *arguments)


def test_a_crop_never_leaves_the_picture() -> None:
    random = np.random.default_rng(0)
    for aspect in (0.2, 1.0, 5.0):
        assert crop(SHOWN, 0.9, random, aspect).size > 0


# Re-ranking


def test_local_features_find_the_original_where_the_descriptor_only_nearly_does(corpus: Corpus) -> None:
    """The originals come second in the descriptor's order, and a hair behind."""
    calibration = load_calibration("vcd-rmac", load_card("vcd-rmac").unrelated_similarity)
    references, queries = corpus.references(), corpus.queries("crop 90%")
    similarities = np.full((len(queries), len(references)), 0.2, dtype=np.float32)
    similarities[:, -COMPARED + 1 :] = 0.3
    right = np.arange(corpus.copied)
    similarities[right, right] = 0.28

    found = Reranker(references, FINDERS["sift"], calibration).rerank(queries, similarities)

    assert found.shape == similarities.shape
    assert (found[right].argmax(axis=1) == right).mean() >= 0.8
    assert found[right, right].min() > found[corpus.copied :].max()


def test_the_methods_table_says_what_was_not_measured_and_why() -> None:
    scores = {edit: {"micro_ap": 0.5, "rank_1": 0.5, "recall_at_p90": 0.25} for edit in ("mirror", "all edits")}
    row = {"method": "phash", "views": "", "scores": {"plain": scores}, "bytes": 8.0, "microseconds": 900.0}
    facts = {"edits": ["mirror"], "copies": 1, "queries_without_copy": 1, "references": 2, "distractors": 1}

    table = methods_sheet({"methods": [row], "corpus": facts})

    assert "| `phash` | 0.25 | 0.25 | 8 | 900 |" in table
    assert "`vgg16`: not measured, its weights are torchvision's" in table
