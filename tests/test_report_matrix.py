"""The picture of `vcd compare --plot`."""

import cv2
import numpy as np
import pytest

from tests.made_descriptors import FLOOR, MadeFilm, descriptors, pirate
from vcd.report.figure import clock_label, ticks
from vcd.report.matrix import COLOURS, LEFT, RIGHT, TOP, WIDTH, draw_matrix, margin_map
from vcd.types import MIRRORED, WHOLE, Segment, Span


def read(png: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def near(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(picture.astype(int) - colour).max(axis=-1) < 40


FILM = MadeFilm(1)
QUERY, REFERENCE = pirate(FILM), FILM.sample("film", 2.0)
COPY = Segment("query", "film", Span(20, 50), Span(40, 70), 0.97)


def test_the_corridor_lies_around_the_copy_and_leaves_it_to_be_seen() -> None:
    picture = read(draw_matrix([QUERY], REFERENCE, [COPY], FLOOR))
    across, down = WIDTH - LEFT - RIGHT, round((WIDTH - LEFT - RIGHT) * 70 / 120)
    rows, columns = np.nonzero(near(picture, COLOURS[0])[TOP : TOP + down, LEFT : LEFT + across])

    assert columns.min() == pytest.approx(across * 40 / 120, abs=12)
    assert columns.max() == pytest.approx(across * 70 / 120, abs=12)
    assert rows.max() == pytest.approx(down * 50 / 70, abs=12)
    middle = picture[TOP + round(down * 35.5 / 70), LEFT + round(across * 55.5 / 120)]
    assert middle.astype(int).sum() < 3 * 130, "where both look alike it is dark"


def test_a_segment_that_runs_backwards_is_drawn_backwards() -> None:
    backwards = Segment("query", "film", Span(20, 50), Span(40, 70), 0.97, speed=-1.0)
    picture = near(read(draw_matrix([QUERY], REFERENCE, [backwards], FLOOR)), COLOURS[0])
    across, down = WIDTH - LEFT - RIGHT, round((WIDTH - LEFT - RIGHT) * 70 / 120)
    lower = picture[TOP + round(down * 45 / 70) : TOP + down, LEFT : LEFT + across]

    assert np.nonzero(lower)[1].mean() < across * 48 / 120


def test_no_copy_and_many_copies_are_drawn_too() -> None:
    many = [
        Segment("query", "film", Span(n, n + 2), Span(2 * n, 2 * n + 2), 0.9, view=MIRRORED if n % 2 else WHOLE)
        for n in range(30)
    ]
    still = Segment("query", "film", Span(0, 0), Span(30, 30), 0.9)

    assert read(draw_matrix([QUERY], REFERENCE, [], FLOOR)).shape[1] == WIDTH
    assert read(draw_matrix([QUERY, QUERY], REFERENCE, [*many, still], FLOOR)).shape[1] == WIDTH


def test_a_single_picture_against_a_film_is_drawn() -> None:
    still = descriptors("still", np.zeros(1), FILM.at(np.array([30.3])), 0.0, kind="image")

    assert read(draw_matrix([still], REFERENCE, [], FLOOR)).shape[1] == WIDTH


def test_the_map_is_that_of_looking_at_every_frame_of_every_cell() -> None:
    down, across = 17, 23
    got = margin_map(QUERY, REFERENCE, FLOOR, down, across)

    def shown(side, count: int, cell: int) -> list[int]:
        """Frames on the screen at some moment of the cell."""
        begin_s, end_s = (side.info.duration_s * number / count for number in (cell, cell + 1))
        stops_s = [*side.times_s[1:], np.inf]
        starts_s = [-np.inf, *side.times_s[1:]]
        return [n for n, (a, b) in enumerate(zip(starts_s, stops_s, strict=True)) if a < end_s and b > begin_s]

    for row in range(down):
        for column in range(across):
            best = (
                QUERY.vectors[shown(QUERY, down, row)] @ REFERENCE.vectors[shown(REFERENCE, across, column)].T
            ).max()
            assert got[row, column] == pytest.approx(np.clip((best - FLOOR) / (1 - FLOOR), 0, 1), abs=1e-5)


def test_ticks_are_round_and_few() -> None:
    assert ticks(70, 12) == [0, 10, 20, 30, 40, 50, 60, 70]
    assert ticks(7200, 12)[1] == 600
    assert ticks(0.04, 12) == [0]
    assert [clock_label(at_s) for at_s in (0, 65, 3725, 0.5)] == ["0:00", "1:05", "1:02:05", "0:00.5"]
