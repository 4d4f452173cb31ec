"""Single pictures as queries and references: which film and what moment, which picture, and from when to when."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.conftest import Call, Outcome
from tests.made import make_video, picture, steady
from tests.made_descriptors import FLOOR, MadeFilm, descriptors
from tests.made_images import make_image
from vcd.align import load_calibration, refine_moment, rescore
from vcd.align.still import align_still
from vcd.types import Descriptors, Geometry, Picture, Segment, Span

SMALL = (160, 90)


def screenshot(shown: Picture) -> Picture:
    """A fifth of each side cut off, and a caption below."""
    height, width = shown.shape[:2]
    image = Image.fromarray(shown[height // 10 : -height // 10, width // 5 :])
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, image.height - 14, image.width, image.height), fill="black")
    draw.text((6, image.height - 13), "TEXT ON IT", fill="white")
    return np.asarray(image)


@pytest.fixture(scope="module")
def found(vcd: Call, library: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A screenshot of a film, the same mirrored, and a film that shows a picture for a while, asked for at once."""
    folder = tmp_path_factory.mktemp("queries")
    make_image(folder / "screenshot.png", 3, 1.3, size=SMALL, edit=screenshot)
    make_image(folder / "mirrored.png", 3, 1.3, size=SMALL, edit=lambda shown: screenshot(shown)[:, ::-1])

    def show(t_s: float) -> Picture:
        return picture(40, 0, SMALL) if 3 <= t_s < 8 else picture(50 + int(t_s // 2), t_s, SMALL)

    make_video(folder / "film.mp4", steady(12, 5), show=show, size=SMALL)
    return vcd("query", folder, "--library", library, "--format", "csv")


def best_of(outcome: Outcome, name: str) -> dict[str, str]:
    return next(row for row in outcome.rows if Path(row["query"]).name == name)


def test_a_screenshot_cropped_and_with_text_on_it_gives_the_film_and_the_second(found: Outcome) -> None:
    row = best_of(found, "screenshot.png")

    assert (row["reference"], row["mirrored"]) == ("a.mp4", "false")
    assert row["r_start"] == row["r_end"]
    assert 6 <= float(row["r_start"]) < 8  # where the film shows that scene


def test_a_mirrored_screenshot_is_found_as_such(found: Outcome) -> None:
    row = best_of(found, "mirrored.png")

    assert (row["reference"], row["mirrored"]) == ("a.mp4", "true")


def test_a_film_that_shows_a_picture_says_from_when_to_when(found: Outcome) -> None:
    row = best_of(found, "film.mp4")

    assert (row["reference"], row["r_start"], row["r_end"]) == ("still.png", "0.000", "0.000")
    assert [float(row["q_start"]), float(row["q_end"])] == pytest.approx([3, 8], abs=1.1)


# --- The moment, between the stored frames.


def looker(film: MadeFilm, asked: list[tuple[Span, float]]) -> Callable[[Span, float], Descriptors]:
    def look(span: Span, step_s: float) -> Descriptors:
        asked.append((span, step_s))
        times_s = np.arange(span.start_s, span.end_s, step_s)
        return descriptors("film", times_s, film.at(times_s).reshape(len(times_s), -1), film.duration_s)

    return look


def found_roughly(film: MadeFilm, at_s: float) -> tuple[Segment, Descriptors]:
    """What the stored frames, 2 s apart, say of a picture of the film."""
    query = descriptors("still", np.zeros(1), film.at(np.array([at_s])), 0.0, "image")
    [segment] = align_still(query, film.sample("film", 2.0), FLOOR)
    return segment, query


@pytest.mark.parametrize("at_s", [13.37, 40.0, 77.71, 0.4, 118.9])
def test_the_moment_is_found_to_the_frame(at_s: float) -> None:
    film = MadeFilm(4)
    segment, query = found_roughly(film, at_s)
    segment = replace(segment, reference_span=Span(2 * (at_s // 2), 2 * (at_s // 2)))

    refined = refine_moment(segment, query, looker(film, []), film.duration_s, FLOOR)

    assert refined.reference_span.start_s == refined.reference_span.end_s == pytest.approx(at_s, abs=0.12)
    assert refined.refined
    assert refined.evidence is not None
    assert segment.evidence is not None
    assert refined.evidence.margin >= segment.evidence.margin


def test_in_a_static_shot_the_moment_stays_where_it_was() -> None:
    film = MadeFilm(5, static=True)
    segment, query = found_roughly(film, 31.0)

    refined = refine_moment(segment, query, looker(film, []), film.duration_s, FLOOR)

    assert refined.reference_span.start_s == pytest.approx(segment.reference_span.start_s, abs=0.02)


def test_only_the_surroundings_are_decoded_and_nothing_beyond_the_ends() -> None:
    film, asked = MadeFilm(6), []  # type: ignore[var-annotated]
    segment, query = found_roughly(film, 119.0)

    refine_moment(segment, query, looker(film, asked), film.duration_s, FLOOR)

    assert all(span.start_s >= 0 and span.end_s <= film.duration_s for span, _ in asked)
    assert sum(span.length_s / step_s for span, step_s in asked) < 50


def test_where_nothing_can_be_seen_the_segment_stays_as_it_is() -> None:
    film = MadeFilm(7)
    segment, query = found_roughly(film, 50.0)
    nothing = descriptors("film", np.zeros(0), np.zeros((0, query.vectors.shape[1])), film.duration_s)

    assert refine_moment(segment, query, lambda *_: nothing, film.duration_s, FLOOR) == segment


# --- What local features say about a single picture.


@pytest.mark.parametrize("margin", [0.05, 0.15, 0.3])
def test_features_that_follow_one_transform_make_a_picture_probable_and_none_make_it_less_so(margin: float) -> None:
    film = MadeFilm(8)
    segment, _ = found_roughly(film, 10.0)
    assert segment.evidence is not None
    unchecked = replace(segment, evidence=replace(segment.evidence, margin=margin, rarity=1.0))
    calibration = load_calibration("vcd-rmac", 0.2)

    def score(geometry: Geometry | None) -> float:
        return rescore(replace(unchecked, geometry=geometry), calibration).score

    agreeing = [Geometry(1, float(np.log1p(inliers)), 1.0, 0.0, 0.0) for inliers in (10, 40)]
    missing = Geometry(1, 0.0, 0.0, 0.0, 0.0)
    assert score(missing) < score(None) < score(agreeing[0]) < score(agreeing[1])
    assert score(agreeing[1]) > 0.8
