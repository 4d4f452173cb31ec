"""Stage 5: two descriptors and their matches -> segments."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_descriptors import DIMENSION, FLOOR, MadeFilm, descriptors, pirate
from vcd.align import drop_overlapping, make_aligner
from vcd.align.ends import refine_ends
from vcd.align.extent import along, find_run
from vcd.align.line import Hits, Line, best_line, fit_line, speed_grid
from vcd.align.score import score_run
from vcd.align.still import still_evidence
from vcd.config import AlignConfig
from vcd.errors import UnknownName
from vcd.pipeline import match_all
from vcd.types import Descriptors, Segment, Span

EXACT = ["vote", "exhaustive"]
"""Aligners that promise all of this; what every aligner promises is in test_align_contract.py."""


def align(name: str, query: Descriptors, reference: Descriptors, config: AlignConfig | None = None) -> list[Segment]:
    aligner = make_aligner(replace(config or AlignConfig(), aligner=name), FLOOR)  # type: ignore[arg-type]
    return aligner.align(query, reference, match_all(query, reference, 128))


def best(segments: list[Segment]) -> Segment:
    assert segments, "no segment was found"
    return max(segments, key=lambda segment: segment.score)


def assert_near(segment: Segment, query: Span, reference: Span, within_s: float) -> None:
    pairs = [(segment.query_span, query), (segment.reference_span, reference)]
    errors = [abs(a - b) for got, true in pairs for a, b in ((got.start_s, true.start_s), (got.end_s, true.end_s))]
    assert max(errors) <= within_s, f"{segment} is not {query} from {reference}"


@pytest.mark.parametrize("name", EXACT)
class TestExactAligners:
    """The default aligner and its slow twin."""

    @pytest.mark.parametrize("speed", [1.0, 1.2, 1 / 1.2, 1.5, 0.5, 2.0, 25 / 24])
    def test_finds_a_spliced_copy_at_any_common_speed(self, name: str, speed: float) -> None:
        film = MadeFilm(1)
        found = best(align(name, pirate(film, speed=speed), film.sample("film", 2.0)))

        assert_near(found, Span(20, 50), Span(40, 40 + 30 * speed), 1.5)
        assert found.speed == pytest.approx(speed, rel=0.05)  # samples 2 s apart say no more; the ends will
        assert found.score > 0.8

    def test_finds_the_copy_on_irregular_timestamps(self, name: str) -> None:
        film = MadeFilm(2)
        rng = np.random.default_rng(3)
        times_s = np.cumsum(rng.uniform(0.2, 1.6, 70))
        found = best(align(name, pirate(film, times_s=times_s[times_s < 70]), film.sample("film", 1.7, 0.4)))

        assert_near(found, Span(20, 50), Span(40, 70), 1.7)

    def test_finds_two_stretches_of_one_reference_in_any_order(self, name: str) -> None:
        film = MadeFilm(4, 200)
        first = pirate(film, before_s=10, copied_s=25, after_s=10, r_start_s=120)
        second = pirate(film, before_s=5, copied_s=25, after_s=10, r_start_s=30, seed=7)
        times_s = np.concatenate([first.times_s, second.times_s + 45])
        query = descriptors("both", times_s, np.concatenate([first.vectors, second.vectors]).astype(float), 85)
        found = [segment for segment in align(name, query, film.sample("film", 2.0)) if segment.score > 0.5]

        assert len(found) == 2
        by_time = sorted(found, key=lambda segment: segment.query_span.start_s)
        assert_near(by_time[0], Span(10, 35), Span(120, 145), 1.5)
        assert_near(by_time[1], Span(50, 75), Span(30, 55), 1.5)

    def test_finds_the_same_reference_stretch_used_twice(self, name: str) -> None:
        film = MadeFilm(5)
        first = pirate(film, before_s=10, copied_s=20, after_s=10, r_start_s=40)
        second = pirate(film, before_s=10, copied_s=20, after_s=10, r_start_s=40, seed=8)
        times_s = np.concatenate([first.times_s, second.times_s + 40])
        query = descriptors("twice", times_s, np.concatenate([first.vectors, second.vectors]).astype(float), 80)
        found = [segment for segment in align(name, query, film.sample("film", 2.0)) if segment.score > 0.5]

        assert sorted(round(segment.query_span.start_s / 10) for segment in found) == [1, 5]

    def test_a_file_with_itself_is_the_identity(self, name: str) -> None:
        film = MadeFilm(6).sample("film", 1.0)
        found = align(name, film, film)

        assert_near(best(found), Span(0, 120), Span(0, 120), 0.01)
        assert best(found).speed == 1.0

    def test_unrelated_films_give_nothing_probable(self, name: str) -> None:
        for seed in range(10, 18):
            query, reference = MadeFilm(seed).sample("a", 1.0), MadeFilm(seed + 50, 600).sample("b", 2.0)
            assert all(segment.score < 0.5 for segment in align(name, query, reference))

    def test_foreign_material_around_the_copy_only_shifts_it(self, name: str) -> None:
        film = MadeFilm(7)
        reference = film.sample("film", 2.0)
        short = best(align(name, pirate(film, before_s=10, after_s=0), reference))
        long = best(align(name, pirate(film, before_s=60, after_s=40), reference))

        assert short.reference_span.start_s == pytest.approx(long.reference_span.start_s, abs=1.0)
        assert short.query_span.length_s == pytest.approx(long.query_span.length_s, abs=1.5)

    def test_an_image_answers_with_the_moment(self, name: str) -> None:
        film = MadeFilm(8)
        reference = film.sample("film", 2.0)
        still = descriptors("still", np.zeros(1), film.at(np.array([30.3])), 0.0, kind="image")
        (found,) = align(name, still, reference)

        assert found.query_span == Span(0, 0)
        assert found.reference_span.length_s == 0
        assert abs(found.reference_span.start_s - 30.3) <= 2.0
        assert found.score > 0.9

    def test_a_video_that_shows_an_image_answers_with_the_stretch(self, name: str) -> None:
        film = MadeFilm(9)
        query = pirate(film, before_s=20, copied_s=0, after_s=40)
        picture = np.random.default_rng(1).normal(size=DIMENSION)
        vectors = query.vectors.astype(float)
        shown = (query.times_s >= 30) & (query.times_s < 36)
        vectors[shown] = picture
        query = descriptors("query", query.times_s, vectors, query.info.duration_s)
        image = descriptors("image", np.zeros(1), picture[None], 0.0, kind="image")
        (found,) = align(name, query, image)

        assert found.reference_span == Span(0, 0)
        assert found.query_span.overlap_s(Span(30, 36)) > 5
        assert found.query_span.length_s < 8

    def test_an_empty_side_gives_nothing(self, name: str) -> None:
        film = MadeFilm(1).sample("film", 2.0)
        nothing = descriptors("nothing", np.zeros(0), np.zeros((0, DIMENSION)), 0.0)
        matches = match_all(film, film, 4)

        none = replace(matches, query_rows=np.zeros(0, int),
            reference_times_s=np.zeros(0), similarities=np.zeros(0, np.float32))  # fmt: skip

        assert make_aligner(replace(AlignConfig(), aligner=name), FLOOR).align(nothing, film, none) == []  # type: ignore[arg-type]

    def test_equal_input_gives_equal_output(self, name: str) -> None:
        film = MadeFilm(11)
        query, reference = pirate(film), film.sample("film", 2.0)

        assert align(name, query, reference) == align(name, query, reference)

    def test_a_static_film_against_another_is_no_copy(self, name: str) -> None:
        static, other = MadeFilm(20, static=True), MadeFilm(21, static=True)

        assert align(name, static.sample("a", 1.0), other.sample("b", 2.0)) == []

    @settings(max_examples=15, deadline=None)
    @given(
        speed=st.sampled_from([1.0, 1.2, 1 / 1.2]),
        r_start_s=st.floats(0, 80),
        before_s=st.floats(6, 40),
        seed=st.integers(0, 5),
    )
    def test_the_line_is_right_wherever_the_copy_lies(
        self, name: str, speed: float, r_start_s: float, before_s: float, seed: int
    ) -> None:
        film = MadeFilm(seed, 140)
        query = pirate(film, before_s=before_s, r_start_s=r_start_s, speed=speed, seed=seed)
        found = best(align(name, query, film.sample("film", 2.0)))
        middle_s = before_s + 15
        r_found_s = found.reference_span.start_s + found.speed * (middle_s - found.query_span.start_s)

        assert abs(r_found_s - (r_start_s + speed * 15)) < 0.8


def test_an_unknown_aligner_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="vote"):
        make_aligner(replace(AlignConfig(), aligner="votes"), FLOOR)  # type: ignore[arg-type]


def test_short_segments_are_left_out_by_the_setting() -> None:
    film = MadeFilm(12)
    query = pirate(film, copied_s=6)

    assert align("vote", query, film.sample("film", 1.0), AlignConfig(min_length_s=2.0))
    assert not align("vote", query, film.sample("film", 1.0), AlignConfig(min_length_s=60.0))


def test_speeds_outside_the_limits_are_not_looked_for() -> None:
    film = MadeFilm(13)
    found = align("vote", pirate(film, speed=2.0), film.sample("film", 1.0), AlignConfig(max_speed=1.3))

    assert all(0.5 <= segment.speed <= 1.3 + 1e-9 for segment in found)


def test_pieces_of_one_line_merge_over_a_short_gap_only() -> None:
    film = MadeFilm(14)
    query = pirate(film, copied_s=40)
    covered = (query.times_s > 38) & (query.times_s < 42)
    vectors = query.vectors.astype(float)
    vectors[covered] = np.random.default_rng(2).normal(size=(covered.sum(), DIMENSION))
    query = descriptors("query", query.times_s, vectors, query.info.duration_s)
    found = [segment for segment in align("vote", query, film.sample("film", 1.0)) if segment.score > 0.3]

    assert len(found) == 1
    assert_near(found[0], Span(20, 60), Span(40, 80), 1.5)


class TestLine:
    def test_the_grid_holds_the_common_speeds_within_the_limits(self) -> None:
        grid = speed_grid(0.8, 1.3)

        assert {0.8, 1.0, 1.2, 1.25} <= set(grid.tolist())
        assert grid.min() >= 0.8
        assert grid.max() <= 1.3

    def test_the_vote_is_that_of_the_exhaustive_scan(self) -> None:
        """The slow twin counts the votes of every (speed, offset) one by one."""
        rng = np.random.default_rng(0)
        rows = np.arange(40)
        q_s = rows * 1.0
        r_s = np.where(rng.random(40) < 0.6, 1.2 * q_s + 33, rng.uniform(0, 500, 40))
        hits = Hits(rows, q_s, r_s, np.ones(40))
        speeds = speed_grid(0.5, 2.0)
        line = best_line(hits, speeds)
        assert line is not None

        def votes(candidate: Line) -> int:
            return int((np.abs(r_s - candidate.at(q_s)) <= 1.0).sum())

        top = max(votes(Line(speed, offset)) for speed in speeds for offset in np.arange(-100, 500, 0.5))
        assert votes(line) >= 0.9 * top
        fitted = fit_line(hits, line, speeds)
        assert fitted.speed == 1.2
        assert fitted.offset_s == pytest.approx(33, abs=0.05)

    @settings(max_examples=50, deadline=None)
    @given(speed=st.floats(0.6, 1.9), offset_s=st.floats(-50, 500), wrong=st.integers(0, 15), seed=st.integers(0, 1000))
    def test_a_third_of_wrong_hits_does_not_move_the_line(
        self, speed: float, offset_s: float, wrong: int, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        rows = np.arange(60)
        q_s = rows + rng.uniform(0, 0.9, 60)
        r_s = speed * q_s + offset_s + rng.normal(0, 0.1, 60)
        r_s[:wrong] = rng.uniform(0, 600, wrong)
        hits = Hits(rows, q_s, r_s, np.ones(60))
        speeds = speed_grid(0.5, 2.0)
        start = best_line(hits, speeds)
        assert start is not None
        line = fit_line(hits, start, speeds)

        assert abs(float(line.at(np.array([40.0]))[0]) - (speed * 40 + offset_s)) < 0.6


class TestExtent:
    def test_the_run_is_the_one_that_trying_every_run_finds(self) -> None:
        rng = np.random.default_rng(5)
        for _ in range(20):
            film = descriptors("q", np.arange(30.0), rng.normal(size=(30, 8)), 30)
            similarities = rng.uniform(-0.2, 1, 30)
            free = rng.random(30) > 0.1
            run = find_run(film, similarities, free, FLOOR)
            gains = np.where(free, np.clip(similarities - FLOOR, -0.06, 0.35) - 0.02, -1e9)
            every = [(gains[a:b].sum(), a, b) for a in range(30) for b in range(a + 1, 31)]
            assert run is not None
            assert run.gain == pytest.approx(max(every)[0])

    def test_along_takes_the_better_neighbour_within_reach(self) -> None:
        vectors = np.eye(8)
        reference = descriptors("r", np.array([0.0, 2, 4, 6, 20]), vectors[:5], 22)
        query = descriptors("q", np.array([0.0, 1, 2, 3, 12]), vectors[[0, 1, 7, 2, 4]], 14)
        got = along(query, reference, Line(1.0, 0.0))

        np.testing.assert_allclose(got, [1, 1, 0, 1, np.nan], atol=1e-6)
        outside = along(query, reference, Line(1.0, 100.0))
        np.testing.assert_allclose(outside, 0)

    def test_a_run_goes_on_over_moments_that_a_sparse_reference_does_not_show(self) -> None:
        film = descriptors("q", np.arange(40.0), np.tile(np.eye(8)[:1], (40, 1)), 40)
        similarities = np.full(40, np.nan)
        similarities[[3, 13, 23]] = 0.9
        free = np.ones(40, dtype=bool)

        run = find_run(film, similarities, free, FLOOR, max_gap_s=5)
        assert run is not None
        assert (run.first, run.stop) == (3, 24)

        similarities[14:22] = 0.0
        run = find_run(film, similarities, free, FLOOR, max_gap_s=5)
        assert run is not None
        assert (run.first, run.stop) == (3, 14)

    def test_a_static_scene_of_the_query_gathers_no_votes_at_one_reference_frame(self) -> None:
        """Forty frames that all look like one reference frame, and three that show a copy at the usual speed."""
        rows = np.concatenate([np.arange(40), np.arange(40, 43)])
        q_s = rows * 0.2
        r_s = np.concatenate([np.full(40, 50.0), 200 + q_s[40:]])
        hits = Hits(rows, q_s, r_s, np.ones(43))

        line = best_line(hits, speed_grid(0.5, 2.0))
        assert line is not None
        assert line.speed == 1
        assert line.offset_s == pytest.approx(200, abs=0.5)


class TestOverlap:
    def segment(self, q: tuple[float, float], r: tuple[float, float], score: float, reference: str = "r") -> Segment:
        return Segment("q", reference, Span(*q), Span(*r), score)

    def test_of_two_rows_for_one_stretch_the_better_stays(self) -> None:
        worse, better = self.segment((0, 10), (5, 15), 0.6), self.segment((1, 11), (6, 16), 0.9)

        assert drop_overlapping([worse, better]) == [better]

    def test_another_reference_is_another_copy(self) -> None:
        one, other = self.segment((0, 10), (5, 15), 0.6, "a"), self.segment((0, 10), (5, 15), 0.9, "b")

        assert len(drop_overlapping([one, other])) == 2

    def test_one_stretch_from_two_places_of_a_reference_is_two_copies(self) -> None:
        one, other = self.segment((0, 10), (5, 15), 0.6), self.segment((0, 10), (105, 115), 0.9)

        assert len(drop_overlapping([one, other])) == 2


class TestEnds:
    @pytest.mark.parametrize("speed", [1.0, 1.2])
    @pytest.mark.parametrize("wrong_by_s", [-1.5, 0.0, 1.5])
    def test_dense_looks_find_the_true_ends(self, speed: float, wrong_by_s: float) -> None:
        film = MadeFilm(30)

        def look_query(span: Span, step_s: float) -> Descriptors:
            times_s = np.arange(span.start_s, span.end_s, step_s)
            return pirate(film, speed=speed, times_s=times_s)

        def look_reference(span: Span, step_s: float) -> Descriptors:
            times_s = np.arange(span.start_s, span.end_s, step_s)
            return descriptors("film", times_s, film.at(times_s), 120)

        rough = Segment(
            "q", "film", Span(20 + wrong_by_s, 50 + wrong_by_s / 2),
            Span(40.4 + wrong_by_s * speed, 40.4 + (30 + wrong_by_s / 2) * speed), 0.9, speed,
        )  # fmt: skip
        found = refine_ends(rough, look_query, look_reference, (70.0, 120.0), FLOOR)

        assert found.refined
        assert_near(found, Span(20, 50), Span(40, 40 + 30 * speed), 0.12)

    def test_a_speed_that_samples_could_not_tell_is_corrected(self) -> None:
        film = MadeFilm(34)

        def look_query(span: Span, step_s: float) -> Descriptors:
            return pirate(film, speed=25 / 24, times_s=np.arange(span.start_s, span.end_s, step_s))

        def look_reference(span: Span, step_s: float) -> Descriptors:
            times_s = np.arange(span.start_s, span.end_s, step_s)
            return descriptors("film", times_s, film.at(times_s), 120)

        rough = Segment("q", "film", Span(20.3, 49.8), Span(41, 70.5), 0.9, speed=1.0)
        found = refine_ends(rough, look_query, look_reference, (70.0, 120.0), FLOOR)

        assert found.speed == 25 / 24
        assert_near(found, Span(20, 50), Span(40, 71.25), 0.12)

    def test_a_whole_copy_ends_with_the_file(self) -> None:
        film = MadeFilm(31)

        def look(span: Span, step_s: float) -> Descriptors:
            times_s = np.arange(span.start_s, span.end_s, step_s)
            return descriptors("film", times_s, film.at(times_s), 120)

        rough = Segment("q", "film", Span(0.5, 118), Span(0.6, 118.1), 0.9)
        found = refine_ends(rough, look, look, (120.0, 120.0), FLOOR)

        assert_near(found, Span(0, 120), Span(0, 120), 0.06)

    def test_a_query_of_a_second_is_looked_at_closely_enough(self) -> None:
        film = MadeFilm(35)

        def look_query(span: Span, step_s: float) -> Descriptors:
            times_s = np.arange(span.start_s, span.end_s, max(step_s, 0.04))
            return descriptors("clip", times_s, film.at(times_s + 40), 1.2)

        def look_reference(span: Span, step_s: float) -> Descriptors:
            times_s = np.arange(span.start_s, span.end_s, step_s)
            return descriptors("film", times_s, film.at(times_s), 120)

        rough = Segment("q", "film", Span(0.2, 1.0), Span(40.3, 41.1), 0.9)
        found = refine_ends(rough, look_query, look_reference, (1.2, 120.0), FLOOR)

        assert found.refined
        assert found.query_span == Span(0.0, 1.2)

    def test_where_nothing_looks_alike_the_segment_stays_as_it_was(self) -> None:
        one, other = MadeFilm(32), MadeFilm(33)

        def look(film: MadeFilm):
            return lambda span, step_s: descriptors(
                "x",
                np.arange(span.start_s, span.end_s, step_s),
                film.at(np.arange(span.start_s, span.end_s, step_s)),
                120,
            )

        rough = Segment("q", "film", Span(20, 50), Span(40, 70), 0.9)

        assert refine_ends(rough, look(one), look(other), (120.0, 120.0), FLOOR) == rough


def test_a_still_with_little_contrast_is_less_sure() -> None:
    assert score_run(still_evidence(0.9, 1.0, FLOOR)) > 0.9
    assert score_run(still_evidence(0.9, 0.1, FLOOR)) < 0.5
    assert score_run(still_evidence(0.4, 1.0, FLOOR)) < 0.05
