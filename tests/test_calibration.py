"""Scores: what the parameters of a model make of evidence, and how they are fitted and checked."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_descriptors import descriptors
from vcd.align import load_calibration, rescore
from vcd.align.calibration import EVIDENCE, FALLBACK, FOLDER, GEOMETRY
from vcd.align.extent import Run
from vcd.align.line import Line
from vcd.align.score import score_run, weigh
from vcd.evaluate import Row
from vcd.types import Descriptors, Evidence, Geometry, Segment, Span

CLEAR = Evidence(
    log_gain=2.5, log_news=2.0, log_shots=2.0, coverage=0.95, margin=0.8, low_margin=0.5, sharpness=0.5,
    covariation=0.8, rarity=0.9,
)  # fmt: skip
WEAK = Evidence(log_gain=-0.5, log_news=-1.0, log_shots=0.7, coverage=0.5, margin=0.2, low_margin=0.1, rarity=0.7)
AGREES = Geometry(pairs=6, log_inliers=5.5, agreement=1.0, motion=0.95, moving=1.0)
DIFFERS = Geometry(pairs=6, log_inliers=0.0, agreement=0.0, motion=0.0, moving=0.0)
OTHER_TAKE = Geometry(pairs=6, log_inliers=5.0, agreement=1.0, motion=0.05, moving=1.0)


def segment(evidence: Evidence, geometry: Geometry | None = None) -> Segment:
    return Segment("q", "r", Span(0, 10), Span(5, 15), 0.5, evidence=evidence, geometry=geometry)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
class TestEveryModelsParameters:
    def test_name_only_what_there_is_to_weigh(self, file: Path) -> None:
        values = json.loads(file.read_text(encoding="utf-8"))

        assert values["model"] == file.stem
        assert set(values["segment"]["weights"]) <= set(EVIDENCE)
        assert set(values["geometry"]["weights"]) <= {"log_odds", *GEOMETRY}
        assert 0 < values["unrelated_similarity"] < 1

    def test_are_surer_of_more_evidence(self, file: Path) -> None:
        calibration = load_calibration(file.stem, 0.4)

        assert calibration.own
        assert score_run(CLEAR, calibration) > 0.9
        assert score_run(WEAK, calibration) < 0.1
        for name in ("log_gain", "log_news", "log_shots", "margin", "sharpness", "covariation", "rarity"):
            more = replace(WEAK, **{name: getattr(CLEAR, name)})
            assert score_run(more, calibration) >= score_run(WEAK, calibration), name
        for name in ("speed", "backwards"):
            assert score_run(replace(CLEAR, **{name: 1.0}), calibration) <= score_run(CLEAR, calibration), name

    def test_believe_local_features(self, file: Path) -> None:
        calibration = load_calibration(file.stem, 0.4)
        unsure = replace(CLEAR, log_gain=0.3, log_news=-0.2, log_shots=1.1, margin=0.35, low_margin=0.15, sharpness=0.1,
                         covariation=0.2)  # fmt: skip
        scores = [rescore(segment(unsure, found), calibration).score for found in (AGREES, OTHER_TAKE, DIFFERS)]

        assert scores[0] > 0.7
        assert scores[0] > scores[1] + 0.3
        assert scores[2] < 0.3


@given(
    st.builds(Evidence, *[st.floats(-7, 10) for _ in EVIDENCE], st.booleans()),
    st.none()
    | st.builds(Geometry, st.integers(1, 9), st.floats(0, 7), st.floats(0, 1), st.floats(-1, 1), st.floats(0, 1)),
)
def test_a_score_is_a_probability_whatever_the_evidence(evidence: Evidence, geometry: Geometry | None) -> None:
    scored = rescore(segment(replace(evidence, rarity=abs(evidence.rarity)), geometry), load_calibration(FALLBACK, 0.4))

    assert 0 <= scored.score <= 1


def test_an_own_model_gets_the_fallback_with_its_own_unrelated_similarity() -> None:
    calibration = load_calibration("a model of mine", 0.123)

    assert not calibration.own
    assert calibration.unrelated_similarity == 0.123
    assert calibration.segment == load_calibration(FALLBACK, 0.4).segment


def test_a_segment_without_evidence_keeps_its_score() -> None:
    plain = Segment("q", "r", Span(0, 1), Span(0, 1), 0.77)

    assert rescore(plain, load_calibration(FALLBACK, 0.4)) == plain


class TestFitting:
    """Needs scikit-learn, which only the benchmarks use."""

    def test_parameters_that_made_the_data_are_found_again(self) -> None:
        fit = pytest.importorskip("benchmarks.calibrate.fit")
        rng = np.random.default_rng(1)
        values = rng.normal(size=(6000, 3))
        odds = -0.5 + values @ [1.5, 0.7, 0.0]
        found = fit.fit(["log_gain", "margin", "rarity"], values, rng.random(6000) < 1 / (1 + np.exp(-odds)))

        assert found["intercept"] == pytest.approx(-0.5, abs=0.15)
        assert found["weights"]["log_gain"] == pytest.approx(1.5, abs=0.15)
        assert found["weights"]["margin"] == pytest.approx(0.7, abs=0.15)
        assert abs(found["weights"].get("rarity", 0.0)) < 0.1

    def test_a_measure_whose_sign_makes_no_sense_is_left_out(self) -> None:
        fit = pytest.importorskip("benchmarks.calibrate.fit")
        rng = np.random.default_rng(2)
        values = rng.normal(size=(2000, 2))
        true = rng.random(2000) < 1 / (1 + np.exp(-(values @ [2.0, -2.0])))

        assert set(fit.fit(["margin", "sharpness"], values, true)["weights"]) == {"margin"}
        assert set(fit.fit(["margin", "speed"], values, true)["weights"]) == {"margin", "speed"}

    def test_too_few_of_a_kind_are_refused(self) -> None:
        fit = pytest.importorskip("benchmarks.calibrate.fit")

        with pytest.raises(fit.TooFew, match="3 true"):
            fit.fit(["margin"], np.arange(20.0)[:, None], np.arange(20) < 3)

    def test_a_segment_is_true_where_the_truth_covers_most_of_it_on_both_sides(self) -> None:
        judge = pytest.importorskip("benchmarks.calibrate.candidates").judge
        copy = Row("q", "sub/r", Span(0, 10), Span(100, 110))

        def verdict(q: tuple[float, float], r: tuple[float, float], reference: str = "r") -> bool | None:
            return judge(Segment("q", reference, Span(*q), Span(*r), 0.5), [copy])

        assert verdict((1, 9), (101, 109)) is True
        assert verdict((0, 10), (300, 310)) is False
        assert verdict((1, 9), (101, 109), "another") is False
        assert verdict((7, 17), (107, 117)) is None
        assert judge(Segment("q", "r", Span(0, 10), Span(0, 10), 0.5), []) is False

    def test_scores_that_mean_what_they_say_have_no_calibration_error(self) -> None:
        check = pytest.importorskip("benchmarks.calibrate.check")
        rng = np.random.default_rng(3)
        scores = rng.random(40_000)
        bins = check.reliability(scores, rng.random(40_000) < scores)
        wrong = check.reliability(scores, rng.random(40_000) < scores / 2)

        assert sum(b["share"] * abs(b["mean_score"] - b["true_share"]) for b in bins) < 0.02
        assert sum(b["share"] * abs(b["mean_score"] - b["true_share"]) for b in wrong) > 0.2


class TestCovariation:
    """Of long takes, in which every frame looks like every other."""

    @staticmethod
    def take(seed: int) -> Descriptors:
        """24 s of one set-up: the same picture for all seeds, with other things happening in each."""
        setup = 6 * np.random.default_rng(0).normal(size=64)
        happens = np.cumsum(np.random.default_rng(seed).normal(size=(24, 64)), axis=0) / 2
        return descriptors(f"take {seed}", np.arange(24.0), setup + happens, 24.0)

    @pytest.mark.parametrize("speed", [1.0, -1.0])
    def test_the_same_set_up_filmed_twice_is_told_from_a_copy(self, speed: float) -> None:
        query, line = self.take(1), Line(speed, 0.0 if speed > 0 else 23.0)
        first = replace(query, vectors=query.vectors[:: int(speed)])
        run = Run(0, 24, 5.0, np.full(24, 0.9))

        copy = weigh(query, first, line, run, 0.2).covariation
        other = weigh(query, self.take(2), line, run, 0.2).covariation

        assert copy == pytest.approx(1, abs=1e-5)
        assert abs(other) < 0.5

    def test_an_edit_that_changes_all_frames_alike_leaves_it(self) -> None:
        query, logo = self.take(1), np.full(64, 0.1, dtype=np.float32)
        run = Run(0, 24, 5.0, np.full(24, 0.9))

        edited = replace(query, vectors=query.vectors + logo)

        assert weigh(edited, query, Line(1.0, 0.0), run, 0.2).covariation == pytest.approx(1, abs=1e-5)

    def test_a_still_film_and_a_single_frame_say_nothing(self) -> None:
        query, run = self.take(1), Run(0, 24, 5.0, np.full(24, 0.9))
        still = replace(query, vectors=np.repeat(query.vectors[:1], 24, axis=0))
        single = descriptors("one", np.array([12.0]), query.vectors[12:13], 24.0)

        assert weigh(still, query, Line(1.0, 0.0), run, 0.2).covariation == 0
        assert weigh(query, single, Line(1.0, 0.0), run, 0.2).covariation == 0
