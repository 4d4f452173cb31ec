"""Parts of the frame that show a picture of their own: found within 2 % where there are some, and only there."""

import math

import cv2
import numpy as np
import pytest

from tests.conftest import MakeFilm
from tests.made_layouts import HEIGHT, WIDTH, Draw, blurred, boxed, film, plain, rectangle, shoot, template
from tests.made_scenes import Picture, picture
from vcd.config import MediaConfig
from vcd.media import find_regions, open_media
from vcd.types import Rectangle, Region

CLOSE = 0.02


def near(found: Rectangle, wanted: Rectangle) -> bool:
    sides = zip(
        (found.left, found.top, found.right, found.bottom),
        (wanted.left, wanted.top, wanted.right, wanted.bottom),
        strict=True,
    )
    return all(abs(one - other) <= CLOSE for one, other in sides)


def kinds(regions: tuple[Region, ...]) -> list[str]:
    return [region.kind for region in regions]


class TestBorders:
    @pytest.mark.parametrize("ground", [plain((0, 0, 0)), plain((160, 30, 40)), plain((255, 255, 255)), template],
                             ids=["black", "red", "white", "template"])  # fmt: skip
    @pytest.mark.parametrize("box", [(0, 23, 320, 134), (50, 0, 220, 180), (32, 18, 256, 144), (10, 40, 250, 140)],
                             ids=["letterbox", "pillarbox", "frame", "off centre"])  # fmt: skip
    def test_a_border_is_cut_off(self, ground: Draw, box: tuple[int, int, int, int]) -> None:
        [region] = find_regions(shoot(boxed(ground, box, film(0))))

        assert near(region.rectangle, rectangle(box))
        assert region.kind == "inside a border"

    def test_a_border_around_a_dark_film_is_cut_off(self) -> None:
        def dark(t_s: float) -> Picture:
            return (film(3)(t_s) * 0.25).astype(np.uint8)

        [region] = find_regions(shoot(boxed(plain((0, 0, 0)), (0, 30, 320, 120), dark)))

        assert near(region.rectangle, rectangle((0, 30, 320, 120)))

    @pytest.mark.parametrize("size", [(180, 320), (320, 180)], ids=["upright", "wide"])
    def test_a_blurred_ground_is_cut_off(self, size: tuple[int, int]) -> None:
        width, height = size
        box = (0, 110, 180, 100) if height > width else (85, 0, 150, 180)
        [region] = find_regions(shoot(boxed(blurred(film(5), width, height), box, film(5))))

        assert near(region.rectangle, rectangle(box, width, height))
        assert region.kind == "inside a border"

    @pytest.mark.parametrize("colour", [(0, 0, 0), (240, 240, 240), (30, 60, 140)])
    def test_one_picture_is_enough_for_a_border_of_one_colour(self, colour: tuple[int, int, int]) -> None:
        [region] = find_regions(shoot(boxed(plain(colour), (40, 20, 240, 140), film(20)), 1))

        assert near(region.rectangle, rectangle((40, 20, 240, 140)))

    def test_a_border_that_hides_nothing_worth_it_is_left(self) -> None:
        assert find_regions(shoot(boxed(plain((0, 0, 0)), (3, 2, 314, 176), film(0)))) == ()


class TestPartsSideBySide:
    @pytest.mark.parametrize("at", [100, 160, 220])
    def test_two_films_side_by_side_are_two_parts(self, at: int) -> None:
        both = boxed(boxed(plain((0, 0, 0)), (0, 0, at, 180), film(10)), (at, 0, 320 - at, 180), film(40, 4.1))
        left, right = find_regions(shoot(both))

        assert near(left.rectangle, Rectangle(right=at / WIDTH))
        assert near(right.rectangle, Rectangle(left=at / WIDTH))
        assert kinds((left, right)) == ["side by side"] * 2

    @pytest.mark.parametrize("at", [60, 120])
    def test_two_films_one_above_the_other_are_two_parts(self, at: int) -> None:
        both = boxed(boxed(plain((0, 0, 0)), (0, 0, 320, at), film(70)), (0, at, 320, 180 - at), film(90, 4.1))
        upper, lower = find_regions(shoot(both))

        assert near(upper.rectangle, Rectangle(bottom=at / HEIGHT))
        assert near(lower.rectangle, Rectangle(top=at / HEIGHT))
        assert kinds((upper, lower)) == ["stacked"] * 2

    def test_parts_in_a_border_are_found_too(self) -> None:
        left = boxed(plain((20, 20, 60)), (20, 40, 140, 100), film(10))
        regions = find_regions(shoot(boxed(left, (160, 40, 140, 100), film(200, 4.1))))

        assert near(regions[0].rectangle, rectangle((20, 40, 140, 100)))
        assert near(regions[1].rectangle, rectangle((160, 40, 140, 100)))


class TestPicturesInPictures:
    @pytest.mark.parametrize("share", [0.2, 0.3, 0.4, 0.5, 0.6])
    @pytest.mark.parametrize("corner", [(0.08, 0.1), (0.9, 0.12), (0.85, 0.85), (0.4, 0.6)])
    def test_both_the_inset_and_what_lies_beside_it_are_found(self, share: float, corner: tuple[float, float]) -> None:
        width, height = round(share * WIDTH), round(share * HEIGHT)
        box = (int((WIDTH - width) * corner[0]), int((HEIGHT - height) * corner[1]), width, height)
        regions = find_regions(shoot(boxed(film(100), box, film(300, 4.1))))
        by_kind = {region.kind: region.rectangle for region in regions}

        assert near(by_kind["picture in picture"], rectangle(box))
        behind = by_kind.get("behind a picture")
        if share < 0.6:
            assert behind
            inset = rectangle(box)
            apart = [behind.right - inset.left, inset.right - behind.left, behind.bottom - inset.top,
                     inset.bottom - behind.top]  # fmt: skip
            assert min(apart) <= CLOSE

    def test_an_inset_in_the_very_corner_is_found(self) -> None:
        regions = find_regions(shoot(boxed(film(100), (212, 112, 108, 68), film(300, 4.1))))

        assert any(near(region.rectangle, rectangle((212, 112, 108, 68))) for region in regions)


def standing_camera(t_s: float) -> Picture:
    """A room with a window and a door, before which something moves."""
    room = np.full((HEIGHT, WIDTH, 3), (150, 140, 120), dtype=np.uint8)
    room[30:100, 40:140] = (220, 230, 240)
    room[50:180, 220:290] = (90, 60, 40)
    room[140:] = (110, 100, 90)
    room = cv2.addWeighted(room, 0.6, picture(70, 0.0, (WIDTH, HEIGHT)), 0.4, 0)
    cv2.circle(room, (int(60 + 12 * t_s % 200), 120), 22, (30, 60, 160), -1)
    noise = np.random.default_rng(int(10 * t_s)).normal(0, 2, room.shape)
    return np.clip(room + noise, 0, 255).astype(np.uint8)


def panning_horizon(t_s: float) -> Picture:
    """Sky above land that passes by."""
    land = picture(50, 3 * t_s, (WIDTH, HEIGHT))
    ridge = 80 + 25 * np.sin(np.arange(WIDTH) / 40 + t_s / 30) + 5 * np.sin(np.arange(WIDTH) / 9 - t_s / 7)
    sky = np.linspace(230, 200, HEIGHT).astype(np.uint8)[:, None, None]
    return np.where((np.arange(HEIGHT)[:, None] < ridge)[..., None], sky, land).astype(np.uint8)


def title_card(t_s: float) -> Picture:
    card = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    cv2.putText(card, f"CHAPTER {int(t_s // 4)}", (60, 100), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 2)
    return card


def split_scenery(t_s: float) -> Picture:
    """A wall on one side, a garden on the other, filmed by a camera that stands still."""
    shown = picture(60, 0.0, (WIDTH, HEIGHT))
    shown[:, :150] = (120, 120, 125)
    cv2.circle(shown, (230, int(90 + 40 * math.sin(t_s))), 15, (200, 40, 40), -1)
    return shown


def dark_film(t_s: float) -> Picture:
    return (film(20)(t_s) * 0.06).astype(np.uint8)


PLAIN = {
    "film": film(0),
    "one shot": film(30, 1000.0),
    "still film": lambda t_s: picture(8, 0.0, (WIDTH, HEIGHT)),
    "standing camera": standing_camera,
    "horizon": panning_horizon,
    "title cards": title_card,
    "split scenery": split_scenery,
    "dark film": dark_film,
    "black": plain((0, 0, 0)),
    "one colour": plain((90, 120, 30)),
}


class TestStills:
    @pytest.mark.parametrize("share", [0.4, 0.6])
    @pytest.mark.parametrize("at", [(30, 20), (60, 50), (100, 60)])
    @pytest.mark.parametrize("scenes", [(100, 300), (101, 310)])
    def test_an_inset_with_drawn_edges_is_found_in_one_picture(
        self, share: float, at: tuple[int, int], scenes: tuple[int, int]
    ) -> None:
        width, height = round(share * WIDTH), round(share * HEIGHT)
        box = (at[0], at[1], width, height)
        regions = find_regions(shoot(boxed(film(scenes[0]), box, film(scenes[1], 4.1)), 1))
        wanted = Rectangle(at[0] / WIDTH, at[1] / HEIGHT, (at[0] + width) / WIDTH, (at[1] + height) / HEIGHT)

        assert [near(region.rectangle, wanted) for region in regions if region.kind == "picture in picture"] == [True]


class TestPlainFilms:
    @pytest.mark.parametrize("name", PLAIN)
    def test_a_film_that_is_one_picture_has_no_parts(self, name: str) -> None:
        assert find_regions(shoot(PLAIN[name])) == ()

    @pytest.mark.parametrize("scene", range(400, 430))
    def test_one_picture_without_a_border_has_no_parts(self, scene: int) -> None:
        assert find_regions([picture(scene, 0.0, (WIDTH, HEIGHT))]) == ()

    def test_films_of_many_scenes_have_no_parts(self) -> None:
        assert [find_regions(shoot(film(first, 2.0))) for first in range(500, 620, 12)] == [()] * 10

    @pytest.mark.parametrize("size", [(1, 1), (3, 200), (40, 40)])
    def test_tiny_pictures_have_no_parts(self, size: tuple[int, int]) -> None:
        assert find_regions([np.zeros((*size, 3), dtype=np.uint8)] * 3) == ()

    def test_nothing_has_no_parts(self) -> None:
        assert find_regions([]) == ()

    def test_pictures_of_another_size_do_not_count(self) -> None:
        letterbox = shoot(boxed(plain((0, 0, 0)), (0, 30, 320, 120), film(0)))
        odd = [np.zeros((90, 90, 3), dtype=np.uint8)]

        assert find_regions(letterbox + odd) == find_regions(letterbox)


def test_the_answer_is_the_same_every_time() -> None:
    shots = shoot(boxed(film(100), (20, 20, 110, 60), film(300, 4.1)))

    assert find_regions(shots) == find_regions(shots)


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_glances_are_few_and_from_all_over_the_file(made_film: MakeFilm, suffix: str) -> None:
    times_s = [frame.time_s for frame in open_media(made_film(12, suffix=suffix), MediaConfig()).glances(8)]

    assert 4 <= len(times_s) <= 8
    assert times_s == sorted(set(times_s))
    assert times_s[0] == 0
    assert times_s[-1] >= 9
