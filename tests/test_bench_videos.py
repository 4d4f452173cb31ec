"""The video benchmark: what it counts, by hand and against slow twins, and the whole of it on a tiny corpus."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.results import read_results
from benchmarks.videos import run as runs
from benchmarks.videos.ask import as_rows, ask
from benchmarks.videos.folder import Corpus, read_corpus, save_rows
from benchmarks.videos.measures import (
    best_threshold,
    cells,
    curve,
    end_errors,
    is_right,
    measure,
    negatives,
    reliability,
)
from benchmarks.videos.methods import METHODS
from benchmarks.videos.product import build_library
from benchmarks.videos.run import Steps, code_digest, rounded
from benchmarks.videos.scaling import made_frames, measure_scaling
from tests.made_corpus import HEADER, make_corpus
from vcd import pipeline
from vcd.config import load_config
from vcd.evaluate import Row, Truth, read_predictions, read_truth
from vcd.evaluate.contest import contest_score
from vcd.extract import extract
from vcd.library import Library
from vcd.model import Model
from vcd.search import find_candidates, normalise
from vcd.types import Span


def row(query: str, q: tuple[float, float], r: tuple[float, float], score: float = 1.0, edit: str = "",
        strength: str = "", reference: str = "r") -> Row:  # fmt: skip
    return Row(query, reference, Span(*q), Span(*r), score, edit, strength)


COPIES = (row("a", (10, 20), (30, 40), edit="crop", strength="mild"), row("b", (0, 50), (0, 50), edit="crop",
          strength="hard"), row("c", (5, 15), (70, 80), edit="blur", strength="hard"))  # fmt: skip
TRUTH = Truth(COPIES, ("n1", "n2"))


class TestMeasures:
    def test_a_row_is_right_when_a_copy_covers_half_of_it_on_both_sides(self) -> None:
        assert is_right(row("a", (5, 15), (25, 35)), COPIES[:1])
        assert not is_right(row("a", (4.9, 14.9), (25, 35)), COPIES[:1])
        assert not is_right(row("a", (5, 15), (24, 34)), COPIES[:1])
        assert is_right(row("a", (12, 13), (32, 33)), COPIES[:1])

    def test_ends_are_found_minus_true_and_missed_copies_stay_in(self) -> None:
        found = [row("a", (10.5, 20), (30.25, 39)), row("a", (12, 13), (32, 33)), row("c", (5, 15), (0, 10))]

        assert end_errors(found, TRUTH) == [[0.5, 0.0, 0.25, -1.0], None, None]

    def test_false_segments_are_those_of_queries_without_a_copy(self) -> None:
        found = negatives(
            [row("n1", (0, 5), (0, 5)), row("n1", (5, 9), (0, 5)), row("a", (0, 1), (0, 1))], TRUTH, (2, 0.5)
        )

        assert found == {
            "false_segments": 2,
            "per_reference_hour": 1.0,
            "per_1000_query_minutes_and_reference_hours": pytest.approx(2 / (30 * 2) * 1000),
        }
        assert negatives([], Truth(COPIES), (2, 0.0))["per_reference_hour"] is None

    def test_the_reliability_is_that_of_counting_by_hand(self) -> None:
        rows = [row("a", (10, 20), (30, 40), 0.95), row("a", (80, 90), (0, 10), 0.85), row("b", (0, 50), (0, 50), 0.87),
                row("c", (0, 9), (0, 9), 0.1)]  # fmt: skip
        found = reliability(rows, TRUTH)

        assert [(b["rows"], round(b["score"], 3), b["right"]) for b in found["bins"]] == [
            (1, 0.1, 0.0), (2, 0.86, 0.5), (1, 0.95, 1.0),
        ]  # fmt: skip
        assert found["ece"] == pytest.approx((0.1 + 2 * 0.36 + 0.05) / 4)
        assert reliability([], TRUTH)["ece"] is None

    def test_cells_hold_each_copy_once_by_its_edit_and_strength(self) -> None:
        found = cells([row("a", (10, 20), (30, 40)), row("b", (0, 20), (0, 20)), row("b", (80, 90), (0, 10))], TRUTH)

        assert found["crop"]["mild"] == {"copies": 1, "f1_3s": 1.0, "found": 1.0, "named": 1.0}
        assert found["crop"]["hard"] == {"copies": 1, "f1_3s": 0.0, "found": 1.0, "named": 1.0}
        assert found["blur"]["hard"] == {"copies": 1, "f1_3s": 0.0, "found": 0.0, "named": 0.0}

    def test_a_copy_of_another_edit_in_the_same_query_is_no_fault(self) -> None:
        both = Truth((row("q", (0, 10), (0, 10), edit="crop"), row("q", (20, 30), (50, 60), edit="blur")))
        found = cells(list(both.copies), both)

        assert found["crop"]["unstated"]["f1_3s"] == found["blur"]["unstated"]["f1_3s"] == 1.0

    def test_the_best_threshold_is_that_of_trying_all(self) -> None:
        rng = np.random.default_rng(3)
        for _ in range(10):
            rows = [row(c.query, (c.query_span.start_s + e, c.query_span.end_s), (c.reference_span.start_s + e,
                    c.reference_span.end_s), float(s), reference="r") for c in COPIES
                    for e, s in zip(rng.choice([0, 6], 4), rng.random(4), strict=True)]  # fmt: skip
            chosen = best_threshold(rows, TRUTH)

            def f1(score: float, rows: list[Row] = rows) -> float:
                return contest_score([r for r in rows if r.score >= score], COPIES, 3.0).f1

            assert f1(chosen) == max(f1(r.score) for r in rows)
        assert best_threshold([], TRUTH) == 1.0

    def test_the_curve_falls_with_the_threshold(self) -> None:
        rows = [row("a", (10, 20), (30, 40), 0.6), row("b", (0, 50), (0, 50), 0.96), row("n1", (0, 9), (0, 9), 0.3)]
        points = {p["threshold"]: (p["found"], p["false_segments"]) for p in curve(rows, TRUTH, (1, 1))}

        assert points[0.25] == (pytest.approx(2 / 3), 1)
        assert points[0.5] == (pytest.approx(2 / 3), 0)
        assert points[0.95] == (pytest.approx(1 / 3), 0)

    def test_silence_is_measured_too(self) -> None:
        found = rounded(measure([], TRUTH, 0.5, (1.0, 0.1)))

        assert found["overall"]["f1_3s"] == 0
        assert found["ends_s"] == [None, None, None]
        assert json.loads(json.dumps(found, allow_nan=False)) == found


class TestFolder:
    def test_a_corpus_is_read_by_the_names_of_its_files(self, corpus: Corpus) -> None:
        assert [path.name for path in corpus.films] == ["one.mp4", "two.mp4", "x.mp4", "y.mp4"]
        assert corpus.truth.queries() == {"dark.mp4", "small.mp4", "foreign.mp4"}

    def test_what_is_no_corpus_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="no corpus"):
            read_corpus(tmp_path)
        for name in ("references/a.mp4", "queries/q.mp4"):
            (tmp_path / name).parent.mkdir()
            (tmp_path / name).write_bytes(b"x")
        (tmp_path / "truth.csv").write_text(HEADER + "q.mp4,b.mp4,0,1,0,1,,\n")
        with pytest.raises(ValueError, match=r"b\.mp4, which is not there"):
            read_corpus(tmp_path)
        (tmp_path / "queries" / "a.mp4").write_bytes(b"x")
        with pytest.raises(ValueError, match=r"two files are called a\.mp4"):
            read_corpus(tmp_path)

    def test_another_truth_is_another_corpus(self, corpus: Corpus, tmp_path: Path) -> None:
        before = corpus.digest
        (tmp_path / "truth.csv").write_text(HEADER)
        assert replace(corpus, root=tmp_path).digest != before == corpus.digest

    def test_saved_rows_can_be_evaluated(self, tmp_path: Path) -> None:
        rows = [row("a", (1.25, 2), (3, 4), 0.5)]
        save_rows(tmp_path / "rows" / "x.csv", rows)

        assert list(read_predictions(tmp_path / "rows" / "x.csv", TRUTH)) == rows


def test_the_clocked_stages_find_what_vcd_itself_finds(corpus: Corpus, tmp_path: Path) -> None:
    build_library(corpus, "default", tmp_path)
    config = load_config("default")
    config = replace(config, align=replace(config.align, refine=False), verify=replace(config.verify, when="never"))
    library = Library(tmp_path, config.library)
    arguments = (config.media, config.media.query, config.describe, True, False)
    views = [view for path in corpus.queries for view in extract(path, str(path), *arguments).views]
    model = Model.of(config)
    floor = model.calibration.unrelated_similarity
    found = ask(views, library, config, model.calibration, config.report.min_score,
                lambda view: find_candidates(normalise(view, model.background, config.search), library,
                                             config.search, floor))  # fmt: skip

    assert found.rows == as_rows(pipeline.query(corpus.queries, tmp_path, config).segments)
    # Without local features the score lets false rows through as well.
    assert {(r.query, r.reference) for r in found.rows} >= {("dark.mp4", "one.mp4"), ("small.mp4", "two.mp4")}


def test_the_exact_index_is_its_own_truth_and_frames_come_in_shots() -> None:
    points = measure_scaling([400, 800])
    frames = made_frames(80, 0)

    assert [(p["index"], p["frames"]) for p in points] == [("exact", 400), ("hnsw", 400), ("exact", 800), ("hnsw", 800)]
    assert points[0]["recall"] == points[2]["recall"] == 1.0
    assert points[1]["recall"] > 0.9
    assert (frames[0] @ frames[1]) > 0.7 > (frames[0] @ frames[8]) + 0.3


@pytest.mark.slow
class TestWholeRun:
    def test_every_method_has_a_result_that_says_where_it_comes_from(self, done: Path) -> None:
        quick = {name for name, method in METHODS.items() if not method.slow}
        named = {"corpus", "vcd-fast", "vcd-default", "vpdq", "scaling", "stages-fast", "stages-default"}
        assert {path.stem for path in done.glob("*.json")} == quick | named
        for path in done.glob("*.json"):
            found = read_results(path)
            assert {"state", "commit", "machine", "packages", "date"} <= set(found)

    def test_vcd_finds_the_two_copies_and_nothing_else(self, done: Path) -> None:
        found = read_results(done / "vcd-default.json")

        assert found["overall"]["f1_1s"] == 1.0
        assert found["negatives"]["false_segments"] == 0
        assert found["cells"] == {
            "brightness": {"mild": {"copies": 1, "f1_3s": 1.0, "found": 1.0, "named": 1.0}},
            "resolution": {"hard": {"copies": 1, "f1_3s": 1.0, "found": 1.0, "named": 1.0}},
        }

    def test_vpdq_names_the_references_and_no_times(self, done: Path) -> None:
        found = read_results(done / "vpdq.json")

        assert found["overall"]["micro_ap"] == 1.0
        assert found["overall"]["f1_5s"] == 0.0
        assert not found["tells_times"]

    def test_costs_are_told_for_all(self, done: Path) -> None:
        for path in done.glob("*.json"):
            if "cost" in (found := read_results(path)):
                assert found["cost"]["index_cpu_s_per_hour"] > 0
                assert found["cost"]["query_cpu_s_per_hour"] > 0
        stages = read_results(done / "stages-default.json")
        assert list(stages["queries"]["s_per_hour"]) == ["decode", "describe", "search", "align", "refine", "verify"]
        assert list(stages["references"]["s_per_hour"]) == ["decode", "describe"]

    def test_a_finished_step_is_kept_and_a_missing_one_is_made(
        self, corpus: Corpus, done: Path, monkeypatch: Any
    ) -> None:
        for name in ("run_preset", "hash_video", "measure_scaling", "cost_of_stages"):
            monkeypatch.setattr(runs, name, None)
        before = {path: path.read_bytes() for path in done.glob("*.json")}
        (done / "hough.json").unlink()
        Steps(corpus, done.parent / "work", done, True, lambda _: None).run()

        assert read_results(done / "hough.json")["overall"] == json.loads(before[done / "hough.json"])["overall"]
        assert {p: p.read_bytes() for p in before if p.stem != "hough"} == {
            p: b for p, b in before.items() if p.stem != "hough"
        }

    def test_what_was_deleted_of_the_work_is_made_again_only_where_it_is_needed(
        self, corpus: Corpus, done: Path, tmp_path: Path, monkeypatch: Any
    ) -> None:
        results = shutil.copytree(done, tmp_path / "results")
        Steps(corpus, tmp_path / "work", results, True, lambda _: None).run()
        assert [path.name for path in (tmp_path / "work").iterdir()] == ["state"]

        (results / "lecture.json").unlink()
        Steps(corpus, tmp_path / "work", results, True, lambda _: None).run()
        assert read_results(results / "lecture.json")["overall"] == read_results(done / "lecture.json")["overall"]
        assert [path.name for path in (tmp_path / "work" / "libraries").iterdir()] == ["fast"]

    def test_rows_are_kept_for_vcd_evaluate(self, corpus: Corpus, done: Path) -> None:
        rows = read_predictions(
            done.parent / "work" / "rows" / "vcd-default.csv", read_truth(corpus.root / "truth.csv")
        )

        assert {r.query for r in rows} >= {"dark.mp4", "small.mp4"}


def test_other_code_gives_another_digest(tmp_path: Path) -> None:
    (tmp_path / "vcd").mkdir()
    (tmp_path / "vcd" / "x.py").write_text("1")
    before = code_digest(tmp_path)
    (tmp_path / "vcd" / "x.py").write_text("2")

    assert code_digest(tmp_path) != before


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return read_corpus(make_corpus(tmp_path_factory.mktemp("corpus")))


@pytest.fixture(scope="module")
def done(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a whole quick run."""
    folder = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(runs.SIZES, True, [200, 400])
        Steps(corpus, folder / "work", folder / "results", True, lambda _: None).run()
    return folder / "results"
