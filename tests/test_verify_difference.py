"""What was covered, removed or recoloured in a copy: everything planted, so the places are known to the pixel."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import Call, MakeFilm
from tests.made_scenes import picture
from vcd.config import Config
from vcd.contrast import draw_moments
from vcd.types import Picture, Segment, Span
from vcd.verify.difference import Box, find_difference
from vcd.verify.drawing import beside, difference_png, draw_difference

WIDTH, HEIGHT = SIZE = (640, 360)
Place = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""
Planted = tuple[Picture, Place]
LEAST_IOU = 0.7


def scene(number: int) -> Picture:
    return picture(number, 3.0, SIZE)


def logo(shown: Picture) -> Planted:
    marked = shown.copy()
    cv2.rectangle(marked, (480, 30), (589, 93), (235, 235, 240), -1)
    cv2.putText(marked, "TV5", (492, 76), cv2.FONT_HERSHEY_DUPLEX, 1.3, (200, 20, 30), 3)
    return marked, (480, 30, 590, 94)


def subtitle(shown: Picture) -> Planted:
    marked = shown.copy()
    for thick, ink in ((6, (0, 0, 0)), (2, (255, 255, 255))):
        cv2.putText(
            marked, "so this is where it was", (120, 330), cv2.FONT_HERSHEY_DUPLEX, 1.0, ink, thick, cv2.LINE_AA
        )
    rows, columns = np.nonzero(np.abs(marked.astype(int) - shown).max(axis=-1) > 20)
    return marked, (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def blurred_box(shown: Picture) -> Planted:
    """Where there is detail in all of it: what is flat shows no blur."""
    marked = shown.copy()
    edges = np.abs(cv2.Laplacian(cv2.GaussianBlur(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), (0, 0), 2), cv2.CV_32F))
    corners = [(x, y) for x in range(60, 420, 40) for y in range(60, 220, 20)]
    x, y = max(corners, key=lambda at: min(part.mean() for part in _ninths(edges[at[1] : at[1] + 100, at[0] :])))
    marked[y : y + 100, x : x + 150] = cv2.GaussianBlur(marked[y : y + 100, x : x + 150], (0, 0), 9)
    return marked, (x, y, x + 150, y + 100)


def _ninths(edges: np.ndarray) -> list[np.ndarray]:
    return [edges[33 * row : 33 * row + 33, 50 * column : 50 * column + 50] for row in range(3) for column in range(3)]


def compressed(shown: Picture, place: Place) -> Planted:
    coded = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8), place


def cropped(shown: Picture, place: Place) -> Planted:
    """Seven eighths of it, scaled up again."""
    scale = 8 / 7
    matrix = np.array([[scale, 0, -40 * scale], [0, scale, -22 * scale]])
    left, top, right, bottom = place
    moved = ((left - 40) * scale, (top - 22) * scale, (right - 40) * scale, (bottom - 22) * scale)
    return compressed(cv2.warpAffine(shown, matrix, SIZE, flags=cv2.INTER_AREA), moved)


def graded_and_soft(shown: Picture, place: Place) -> Planted:
    """Darker, with another gamma, and less sharp."""
    graded = np.clip(255 * (shown / 255) ** 1.3 * 0.85 + 10, 0, 255).astype(np.uint8)
    return compressed(cv2.GaussianBlur(graded, (0, 0), 1.0), place)


def iou(box: Box, place: Place) -> float:
    wide = min(box.right, place[2]) - max(box.left, place[0])
    high = min(box.bottom, place[3]) - max(box.top, place[1])
    both = max(0.0, wide) * max(0.0, high)
    area = (box.right - box.left) * (box.bottom - box.top) + (place[2] - place[0]) * (place[3] - place[1])
    return both / (area - both)


@pytest.mark.parametrize("number", [302, 303])
@pytest.mark.parametrize("edit", [compressed, cropped, graded_and_soft])
@pytest.mark.parametrize(("plant", "change"), [(logo, "covered"), (subtitle, "covered"), (blurred_box, "removed")])
def test_what_was_planted_is_found_whatever_else_was_done(
    plant: Callable[[Picture], Planted], change: str, edit: Callable[[Picture, Place], Planted], number: int
) -> None:
    query, place = edit(*plant(scene(number)))
    found = find_difference(query, scene(number))

    assert found is not None
    best = max(found.boxes, key=lambda box: iou(box, place), default=None)
    assert best is not None
    assert iou(best, place) >= LEAST_IOU
    assert best.change == change
    assert len(found.boxes) <= 2


@pytest.mark.parametrize("edit", [compressed, cropped, graded_and_soft])
def test_an_edit_of_the_whole_picture_is_no_difference(edit: Callable[[Picture, Place], Planted]) -> None:
    for number in (302, 305):
        found = find_difference(edit(scene(number), (0, 0, 1, 1))[0], scene(number))

        assert found is not None
        assert found.boxes == ()
        assert found.heat.mean() < 0.05


def test_another_colour_of_one_thing_is_told_from_something_on_top_of_it() -> None:
    query = scene(302)
    query[100:200, 300:420] = np.clip(query[100:200, 300:420].astype(int) + np.array([70, -60, 0]), 0, 255)
    found = find_difference(compressed(query, (0, 0, 1, 1))[0], scene(302))

    assert found is not None
    assert "recoloured" in {box.change for box in found.boxes}


def test_the_reference_is_laid_where_it_lies_in_the_query() -> None:
    """At half its size in the upper right of a grey page."""
    page = np.full((HEIGHT, WIDTH, 3), 90, dtype=np.uint8)
    page[20:200, 300:620] = cv2.resize(scene(303), (320, 180), interpolation=cv2.INTER_AREA)
    found = find_difference(page, scene(303))

    assert found is not None
    np.testing.assert_allclose(found.matrix, [[0.5, 0, 300], [0, 0.5, 20]], atol=1.5)
    assert found.overlap == pytest.approx(0.25, abs=0.03)
    rows, columns = np.nonzero(found.common)
    assert [columns.min(), rows.min(), columns.max(), rows.max()] == pytest.approx([300, 20, 620, 200], abs=7)
    assert found.heat[~found.common].max() == 0


def test_pictures_that_have_nothing_in_common_have_no_difference() -> None:
    assert find_difference(scene(302), scene(340)) is None
    assert find_difference(np.full((90, 160, 3), 7, dtype=np.uint8), scene(302)) is None


def test_equal_pictures_give_equal_maps_and_pictures_of_them() -> None:
    query, place = compressed(*logo(scene(302)))
    found, again = find_difference(query, scene(302)), find_difference(query, scene(302))
    assert found is not None
    assert again is not None
    np.testing.assert_array_equal(found.heat, again.heat)
    assert found.boxes == again.boxes

    marked, heat = draw_difference(query, found)
    left, top, right, bottom = (int(value) for value in place)
    inside = slice(top + 10, bottom - 10), slice(left + 10, right - 10)
    assert found.heat[inside].mean() > 0.8
    assert found.heat[200:, :300].mean() < 0.1
    assert heat[inside].mean() > 2 * heat[200:, :300].mean()
    assert (marked != query).any(axis=-1).mean() < 0.02, "only a frame is drawn on the query"
    drawn = beside(query, found)
    shown = cv2.imdecode(np.frombuffer(difference_png([("one", drawn), ("two", drawn)]), np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (2 * (HEIGHT + 22), 3 * WIDTH, 3)
    np.testing.assert_array_equal(shown[22 : HEIGHT + 22, ..., ::-1], drawn)


def test_compare_draws_what_differs(tmp_path: Path, vcd: Call) -> None:
    reference = scene(302)
    cv2.imwrite(str(tmp_path / "a.png"), reference[..., ::-1])
    cv2.imwrite(str(tmp_path / "b.jpg"), compressed(*logo(reference))[0][..., ::-1])

    done = vcd("compare", tmp_path / "b.jpg", tmp_path / "a.png", "--difference", tmp_path / "still.png")

    assert done.code == 0, done.err
    assert cv2.imread(str(tmp_path / "still.png")).shape == (360 + 22, 3 * 640, 3)


def test_what_differs_is_drawn_at_several_moments_of_a_segment(made_film: MakeFilm, clip: Path) -> None:
    """The clip shows seconds 4 to 10 of the film."""
    segment = Segment("clip", "film", Span(0, 6), Span(4, 10), 1.0)

    drawn = draw_moments(segment, clip, made_film(12), Config())

    times_s = [[float(word) for word in title.replace(",", "").split() if word[0].isdigit()] for title, _ in drawn]
    assert len(drawn) >= 3
    assert all(r_s - q_s == pytest.approx(4, abs=0.21) for q_s, r_s in times_s)
    assert all(shown.shape == (90, 3 * 160, 3) for _, shown in drawn)


def test_without_a_copy_there_is_no_difference_to_draw(
    made_film: MakeFilm, clip: Path, tmp_path: Path, vcd: Call
) -> None:
    told = vcd("compare", clip, made_film(6, first=60), "--difference", tmp_path / "film.png")

    assert told.code == 1
    assert "no copy was found" in told.err
    assert not (tmp_path / "film.png").exists()
