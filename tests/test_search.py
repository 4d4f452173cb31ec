"""Stage 4: a query's descriptors -> the references worth aligning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_descriptors import DIMENSION, FLOOR, MadeFilm, descriptors, pirate
from vcd.config import SearchConfig
from vcd.describe import load_background, load_card
from vcd.search import Background, count_votes, find_candidates
from vcd.types import Descriptors, Neighbours


class Shelf:
    """References compared one by one: the obvious store."""

    def __init__(self, *references: Descriptors) -> None:
        self.vectors = np.concatenate([reference.vectors for reference in references])
        self.ids = np.concatenate([np.full(len(r), number) for number, r in enumerate(references)])
        self.times_s = np.concatenate([reference.times_s for reference in references])

    def nearest(self, queries: np.ndarray, k: int) -> Neighbours:
        similarities = queries @ self.vectors.T
        order = np.argsort(-similarities, axis=1)[:, :k]
        padding = ((0, 0), (0, max(0, k - order.shape[1])))
        columns = [np.pad(column[order], padding, constant_values=-1) for column in (self.ids, self.times_s)]
        best = np.pad(np.take_along_axis(similarities, order, 1), padding, constant_values=-1)
        return Neighbours(columns[0], columns[1], best)


def test_the_copied_reference_comes_first_among_many() -> None:
    films = [MadeFilm(seed) for seed in range(20)]
    store = Shelf(*(film.sample(str(number), 2.0) for number, film in enumerate(films)))
    _, found = find_candidates(pirate(films[13], speed=1.2), store, SearchConfig(), FLOOR)

    assert found[0].media_id == 13
    assert found[0].votes > 3 * max([other.votes for other in found[1:]], default=0)


def test_several_references_of_one_query_are_all_found() -> None:
    films = [MadeFilm(seed) for seed in range(10)]
    store = Shelf(*(film.sample(str(number), 2.0) for number, film in enumerate(films)))
    first, second = pirate(films[2]), pirate(films[7], seed=4)
    times_s = np.concatenate([first.times_s, second.times_s + 70])
    query = descriptors("both", times_s, np.concatenate([first.vectors, second.vectors]).astype(float), 140)

    assert {matches.media_id for matches in find_candidates(query, store, SearchConfig(), FLOOR)[1][:2]} == {2, 7}


def test_black_frames_have_no_votes() -> None:
    vectors = np.ones((10, DIMENSION))
    black = descriptors("black", np.arange(10.0), vectors, 10)
    without_quality = Descriptors("q", black.info, black.times_s, black.vectors, np.zeros(10, dtype=np.float32))

    assert find_candidates(without_quality, Shelf(black), SearchConfig(), FLOOR)[1] == []


def test_a_long_static_reference_does_not_win_by_its_length() -> None:
    film = MadeFilm(1)
    query = pirate(film, noise=0.1)
    static = descriptors(
        "static", np.arange(0, 2000.0, 2), np.repeat(query.vectors[25:26], 1000, 0).astype(float), 2000
    )
    _, found = find_candidates(query, Shelf(static, film.sample("film", 2.0)), SearchConfig(), FLOOR)

    assert found[0].media_id == 1


def test_no_more_candidates_than_asked_for_and_equal_votes_by_id() -> None:
    film = MadeFilm(1)
    twins = [film.sample(str(number), 2.0) for number in range(5)]
    _, found = find_candidates(pirate(film), Shelf(*twins), SearchConfig(neighbours=1000, candidates=3), FLOOR)

    assert [matches.media_id for matches in found] == [0, 1, 2]


def test_an_empty_query_finds_nothing() -> None:
    film = MadeFilm(1).sample("film", 2.0)
    empty = descriptors("nothing", np.zeros(0), np.zeros((0, DIMENSION)), 0.0)

    assert find_candidates(empty, Shelf(film), SearchConfig(), FLOOR)[1] == []


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.floats(-200, 200), st.floats(0.01, 1)), min_size=1, max_size=40
    )
)  # fmt: skip
def test_votes_are_those_of_the_obvious_count(hits: list[tuple[int, float, float]]) -> None:
    """The slow twin fills a table cell by cell."""
    expected = 0.0
    for shift_s in (0.0, 5.0):
        cells: dict[int, dict[int, float]] = {}
        for row, offset_s, weight in hits:
            cell = cells.setdefault(int(np.floor((offset_s + shift_s) / 10)), {})
            cell[row] = max(cell.get(row, 0.0), weight)
        expected = max(expected, *(sum(cell.values()) for cell in cells.values()))
    rows, offsets_s, weights = (np.array(column) for column in zip(*hits, strict=True))

    assert abs(count_votes(rows, offsets_s, weights.astype(np.float32)) - expected) < 1e-4


def test_the_shipped_card_says_what_its_background_says() -> None:
    card = load_card("vcd-rmac")
    worked_out = Background.of(load_background(card))

    assert card.background_similarity == pytest.approx(worked_out.usual, abs=1e-4)
    assert Background.of(worked_out.vectors, 0.25).usual == 0.25
