"""Material that leads aligners astray, each with the answer a person would give; and what must not change an answer."""

import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_descriptors import DIMENSION, FLOOR, MadeFilm, descriptors, pirate
from tests.test_search import Shelf
from vcd.align import drop_overlapping, make_aligner
from vcd.config import AlignConfig, SearchConfig
from vcd.search import Background, find_candidates, match_all, normalise
from vcd.types import Descriptors, Segment, Span

SURE = 0.5


def search(query: Descriptors, references: Sequence[Descriptors], config: SearchConfig | None = None) -> list[Segment]:
    """Stages 4 and 5 over some references."""
    config = config or SearchConfig(neighbours=512)
    weighed, candidates = find_candidates(query, Shelf(*references), config, FLOOR)
    aligner = make_aligner(AlignConfig(), FLOOR)
    found = [segment for m in candidates for segment in aligner.align(weighed, references[m.media_id], m)]
    return [segment for segment in drop_overlapping(found) if segment.score >= SURE]


def align(query: Descriptors, reference: Descriptors) -> list[Segment]:
    found = make_aligner(AlignConfig(), FLOOR).align(query, reference, match_all(query, reference, 128))
    return [segment for segment in drop_overlapping(found) if segment.score >= SURE]


def spans(segments: Sequence[Segment]) -> list[tuple[str, float, float, float, float]]:
    return [
        (s.reference, *(round(at_s, 6) for at_s in (*astuple(s.query_span), *astuple(s.reference_span))))
        for s in segments
    ]


def with_vectors(film: Descriptors, vectors: np.ndarray, quality: float = 1.0) -> Descriptors:
    made = descriptors(film.name, film.times_s, vectors, film.info.duration_s)
    return replace(made, quality=np.full(len(made), quality, dtype=np.float32))


RNG = np.random.default_rng(77)
ONE_PICTURE, ANOTHER = RNG.normal(size=(2, DIMENSION))


def static(name: str, picture: np.ndarray, length_s: float = 120.0, gap_s: float = 1.0) -> Descriptors:
    times_s = np.arange(0, length_s, gap_s)
    noise = 0.03 * np.random.default_rng(len(name)).normal(size=(len(times_s), DIMENSION))
    return descriptors(name, times_s, picture + noise, length_s)


class TestMaterial:
    def test_two_static_films_of_other_pictures_have_nothing_in_common(self) -> None:
        assert align(static("a", ONE_PICTURE), static("b", ANOTHER)) == []

    def test_a_static_film_is_one_copy_of_itself_at_most(self) -> None:
        """Every moment fits every other: a person names the whole or nothing, never many pieces."""
        found = align(static("a", ONE_PICTURE), static("b", ONE_PICTURE, gap_s=2.0))

        assert len(found) <= 1
        assert all(segment.speed == 1.0 for segment in found)

    def test_slides_in_another_order_are_found_slide_by_slide_and_at_their_place(self) -> None:
        slides = np.random.default_rng(5).normal(size=(6, DIMENSION))
        times_s = np.arange(0, 120.0, 1.0)
        noise = 0.05 * RNG.normal(size=(120, DIMENSION))
        query = descriptors("q", times_s, slides[[3, 0, 5, 1, 4, 2]][(times_s // 20).astype(int)] + noise, 120)
        reference = descriptors("r", times_s, slides[(times_s // 20).astype(int)], 120)

        for segment in align(query, reference):
            middle_s = (segment.query_span.start_s + segment.query_span.end_s) / 2
            r_middle_s = (segment.reference_span.start_s + segment.reference_span.end_s) / 2
            assert [3, 0, 5, 1, 4, 2][int(middle_s // 20)] == int(r_middle_s // 20)

    def test_black_films_are_no_copies_of_each_other(self) -> None:
        black = static("black", ONE_PICTURE)
        nothing = replace(black, vectors=np.zeros_like(black.vectors), quality=np.zeros(len(black), dtype=np.float32))

        assert align(nothing, nothing) == []
        assert align(replace(black, quality=nothing.quality), black) == []
        assert search(nothing, [nothing, MadeFilm(1).sample("film", 2.0)]) == []

    def test_a_test_card_before_two_other_films_does_not_join_them(self) -> None:
        """Both begin with the same static card of 30 s; only the card may be named."""
        card = 0.05 * RNG.normal(size=(30, DIMENSION)) + ONE_PICTURE
        sides = []
        for seed, name in ((31, "a"), (32, "b")):
            film = MadeFilm(seed).sample(name, 1.0)
            sides.append(with_vectors(film, np.concatenate([card, film.vectors[30:].astype(float) * 8])))

        for segment in align(*sides):
            assert segment.query_span.end_s <= 31
            assert segment.reference_span.end_s <= 31

    def test_a_loop_of_two_seconds_gives_few_rows_that_are_all_right(self) -> None:
        loop = MadeFilm(3)
        q_s, r_s = np.arange(0, 60, 0.5), np.arange(0, 120, 0.5)
        found = align(descriptors("q", q_s, loop.at(q_s % 2), 60.0), descriptors("r", r_s, loop.at(r_s % 2), 120.0))

        assert 1 <= len(found) <= 3
        for segment in found:
            apart_s = abs(segment.reference_span.start_s - segment.query_span.start_s) % 2
            assert min(apart_s, 2 - apart_s) < 0.75  # frames half a second apart look alike here
        assert sum(segment.query_span.length_s for segment in found) > 50

    def test_two_identical_references_are_both_named_as_surely_as_one_alone(self) -> None:
        film = MadeFilm(4)
        one, two = film.sample("one", 2.0), film.sample("two", 2.0)
        alone, both = search(pirate(film), [one]), search(pirate(film), [one, two])

        assert [segment.reference for segment in both] == ["one", "two"]
        assert spans(both)[0][1:] == spans(both)[1][1:] == spans(alone)[0][1:]
        assert both[0].score == both[1].score == pytest.approx(alone[0].score, abs=0.05)

    def test_an_intro_that_fifty_references_share_is_no_copy_but_what_follows_is(self) -> None:
        intro = MadeFilm(60)
        films = [MadeFilm(100 + number) for number in range(50)]
        times_s = np.arange(0, 120, 2.0)

        def programme(film: MadeFilm, at_s: np.ndarray) -> np.ndarray:
            return np.where(at_s[:, None] < 12, intro.at(at_s), film.at(at_s))

        references = [
            descriptors(f"{number:02d}", times_s, programme(film, times_s), 120) for number, film in enumerate(films)
        ]
        q_s = np.arange(0.3, 60, 1.0)
        new = MadeFilm(999)
        foreign = search(descriptors("new", q_s, programme(new, q_s), 60.0), references)
        copied = search(descriptors("copied", q_s, programme(films[7], q_s), 60.0), references)

        assert foreign == []
        assert [segment.reference for segment in copied] == ["07"]
        assert copied[0].query_span.end_s > 58

    def test_a_query_shorter_than_the_gap_between_samples(self) -> None:
        film = MadeFilm(8)
        reference = film.sample("film", 2.0)
        single = descriptors("q", np.array([0.0]), film.at(np.array([30.1])), 0.8)
        found = make_aligner(AlignConfig(), FLOOR).align(single, reference, match_all(single, reference, 64))

        assert len(found) <= 1
        for segment in found:
            assert segment.query_span == Span(0, 0.8)
            assert segment.reference_span.overlap_s(Span(27, 33)) == pytest.approx(0.8, abs=0.01)

    def test_a_query_that_is_all_of_a_reference(self) -> None:
        film = MadeFilm(9)
        found = align(film.sample("q", 1.0), film.sample("film", 2.0))

        assert [(s.query_span.start_s, s.speed) for s in found] == [(0, 1.0)]
        assert found[0].query_span.end_s == pytest.approx(120, abs=0.5)
        assert found[0].reference_span.start_s == pytest.approx(0, abs=0.5)
        assert found[0].reference_span.end_s == pytest.approx(120, abs=0.5)

    def test_timestamps_that_jump_split_the_copy_where_they_do(self) -> None:
        """The copy's clock jumps by 100 s in its middle: two stretches of the reference, each at its place."""
        film = MadeFilm(10, 200)
        at_s = np.arange(0.4, 60, 1.0)
        times_s = np.where(at_s < 30, at_s, at_s + 100)
        found = align(descriptors("q", times_s, film.at(at_s + 40), 160.0), film.sample("film", 2.0))

        assert len(found) == 2
        first, second = sorted(found, key=lambda segment: segment.query_span.start_s)
        assert first.reference_span.overlap_s(Span(40, 70)) > 28
        assert second.reference_span.overlap_s(Span(70, 100)) > 28
        for segment in (first, second):
            assert segment.speed == pytest.approx(1.0, abs=0.01)


class TestBackwards:
    @pytest.mark.parametrize("speed", [-1.0, -1.25, -0.5, -2.0])
    def test_a_copy_that_runs_backwards_is_found_where_it_is(self, speed: float) -> None:
        film = MadeFilm(40)
        query = pirate(film, r_start_s=100, speed=speed)
        (found,) = align(query, film.sample("film", 1.0))
        end_s = 100 + 30 * speed

        assert found.speed == pytest.approx(speed, rel=0.02)
        for got, true in ((found.query_span, Span(20, 50)), (found.reference_span, Span(end_s, 100))):
            assert abs(got.start_s - true.start_s) < 1.6
            assert abs(got.end_s - true.end_s) < 1.6

    def test_the_setting_leaves_it_out(self) -> None:
        film = MadeFilm(40)
        query, reference = pirate(film, r_start_s=100, speed=-1.0), film.sample("film", 1.0)
        aligner = make_aligner(AlignConfig(backwards=False), FLOOR)

        assert all(segment.speed > 0 for segment in aligner.align(query, reference, match_all(query, reference, 128)))


class TestWhatMustNotChangeAnAnswer:
    @settings(max_examples=8, deadline=None)
    @given(seed=st.integers(0, 30), order=st.permutations(range(5)))
    def test_the_order_of_the_references(self, seed: int, order: list[int]) -> None:
        films = [MadeFilm(200 + number) for number in range(5)]
        references = [film.sample(str(number), 2.0) for number, film in enumerate(films)]
        query = pirate(films[seed % 5], seed=seed)

        assert spans(search(query, references)) == spans(search(query, [references[number] for number in order]))

    @settings(max_examples=8, deadline=None)
    @given(seed=st.integers(0, 30), more=st.integers(1, 12))
    def test_added_distractors(self, seed: int, more: int) -> None:
        film = MadeFilm(seed)
        query, reference = pirate(film, seed=seed), film.sample("film", 2.0)
        others = [MadeFilm(500 + number).sample(f"other{number}", 2.0) for number in range(more)]
        alone, among = search(query, [reference]), search(query, [*others, reference])

        assert spans(among) == spans(alone)
        assert [s.score for s in among] == pytest.approx([s.score for s in alone], abs=0.02)

    @settings(max_examples=8, deadline=None)
    @given(seed=st.integers(0, 30), shift_s=st.floats(0, 5000))
    def test_a_reference_that_begins_later(self, seed: int, shift_s: float) -> None:
        """The same film behind foreign material: the same segment, so much later."""
        film = MadeFilm(seed)
        query, reference = pirate(film, seed=seed), film.sample("film", 2.0)
        later = Descriptors("film", replace(reference.info, duration_s=120 + shift_s), reference.times_s + shift_s,
                            reference.vectors, reference.quality)  # fmt: skip
        (here,), (there,) = align(query, reference), align(query, later)

        assert there.query_span.start_s == pytest.approx(here.query_span.start_s, abs=0.01)
        assert there.reference_span.start_s == pytest.approx(here.reference_span.start_s + shift_s, abs=0.3)
        assert there.reference_span.end_s == pytest.approx(here.reference_span.end_s + shift_s, abs=0.3)

    @settings(max_examples=8, deadline=None)
    @given(seed=st.integers(0, 30), before_s=st.floats(0, 90), after_s=st.floats(0, 90))
    def test_foreign_material_around_the_copy(self, seed: int, before_s: float, after_s: float) -> None:
        film = MadeFilm(seed, 160)
        reference = film.sample("film", 2.0)
        times_s = np.arange(0.37, before_s + 40 + after_s, 1.0)
        query = pirate(film, before_s=before_s, copied_s=40, after_s=after_s, seed=seed, times_s=times_s, noise=0.2)
        (found,) = align(query, reference)

        assert found.query_span.start_s == pytest.approx(before_s, abs=1.6)
        assert found.query_span.end_s == pytest.approx(before_s + 40, abs=1.6)
        assert found.reference_span.start_s == pytest.approx(40, abs=1.8)

    @settings(max_examples=6, deadline=None)
    @given(seed=st.integers(0, 30), cut=st.integers(1, 7))
    def test_a_library_in_two_parts(self, seed: int, cut: int) -> None:
        films = [MadeFilm(300 + number) for number in range(8)]
        references = [film.sample(str(number), 2.0) for number, film in enumerate(films)]
        query = pirate(films[seed % 8], seed=seed)
        parts = search(query, references[:cut]) + search(query, references[cut:])

        assert spans(search(query, references)) == spans(parts)


class TestNormalisation:
    def test_it_is_that_of_one_more_dimension(self) -> None:
        """The trick of the literature: [q, -bias] . [r, 1] under the inner product."""
        film = MadeFilm(1)
        background = Background.of(MadeFilm(50, 400).sample("b", 3.0).vectors)
        query, reference = normalise(pirate(film), background, SearchConfig()), film.sample("film", 2.0)
        longer = np.hstack([query.vectors, -query.bias[:, None]]), np.hstack([reference.vectors, np.ones((60, 1))])
        matches = match_all(query, reference, 5)
        expected = -np.sort(-(longer[0] @ longer[1].T), axis=1)[:, :5]

        np.testing.assert_allclose(matches.similarities.reshape(-1, 5), expected, atol=1e-5)

    def test_pictures_that_look_like_anything_lose_and_others_hardly_change(self) -> None:
        rng = np.random.default_rng(2)
        common = rng.normal(size=DIMENSION)
        pictures = rng.normal(size=(300, DIMENSION)) + np.where(np.arange(300)[:, None] < 60, 2 * common, 0)
        background = Background.of(descriptors("b", np.arange(300.0), pictures, 300).vectors)
        frames = np.stack([common, rng.normal(size=DIMENSION)])
        query = normalise(descriptors("q", np.arange(2.0), frames, 2.0), background, SearchConfig(normalise=1.0))

        assert query.bias[0] > 0.3
        assert abs(query.bias[1]) < 0.25
        assert normalise(query, None, SearchConfig()) is query

    def test_a_background_of_too_few_pictures_is_refused(self) -> None:
        with pytest.raises(ValueError, match="background"):
            Background.of(np.eye(3, dtype=np.float32))


class TestCost:
    """Counts, not clocks: the allocated bytes, and a time only against another one on the same machine."""

    def test_memory_grows_no_faster_than_the_frames(self) -> None:
        def peak(length_s: float) -> int:
            query = MadeFilm(1, length_s).sample("q", 1.0)
            reference = MadeFilm(1, length_s).sample("r", 2.0)
            matches = match_all(query, reference, 32)
            aligner = make_aligner(AlignConfig(), FLOOR)
            tracemalloc.start()
            aligner.align(query, reference, matches)
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return most

        assert peak(1600) < 6 * peak(400)

    def test_time_grows_no_faster_than_the_frames(self) -> None:
        def taken_s(length_s: float) -> float:
            query, reference = static("q", ONE_PICTURE, length_s), static("r", ONE_PICTURE, length_s, 2.0)
            matches = match_all(query, reference, 32)
            aligner = make_aligner(AlignConfig(), FLOOR)
            began_s = time.process_time()
            aligner.align(query, reference, matches)
            return time.process_time() - began_s

        taken_s(100)
        assert taken_s(2000) < 12 * max(taken_s(500), 0.02)
