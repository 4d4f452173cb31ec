"""What every aligner of the table promises, and the default one beside its slow twin."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_descriptors import DIMENSION, FLOOR, MadeFilm, descriptors, pirate
from vcd.align import ALIGNERS, make_aligner
from vcd.align.baselines.dynamic_programming import DISCONTINUE, local_alignments
from vcd.align.baselines.exhaustive import greatest_runs
from vcd.align.baselines.grid import similarity_grid
from vcd.align.baselines.temporal_network import MAX_STEP, heaviest_path
from vcd.config import AlignConfig
from vcd.pipeline import match_all
from vcd.types import Descriptors, Segment, Span


def align(name: str, query: Descriptors, reference: Descriptors, **settings: float) -> list[Segment]:
    config = replace(AlignConfig(), aligner=name, **settings)  # type: ignore[arg-type]
    return make_aligner(config, FLOOR).align(query, reference, match_all(query, reference, 128))


def clear_copy(film: MadeFilm, speed: float = 1.0, **where: float) -> Descriptors:
    """A copy whose frames fall on the reference's moments: even a fixed threshold on the cosine finds them."""
    return pirate(film, speed=speed, noise=0.1, times_s=np.arange(0.0, 70, 1.0), **where)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ALIGNERS)
class TestEveryAligner:
    """New aligners get here by being in the table."""

    def test_finds_a_spliced_copy_at_its_place(self, name: str) -> None:
        film = MadeFilm(1)
        found = align(name, clear_copy(film), film.sample("film", 1.0))[0]

        for got, true in ((found.query_span, Span(20, 50)), (found.reference_span, Span(40, 70))):
            assert abs(got.start_s - true.start_s) <= 1.5
            assert abs(got.end_s - true.end_s) <= 1.5
        assert found.speed == pytest.approx(1.0, abs=0.05)
        assert found.score > 0.8
        assert (found.query, found.reference, found.mirrored) == ("query", "film", False)

    def test_finds_two_stretches_of_one_reference_in_any_order(self, name: str) -> None:
        film = MadeFilm(4, 200)
        one, other = clear_copy(film, r_start_s=120), clear_copy(film, r_start_s=30, seed=7)
        times_s = np.concatenate([one.times_s, other.times_s + 70])
        query = descriptors("both", times_s, np.concatenate([one.vectors, other.vectors]).astype(float), 140)
        found = align(name, query, film.sample("film", 1.0))

        for q_s, r_s in ((35, 135), (105, 45)):
            assert any(
                s.query_span.start_s < q_s < s.query_span.end_s
                and s.reference_span.start_s < r_s < s.reference_span.end_s
                for s in found
            )

    def test_a_copy_at_another_speed_is_found_at_least_in_part(self, name: str) -> None:
        film = MadeFilm(3)
        found = align(name, clear_copy(film, speed=1.2), film.sample("film", 0.5))

        assert found[0].query_span.overlap_s(Span(20, 50)) > 0.8 * found[0].query_span.length_s
        assert found[0].reference_span.overlap_s(Span(40, 76)) > 0.8 * found[0].reference_span.length_s

    def test_a_file_with_itself_is_the_identity(self, name: str) -> None:
        film = MadeFilm(6).sample("film", 1.0)
        found = align(name, film, film)

        assert (found[0].query_span, found[0].reference_span, found[0].speed) == (Span(0, 120), Span(0, 120), 1.0)

    def test_unrelated_films_give_nothing_probable(self, name: str) -> None:
        for seed in range(10, 14):
            query, reference = MadeFilm(seed).sample("a", 1.0), MadeFilm(seed + 50, 600).sample("b", 2.0)
            assert all(segment.score < 0.5 for segment in align(name, query, reference))

    def test_segments_lie_inside_both_files_best_first(self, name: str) -> None:
        film = MadeFilm(7, 65)
        found = align(name, clear_copy(film), film.sample("film", 1.0))

        assert found == sorted(found, key=Segment.sort_key)
        for segment in found:
            assert 0 <= segment.query_span.start_s < segment.query_span.end_s <= 70
            assert 0 <= segment.reference_span.start_s < segment.reference_span.end_s <= 65

    def test_the_input_stays_as_it_was(self, name: str) -> None:
        film = MadeFilm(8)
        query, reference = clear_copy(film), film.sample("film", 1.0)
        matches = match_all(query, reference, 128)
        arrays = [query.vectors, query.times_s, query.quality, reference.vectors, reference.times_s,
                  matches.query_rows, matches.reference_times_s, matches.similarities]  # fmt: skip
        before = [array.copy() for array in arrays]
        aligner = make_aligner(replace(AlignConfig(), aligner=name), FLOOR)  # type: ignore[arg-type]
        first = aligner.align(query, reference, matches)

        assert all((array == copy).all() for array, copy in zip(arrays, before, strict=True))
        assert aligner.align(query, reference, matches) == first

    def test_the_settings_limit_length_and_number(self, name: str) -> None:
        film = MadeFilm(9)
        query, reference = clear_copy(film), film.sample("film", 1.0)

        assert align(name, query, reference, min_length_s=60.0) == []
        assert len(align(name, query, reference, max_segments=1)) == 1

    def test_an_image_answers_with_the_moment(self, name: str) -> None:
        film = MadeFilm(8)
        still = descriptors("still", np.zeros(1), film.at(np.array([30.0])), 0.0, kind="image")
        (found,) = align(name, still, film.sample("film", 1.0))

        assert (found.query_span, found.reference_span) == (Span(0, 0), Span(30, 30))

    def test_one_frame_and_none_at_all_are_no_trouble(self, name: str) -> None:
        film = MadeFilm(2)
        reference = film.sample("film", 1.0)
        single = descriptors("single", np.array([3.0]), film.at(np.array([3.0])), 6.0)
        nothing = descriptors("nothing", np.zeros(0), np.zeros((0, DIMENSION)), 0.0)

        assert align(name, nothing, reference) == []
        for query, against in ((single, reference), (reference, single), (single, single)):
            assert all(np.isfinite(segment.speed) for segment in align(name, query, against))


class TestTwins:
    @settings(max_examples=12, deadline=None)
    @given(
        speed=st.sampled_from([1.0, 1.2, 1 / 1.2, 1.5, 0.75]),
        copied_s=st.floats(8, 40),
        noise=st.floats(0.1, 0.9),
        seed=st.integers(0, 100),
    )
    def test_the_default_aligner_finds_what_trying_everything_finds(
        self, speed: float, copied_s: float, noise: float, seed: int
    ) -> None:
        film = MadeFilm(seed, 150)
        query = pirate(film, speed=speed, copied_s=copied_s, noise=noise, seed=seed)
        reference = film.sample("film", 2.0)
        fast, slow = align("vote", query, reference), align("exhaustive", query, reference)

        for segment in slow:
            if segment.score > 0.9:
                assert any(nearly_equal(segment, other, 2.0) for other in fast), f"{segment} is not in {fast}"
        for segment in fast:
            if segment.score > 0.9:
                assert any(nearly_equal(segment, other, 2.0) for other in slow), f"{segment} is not in {slow}"

    def test_the_longest_path_is_that_of_trying_all_paths(self) -> None:
        rng = np.random.default_rng(4)
        for _ in range(20):
            columns = np.stack([rng.permutation(14)[:2] for _ in range(7)])
            weights = rng.uniform(0.1, 1, columns.shape)
            weights[rng.random(columns.shape) < 0.2] = -np.inf

            def heaviest_from(row: int, k: int, columns: np.ndarray = columns, weights: np.ndarray = weights) -> float:
                onward = [
                    heaviest_from(later, other, columns, weights)
                    for later in range(row + 1, min(len(columns), row + MAX_STEP + 1))
                    for other in range(2)
                    if 0 < columns[later, other] - columns[row, k] <= MAX_STEP
                ]
                return float(weights[row, k]) + max(0.0, *onward, 0.0)

            path = heaviest_path(columns, weights)
            got = sum(weights[q, columns[q].tolist().index(r)] for q, r in path)
            assert (np.diff(path, axis=0) > 0).all()
            assert got == pytest.approx(max(heaviest_from(row, k) for row in range(7) for k in range(2)))

    def test_the_alignments_are_those_of_filling_the_table_cell_by_cell(self) -> None:
        rng = np.random.default_rng(5)
        for shape in ((6, 9), (9, 6), (1, 4), (4, 1)):
            likeness = np.where(rng.random(shape) < 0.5, 0.0, rng.random(shape)).astype(np.float32)
            totals, origins = local_alignments(likeness)
            cells: dict[tuple[int, int], tuple[float, int, int, bool]] = {}
            for i, j in np.ndindex(shape):
                gain = float(likeness[i, j])
                options = [cells.get(cell, (0.0, 0, 0, True)) for cell in ((i - 1, j - 1), (i - 1, j), (i, j - 1))]
                worth = [options[0][0], *(0.0 if began else total for total, _, _, began in options[1:])]
                reached = [
                    before + (step if before > 0 else 1.0) * gain
                    for before, step in zip(worth, (1.0, 0.5, 0.5), strict=True)
                ]
                step = int(np.argmax(reached))
                begins = worth[step] == 0
                misses = 0 if gain > 0 else options[step][2] + 1
                best = 0.0 if misses > DISCONTINUE else reached[step]
                cells[i, j] = best, i * shape[1] + j if begins else options[step][1], misses, begins
                ends_here = gain > 0 and (begins or step == 0)
                assert totals[i, j] == pytest.approx(best if ends_here else 0.0, abs=1e-5)
                if ends_here:
                    assert origins[i, j] == cells[i, j][1]

    def test_the_greatest_run_is_that_of_trying_all_runs(self) -> None:
        gains = np.random.default_rng(6).normal(size=(9, 30))
        every = [gains[a:b].sum(axis=0) for a in range(9) for b in range(a, 10)]

        np.testing.assert_allclose(greatest_runs(gains), np.max(every, axis=0))

    def test_each_second_is_represented_by_the_frame_nearest_to_its_middle(self) -> None:
        query = descriptors("q", np.array([0.4, 1.6, 3.9]), np.eye(4)[:3], 4.5)
        reference = descriptors("r", np.array([0.0, 2.0]), np.eye(4)[[0, 2]], 3.0)

        expected = [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 1], [0, 1, 1]]
        np.testing.assert_array_equal(similarity_grid(query, reference), np.array(expected, dtype=np.float32))


def nearly_equal(a: Segment, b: Segment, within_s: float) -> bool:
    pairs = ((a.query_span, b.query_span), (a.reference_span, b.reference_span))
    return all(abs(x.start_s - y.start_s) <= within_s and abs(x.end_s - y.end_s) <= within_s for x, y in pairs)
