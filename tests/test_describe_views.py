"""Which views a query is looked at in, what they show, and what a picture is worth."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_scenes import Picture, picture
from vcd.config import DescribeConfig, load_config
from vcd.describe import choose_views, describe_frames, make_describer, short_side_for
from vcd.describe.quality import DOUBT, detail, picture_quality
from vcd.describe.views import PARTS
from vcd.types import MIRRORED, WHOLE, Frame, MediaInfo, Rectangle, Region, View

FILM = MediaInfo("video", 10.0, 320, 180, "made")
UPRIGHT = MediaInfo("video", 10.0, 180, 320, "made")
STILL = MediaInfo("image", 0.0, 320, 180, "made")
INSET = Region("picture in picture", Rectangle(0.1, 0.2, 0.5, 0.6))
SEEN = View(INSET.kind, INSET.rectangle)


class TestViews:
    def test_a_view_shows_its_part_turned_and_mirrored(self) -> None:
        numbers = np.arange(100 * 200 * 3).reshape(100, 200, 3).astype(np.uint8)
        part = numbers[20:60, 20:100]

        np.testing.assert_array_equal(SEEN.of(numbers), part)
        np.testing.assert_array_equal(View("x", INSET.rectangle, True).of(numbers), part[:, ::-1])
        np.testing.assert_array_equal(View("x", INSET.rectangle, False, 1).of(numbers), np.rot90(part))

    @given(st.integers(0, 3), st.integers(1, 9), st.integers(1, 9))
    def test_turning_a_turned_picture_shows_it_upright(self, turns: int, height: int, width: int) -> None:
        upright = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
        copy = np.rot90(upright, -turns)

        np.testing.assert_array_equal(View(quarter_turns=turns).of(copy), upright)

    @given(st.floats(0, 0.99), st.floats(0, 0.99), st.floats(0.001, 1), st.floats(0.001, 1), st.integers(1, 40))
    def test_a_part_is_never_empty(self, left: float, top: float, width: float, height: float, side: int) -> None:
        part = Rectangle(left, top, min(1, left + width), min(1, top + height))

        assert min(part.of(np.zeros((side, side, 3), dtype=np.uint8)).shape[:2]) >= 1

    def test_texts_for_people(self) -> None:
        assert str(WHOLE) == "whole"
        assert str(MIRRORED) == "mirrored"
        assert str(View(INSET.kind, INSET.rectangle, True, 1)) == "picture in picture, rotated 90°, mirrored"

    @pytest.mark.parametrize("sides", [(0.5, 0, 0.5, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.1), (0, 0.9, 1, 0.2)])
    def test_a_rectangle_outside_the_picture_is_refused(self, sides: tuple[float, float, float, float]) -> None:
        with pytest.raises(ValueError, match="lies in its picture"):
            Rectangle(*sides)


class TestChoice:
    def test_by_default_the_whole_and_each_region_are_also_mirrored(self) -> None:
        views = choose_views(DescribeConfig(), [INSET], FILM)

        assert views == (WHOLE, MIRRORED, SEEN, View(INSET.kind, INSET.rectangle, True))

    def test_turned_copies_are_likely_in_upright_films_without_a_layout_and_in_stills(self) -> None:
        def turns(regions: list[Region], info: MediaInfo) -> set[int]:
            return {view.quarter_turns for view in choose_views(DescribeConfig(), regions, info)}

        assert turns([], FILM) == {0}
        assert turns([], UPRIGHT) == {0, 1, 3}
        assert turns([INSET], UPRIGHT) == {0}
        assert turns([], STILL) == {0, 1, 2, 3}

    def test_the_fast_preset_looks_once_and_the_thorough_one_at_everything(self) -> None:
        fast = choose_views(load_config("fast").describe, (), STILL)
        thorough = choose_views(load_config("thorough").describe, [INSET], FILM)

        assert fast == (WHOLE,)
        assert {view.name for view in thorough} == {
            "whole", "picture in picture", "centre", "left half", "right half", "upper half", "lower half",
        }  # fmt: skip
        assert {view.quarter_turns for view in thorough} == {0, 1, 2, 3}
        assert len(set(thorough)) == len(thorough)

    def test_pictures_are_as_large_as_the_smallest_part_needs(self) -> None:
        assert short_side_for([WHOLE], 224, 224) == 224
        assert short_side_for([WHOLE, SEEN], 64, 224) == 224
        assert short_side_for([WHOLE, SEEN], 224, 224) == 560
        assert short_side_for([View("x", Rectangle(right=0.1))], 224, 224) == 672


def test_all_views_are_described_as_their_pictures_are() -> None:
    describer = make_describer("regional-dct")
    frames = [Frame(float(t), picture(t, 0.0)) for t in range(5)]
    views = [WHOLE, MIRRORED, SEEN, View(quarter_turns=3)]
    found = describe_frames(frames, "film", FILM, describer, batch=6, views=views)

    assert [each.view for each in found] == views
    for view, each in zip(views, found, strict=True):
        expected = describer.describe([view.of(frame.picture) for frame in frames])
        np.testing.assert_allclose(each.vectors, expected, atol=1e-4)
        assert each.quality.tolist() == pytest.approx([picture_quality(view.of(f.picture)) for f in frames], abs=0.05)


def slate(lines: int, ground: int = 0, ink: int = 255, scale: float = 0.6) -> Picture:
    card = np.full((224, 398, 3), ground, dtype=np.uint8)
    for number in range(lines):
        at = (60, 112 - 12 * lines + 24 * number + 12)
        cv2.putText(card, "Directed by Somebody", at, cv2.FONT_HERSHEY_SIMPLEX, scale, (ink,) * 3, 1, cv2.LINE_AA)
    return card


class TestDetail:
    def test_it_is_the_share_of_the_picture_that_shows_something(self) -> None:
        shown = np.full((128, 256, 3), 90, dtype=np.uint8)
        rng = np.random.default_rng(0)
        for columns in (0, 64, 128, 256):
            shown[:, :columns] = rng.integers(0, 256, (128, columns, 3), dtype=np.uint8)
            assert detail(shown) == pytest.approx(columns / 256)

    def test_a_soft_gradient_is_none(self) -> None:
        assert detail(np.repeat(np.linspace(0, 100, 256, dtype=np.uint8)[None, :, None], 128, 0).repeat(3, 2)) == 0

    def test_blind_parts_of_a_still_are_doubted_where_they_show_little_and_nothing_else_is(self) -> None:
        shown = np.full((120, 240, 3), 90, dtype=np.uint8)
        shown[:, :120] = np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8)
        views = [WHOLE, SEEN, *PARTS]

        def bias(info: MediaInfo) -> dict[str, float]:
            made = describe_frames([Frame(0.0, shown)], "x", info, make_describer("regional-dct"), 4, views)
            return {each.view.name: float(each.bias[0]) for each in made}

        still = bias(STILL)
        assert still["left half"] == 0 == still["whole"] == still[SEEN.name]
        assert still["right half"] == pytest.approx(DOUBT)
        assert 0 < still["upper half"] < DOUBT
        assert not any(bias(FILM).values())


class TestQuality:
    @pytest.mark.parametrize("level", [0, 16, 128, 255])
    def test_a_flat_picture_is_worth_nothing(self, level: int) -> None:
        assert picture_quality(np.full((90, 160, 3), level, dtype=np.uint8)) == 0

    @pytest.mark.parametrize(("ground", "ink"), [(0, 255), (255, 0), (40, 220), (30, 150)])
    @pytest.mark.parametrize("lines", [1, 3, 7])
    def test_text_on_a_plain_ground_is_worth_little(self, ground: int, ink: int, lines: int) -> None:
        assert picture_quality(slate(lines, ground, ink)) <= 0.3

    def test_a_large_title_is_worth_little(self) -> None:
        card = np.zeros((224, 398, 3), dtype=np.uint8)
        cv2.putText(card, "THE FILM", (30, 130), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (255, 255, 255), 4, cv2.LINE_AA)

        assert picture_quality(card) <= 0.3

    def test_text_upon_a_scene_is_a_scene(self) -> None:
        shown = picture(3, 0.0, (398, 224))
        cv2.putText(shown, "Directed by Somebody", (60, 112), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1)

        assert picture_quality(shown) > 0.8

    def test_a_thing_on_plain_ground_is_no_slate(self) -> None:
        shown = np.full((224, 398, 3), 255, dtype=np.uint8)
        shown[60:180, 120:280] = picture(4, 0.0, (160, 120))

        assert picture_quality(shown) > 0.8

    @pytest.mark.parametrize("scene", range(20))
    def test_scenes_are_worth_their_full_weight(self, scene: int) -> None:
        assert picture_quality(picture(scene, 0.0, (398, 224))) > 0.8

    @given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
    def test_it_is_a_number_from_0_to_1(self, height: int, width: int, seed: int) -> None:
        noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)

        assert 0 <= picture_quality(noise) <= 1
