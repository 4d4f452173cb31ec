"""Stage 6: pictures of both files -> whether a segment is a copy. All pictures are made: all transforms are known."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from tests.made_scenes import picture
from vcd.describe import load_card
from vcd.describe.maps import FeatureMaps
from vcd.errors import ConfigError
from vcd.local.features import FINDERS as PLAIN_FINDERS
from vcd.local.features import TEXT_WEIGHT
from vcd.local.learned import LearnedFinder
from vcd.local.text import find_text
from vcd.types import Picture, Segment, Span
from vcd.verify import Snapshot, choose_moments, geometry_of, reference_time, verify
from vcd.verify.features import find_overlay, match_features
from vcd.verify.overlays import find_free_area

FINDERS = {**PLAIN_FINDERS, "learned": LearnedFinder(FeatureMaps(load_card("vcd-rmac")))}
SIFT = FINDERS["sift"]
SIZE = (640, 360)
SEGMENT = Segment("q", "r", Span(0, 30), Span(10, 40), 0.5)
MOMENTS_S = (1.0, 6.0, 11.0, 16.0, 21.0, 26.0)
APART_S = 0.4


def set_with_people(take: int, t_s: float) -> Picture:
    """A room that stays as it is, and three people of different clothes; every take they walk in other ways."""
    room = cv2.resize(picture(7, 0.0), SIZE, interpolation=cv2.INTER_CUBIC)
    random = np.random.default_rng([take, 5])
    for person in range(3):
        way, pace, start = random.uniform(60, 200), random.uniform(0.5, 1.6), random.uniform(0, 6)
        x = int(100 + 200 * person + way * np.sin(pace * t_s + start))
        y = int(210 + 30 * np.cos(1.3 * pace * t_s + start))
        cv2.ellipse(room, (x, y), (34, 80), 0, 0, 360, (40 + 70 * person, 200 - 60 * person, 90), -1, cv2.LINE_AA)
        cv2.circle(room, (x, y - 95), 24, (225, 190, 160), -1, cv2.LINE_AA)
    return room


def snapshots(
    query: Callable[[float], Picture], reference: Callable[[float], Picture], moments_s: tuple[float, ...] = MOMENTS_S
) -> list[Snapshot]:
    return [
        Snapshot((query(at_s), query(at_s + APART_S)), (reference(at_s), reference(at_s + APART_S)))
        for at_s in moments_s
    ]


def scene(t_s: float) -> Picture:
    return picture(int(t_s // 5), t_s, SIZE)


def other_scene(t_s: float) -> Picture:
    return picture(50 + int(t_s // 5), t_s, SIZE)


def compressed(shown: Picture, quality: int = 35) -> Picture:
    _, coded = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8)


def cropped(shown: Picture) -> Picture:
    return cv2.resize(shown[60:300, 100:560], SIZE, interpolation=cv2.INTER_AREA)


def small_in_a_frame(shown: Picture) -> Picture:
    page = np.full((SIZE[1], SIZE[0], 3), 90, dtype=np.uint8)
    page[40:265, 30:430] = cv2.resize(shown, (400, 225), interpolation=cv2.INTER_AREA)
    return page


def turned(shown: Picture) -> Picture:
    matrix = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), 7, 1.1)
    return cv2.warpAffine(shown, matrix, SIZE)


def with_logo(shown: Picture) -> Picture:
    marked = shown.copy()
    cv2.putText(marked, "CHANNEL 5", (420, 60), cv2.FONT_HERSHEY_DUPLEX, 1.1, (255, 255, 255), 3)
    cv2.putText(marked, "subscribe for more", (30, 335), cv2.FONT_HERSHEY_DUPLEX, 1.0, (250, 230, 40), 2)
    return marked


EDITS = {
    "compressed": compressed, "cropped": cropped, "framed": small_in_a_frame, "turned": turned, "logo": with_logo,
    "darker": lambda shown: (shown * 0.6).astype(np.uint8),
}  # fmt: skip


@pytest.mark.parametrize("features", FINDERS)
@pytest.mark.parametrize("edit", EDITS)
def test_a_copy_is_verified_whatever_was_done_to_it(edit: str, features: str) -> None:
    if (features, edit) == ("orb", "framed"):
        pytest.skip("ORB is blind to pictures that are much smaller, as its setting says")
    found = verify(SEGMENT, snapshots(lambda t_s: EDITS[edit](scene(t_s)), scene), FINDERS[features])

    assert found.verified is True
    assert found.geometry is not None
    assert found.geometry.agreement >= 0.8
    assert found.geometry.motion > 0.6


@pytest.mark.parametrize("features", FINDERS)
def test_another_film_is_not(features: str) -> None:
    found = verify(SEGMENT, snapshots(scene, other_scene), FINDERS[features])

    assert found.verified is False
    assert found.geometry is not None
    assert found.geometry.agreement == 0


def test_the_same_set_filmed_twice_is_not_a_copy_though_the_set_agrees() -> None:
    copy = verify(
        SEGMENT,
        snapshots(lambda t_s: compressed(set_with_people(1, t_s)), lambda t: set_with_people(1, t)),
        SIFT,
    )
    again = verify(SEGMENT, snapshots(lambda t_s: set_with_people(2, t_s), lambda t_s: set_with_people(1, t_s)), SIFT)

    assert (copy.verified, again.verified) == (True, False)
    assert again.geometry is not None
    assert again.geometry.agreement > 0.8
    assert again.geometry.moving > 0.8
    assert again.geometry.motion < 0.3


def test_another_take_with_the_camera_moving_is_not() -> None:
    """The same scene, but the camera goes the other way."""
    found = verify(SEGMENT, snapshots(lambda t_s: picture(3, 100 - t_s, SIZE), lambda t_s: picture(3, t_s, SIZE)), SIFT)

    assert found.verified is False


def test_another_programme_with_the_same_intro_is_not() -> None:
    """One of six moments lies in the intro that both have; the segment claims much more."""

    def programme(first: int) -> Callable[[float], Picture]:
        return lambda t_s: scene(t_s) if t_s < 4 else picture(first + int(t_s // 5), t_s, SIZE)

    found = verify(SEGMENT, snapshots(programme(80), programme(120)), SIFT)

    assert found.verified is False
    assert found.geometry is not None
    assert 0 < found.geometry.agreement < 0.3


def test_a_logo_that_both_channels_show_is_no_agreement() -> None:
    found = verify(SEGMENT, snapshots(lambda t: with_logo(scene(t)), lambda t: with_logo(other_scene(t))), SIFT)

    assert found.verified is False


def test_pictures_without_anything_to_hold_on_to_are_left_undecided() -> None:
    def flat(t_s: float) -> Picture:
        return np.full((SIZE[1], SIZE[0], 3), int(t_s), dtype=np.uint8)

    assert geometry_of(snapshots(flat, flat), SIFT) is None
    assert verify(SEGMENT, snapshots(flat, scene), SIFT) == SEGMENT
    assert verify(SEGMENT, [], SIFT) == SEGMENT


def test_a_still_is_verified_by_its_place_alone() -> None:
    pair = [Snapshot((compressed(cropped(scene(3.0))),), (scene(3.0),))]
    found = verify(SEGMENT, pair, SIFT)

    assert found.verified is True
    assert found.geometry is not None
    assert (found.geometry.pairs, found.geometry.moving) == (1, 0)


def test_the_transform_is_the_one_that_was_applied() -> None:
    matrix = np.array([[0.8, -0.1, 60.0], [0.1, 0.8, 20.0]])
    shown = cv2.warpAffine(scene(3.0), matrix, SIZE)
    found = find_overlay(SIFT(shown, None), SIFT(scene(3.0), None))

    assert found is not None
    np.testing.assert_allclose(found.matrix[:, :2], matrix[:, :2], atol=0.01)
    np.testing.assert_allclose(found.matrix[:, 2], matrix[:, 2], atol=2.0)


def test_the_matches_are_those_of_the_obvious_search() -> None:
    query, reference = SIFT(scene(3.0), None), SIFT(scene(3.4), None)
    got = set(zip(*(rows.tolist() for rows in match_features(query, reference)), strict=True))
    expected = set()
    distances = np.linalg.norm(query.vectors[:, None] - reference.vectors[None], axis=2)
    for row in range(len(query)):
        order = np.argsort(distances[row])
        if distances[row, order[0]] < 0.8 * distances[row, order[1]] and distances[:, order[0]].argmin() == row:
            expected.add((row, int(order[0])))

    assert len(expected) > 50
    assert len(got ^ expected) <= 2  # rounding at the very limit of the ratio


def test_what_stays_over_changing_pictures_is_masked() -> None:
    pictures = [with_logo(scene(t_s)) for t_s in range(0, 40, 3)]
    free = find_free_area(pictures)

    assert free is not None
    assert free[25:60, 425:600].mean() < 0.6 * 255
    assert free[100:250].mean() > 0.9 * 255
    assert find_free_area([scene(1.0)] * 8) is None
    assert find_free_area(pictures[:2]) is None


def test_equal_pictures_give_equal_geometry() -> None:
    pairs = snapshots(lambda t_s: turned(scene(t_s)), scene)

    assert geometry_of(pairs, SIFT) == geometry_of(pairs, SIFT)


class TestMoments:
    @pytest.mark.parametrize("speed", [1.0, 1.25, -1.0, -0.5])
    def test_lie_inside_the_segment_and_on_its_line(self, speed: float) -> None:
        segment = Segment("q", "r", Span(20, 50), Span(40, 40 + 30 * abs(speed)), 0.5, speed)
        moments = choose_moments(segment, 6)

        assert len(moments) == 6
        for q, r in moments:
            assert 20 < q.start_s < q.end_s < 50
            assert segment.reference_span.start_s <= r.start_s < r.end_s <= segment.reference_span.end_s
            assert r.length_s == pytest.approx(abs(speed) * q.length_s)
        whole = [reference_time(segment, at_s) for at_s in (20.0, 50.0)]
        assert whole == pytest.approx([40, 40 + 30 * speed] if speed > 0 else [40 + 30 * -speed, 40])

    def test_a_short_segment_has_fewer_and_a_still_one(self) -> None:
        assert len(choose_moments(Segment("q", "r", Span(0, 1), Span(5, 6), 0.5), 6)) == 2
        assert choose_moments(Segment("q", "r", Span(0, 0), Span(7, 7), 0.5), 6) == [(Span(0, 0), Span(7, 7))]


# --- Text.


def meme(shown: Picture, *lines: str) -> Picture:
    """Two lines of outlined capitals, above and below."""
    made = shown.copy()
    for line, at_px in zip(lines, (60, 110, 330), strict=False):
        for colour, width in (((0, 0, 0), 12), ((255, 255, 255), 5)):
            cv2.putText(made, line, (40, at_px), cv2.FONT_HERSHEY_DUPLEX, 1.4, colour, width, cv2.LINE_AA)
    return made


CAPTION = ("WHEN THE SAME WORDS", "STAND ON TWO PICTURES", "NOBODY COPIED ANYTHING")


def test_text_is_found_where_it_is_and_little_elsewhere() -> None:
    plain = np.mean([find_text(scene(t_s)).mean() / 255 for t_s in MOMENTS_S])
    covered = []
    for t_s in MOMENTS_S:
        found = find_text(meme(scene(t_s), *CAPTION)) > 0
        lines = np.array([found[top : top + 30, 60:400].mean() for top in (30, 80, 300)])
        covered.append(lines.mean())

    assert plain < 0.05
    assert np.mean(covered) > 0.6


@pytest.mark.parametrize("features", FINDERS)
def test_pictures_do_not_match_by_the_words_on_them(features: str) -> None:
    segment = Segment("q", "r", Span(0, 0), Span(0, 0), 0.5)
    for t_s in MOMENTS_S:
        pair = [Snapshot((meme(scene(t_s), *CAPTION),), (meme(other_scene(t_s), *CAPTION),))]
        found = verify(segment, pair, FINDERS[features])
        assert found.verified is not True

        pair = [Snapshot((meme(scene(t_s), *CAPTION),), (meme(scene(t_s), "QUITE OTHER", "WORDS"),))]
        assert verify(segment, pair, SIFT).verified is True


def test_features_on_text_weigh_little_and_others_fully() -> None:
    found = SIFT(meme(scene(6.0), *CAPTION), None)

    assert set(np.unique(found.weights)) == {np.float32(TEXT_WEIGHT), np.float32(1)}


def test_a_model_without_a_map_has_no_learned_features() -> None:
    with pytest.raises(ConfigError, match="has no feature map"):
        FeatureMaps(load_card("regional-dct"))
