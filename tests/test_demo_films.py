"""The demo's films and clip: same seed, same pictures; cuts and truth are where their recipes say."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from vcd.demo.canvas import Size
from vcd.demo.encode import Encoding, write_video
from vcd.demo.films import FILMS, Recipe, make_films, pictures, render_film, shots
from vcd.demo.pirate import CLIP, EDITS, ClipRecipe, Foreign, Stolen, TrueSegment, make_clip, shown_at
from vcd.demo.scenes import SCENES, make_scene
from vcd.errors import InputError, SetupError, UnknownName
from vcd.types import Picture, Span, T

TINY = Size(128, 72)
RECIPES = tuple(
    Recipe(
        name=f"tiny-{seed}", seed=seed, scenes=("collage", "waves", "spin", "city"), shortest_s=0.6,
        longest_s=1.2, length_s=6.0, encoding=Encoding(size=TINY, frames_per_s=25, crf=18),
    )
    for seed in (1, 2)
)  # fmt: skip
COVER, SPOIL = EDITS
CLIP_RECIPE = ClipRecipe(
    pieces=(
        Foreign(1.0),
        Stolen(film=0, start_s=1.1, length_s=2.0, edit=COVER),
        Foreign(0.5),
        Stolen(film=1, start_s=2.3, length_s=2.5, speed=1.2, edit=SPOIL),
        Foreign(0.5),
    ),
    foreign=replace(RECIPES[0], name="foreign", seed=9, scenes=("tunnel", "toys")),
    encoding=Encoding(size=Size(112, 64), frames_per_s=24, crf=20),
)


def difference(one: Picture, other: Picture) -> float:
    """Mean distance of two pictures in grey levels."""
    return float(np.abs(one.astype(int) - other).mean())


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    return make_films(tmp_path_factory.mktemp("films"), recipes=RECIPES)


@pytest.fixture(scope="module")
def clip(films: tuple[Path, ...]) -> tuple[Path, tuple[TrueSegment, ...]]:
    path = films[0].parent / "clip" / "clip.mp4"
    return path, make_clip(path, films, recipe=CLIP_RECIPE)


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_is_decided_by_its_seed_and_fills_the_size_asked_for(name: str) -> None:
    one, same, other = (make_scene(name, seed, TINY) for seed in (3, 3, 4))
    moments = [0.0, 0.52, 3.0, 20.0]

    for time_s in moments:
        assert one(time_s).shape == (72, 128, 3)
        assert one(time_s).dtype == np.uint8
    for time_s in reversed(moments):
        np.testing.assert_array_equal(same(time_s), one(time_s))
    assert difference(one(0.5), other(0.5)) > 10


@pytest.mark.parametrize("name", sorted(set(SCENES) - {"still life"}))
def test_a_moving_scene_changes_within_a_second_and_a_half(name: str) -> None:
    changes = [difference(scene(0.3), scene(1.8)) for scene in (make_scene(name, seed, TINY) for seed in range(5))]

    assert np.mean(changes) > 8


def test_a_still_life_stands_still_and_a_drawn_over_picture_does_not_come_back() -> None:
    scene = make_scene("still life", 1, TINY)
    first = scene(0.0)
    kept = first.copy()
    first[:] = 0

    np.testing.assert_array_equal(scene(5.0), kept)


def test_an_unknown_scene_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'tunnel'"):
        make_scene("tunel", 1, TINY)
    with pytest.raises(UnknownName, match="did you mean 'waves'"):
        replace(RECIPES[0], scenes=("wave", "city"))


@pytest.mark.parametrize("recipe", [*FILMS, CLIP.foreign, *RECIPES], ids=lambda recipe: recipe.name)
def test_shots_fill_the_film_without_gaps_and_never_repeat_a_scene_at_a_cut(recipe: Recipe) -> None:
    made = shots(recipe)

    assert made == shots(recipe)
    assert made[0].span.start_s == 0
    assert made[-1].span.end_s == recipe.length_s
    assert all(one.span.end_s == other.span.start_s for one, other in pairwise(made))
    assert all(one.scene != other.scene for one, other in pairwise(made))
    for shot in made[:-1]:
        assert recipe.shortest_s - 0.03 <= shot.span.length_s <= recipe.longest_s + recipe.shortest_s + 0.03


def test_the_films_of_the_demo_are_long_enough_and_differ_in_scenes_and_shots() -> None:
    assert all(recipe.length_s >= 60 for recipe in FILMS)
    assert len({recipe.scenes for recipe in FILMS}) == len(FILMS)
    seeds = [shot.seed for recipe in (*FILMS, CLIP.foreign) for shot in shots(recipe)]
    assert len(set(seeds)) == len(seeds)


def test_the_same_recipe_makes_the_same_file_and_another_seed_another_film(
    tmp_path: Path, films: tuple[Path, ...]
) -> None:
    again = render_film(tmp_path / "again.mp4", RECIPES[0])

    assert again.read_bytes() == films[0].read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.mp4"]
    assert (
        min(difference(*pair) for pair in zip(*(shown_at(film, [0.5, 3.0, 5.5]) for film in films), strict=True)) > 10
    )


def test_a_film_lasts_as_long_as_its_recipe_says_and_shows_what_was_drawn(films: tuple[Path, ...]) -> None:
    with av.open(str(films[0])) as container:
        stream = container.streams.video[0]
        times_s = [frame.time for frame in container.decode(stream)]
        assert stream.codec_context.name == "h264"

    assert times_s == pytest.approx([number / 25 for number in range(150)])
    drawn = pictures(RECIPES[0], times_s)
    assert max(difference(*pair) for pair in zip(drawn, shown_at(films[0], times_s), strict=True)) < 9


def test_the_largest_changes_of_a_film_are_its_cuts(films: tuple[Path, ...]) -> None:
    shown = list(shown_at(films[0], [number / 25 for number in range(150)]))
    changes = [difference(one, other) for one, other in pairwise(shown)]
    cuts = [round(shot.span.start_s * 25) for shot in shots(RECIPES[0])[1:]]

    largest = np.argsort(changes)[-len(cuts) :] + 1
    assert sorted(largest.tolist()) == cuts


def test_the_truth_follows_from_the_plan(films: tuple[Path, ...], clip: tuple[Path, tuple[TrueSegment, ...]]) -> None:
    assert clip[1] == (
        TrueSegment(films[0], Span(1.0, 3.0), Span(1.1, 3.1), 1.0, COVER),
        TrueSegment(films[1], Span(3.5, 6.0), Span(2.3, 5.3), 1.2, SPOIL),
    )


@pytest.mark.parametrize("row", [0, 1])
def test_the_clip_shows_the_film_at_the_true_time_and_not_a_frame_off(
    clip: tuple[Path, tuple[TrueSegment, ...]], row: int
) -> None:
    path, truth = clip[0], clip[1][row]
    edit = EDITS[truth.edit](CLIP_RECIPE.encoding.size)
    first, stop = round(truth.query_span.start_s * 24), round(truth.query_span.end_s * 24)
    seen = list(shown_at(path, [number / 24 for number in range(first, stop)]))

    def distance(shift: int) -> float:
        since_s = [number / 24 for number in range(3, stop - first - 3)]
        film_s = [truth.reference_span.start_s + truth.speed * time_s + shift / 24 for time_s in since_s]
        edited = map(edit, shown_at(truth.reference, film_s), since_s)
        return float(np.mean([difference(*pair) for pair in zip(edited, seen[3:-3], strict=True)]))

    off_by = {shift: distance(shift) for shift in (-2, -1, 0, 1, 2)}
    assert min(off_by, key=off_by.__getitem__) == 0
    assert off_by[0] < 0.7 * min(off_by[-1], off_by[1])


def test_foreign_material_begins_and_ends_at_the_ends_of_the_true_spans(
    clip: tuple[Path, tuple[TrueSegment, ...]],
) -> None:
    with av.open(str(clip[0])) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (112, 64)
        assert sum(1 for _ in container.decode(stream)) == round(6.5 * 24)
    edges = [edge for truth in clip[1] for edge in (truth.query_span.start_s, truth.query_span.end_s)]

    for before, after in zip(
        *(shown_at(clip[0], [edge + shift for edge in edges]) for shift in (-0.03, 0.01)), strict=True
    ):
        assert difference(before, after) > 15


def test_a_picture_is_shown_from_its_time_until_the_next(tmp_path: Path) -> None:
    path = tmp_path / "steps.mp4"
    encoding = Encoding(size=Size(32, 32), frames_per_s=10, crf=10)
    write_video(path, (np.full((32, 32, 3), 60 + 40 * number, np.uint8) for number in range(4)), encoding)

    seen = [float(picture.mean()) for picture in shown_at(path, [0.0, 0.09, 0.1, 0.1, 0.29, 0.3, 0.39])]

    assert seen == pytest.approx([60, 60, 100, 100, 140, 180, 180], abs=5)
    with pytest.raises(InputError, match=r"shows nothing at 0\.400 s"):
        list(shown_at(path, [0.35, 0.4]))


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("no film")

    with pytest.raises(InputError, match=r"film\.mp4"):
        list(shown_at(tmp_path / "film.mp4", [0.0]))


def test_a_failed_run_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> Iterable[Picture]:
        yield np.zeros((72, 128, 3), np.uint8)
        raise InputError("film", "stopped")

    with pytest.raises(InputError, match="stopped"):
        write_video(tmp_path / "film.mp4", broken(), RECIPES[0].encoding)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")

    with pytest.raises(SetupError, match="cannot write"):
        render_film(tmp_path / "taken" / "film.mp4", RECIPES[0])


def test_progress_sees_every_film(tmp_path: Path) -> None:
    seen: list[tuple[str, int | None]] = []

    def watch(items: Iterable[T], what: str, total: int | None = None) -> Iterable[T]:
        seen.append((what, total))
        return items

    make_films(tmp_path, watch, [replace(recipe, length_s=1.3) for recipe in RECIPES])
    assert seen == [("films", 2)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny-1.mp4", "tiny-2.mp4"]


def test_recipes_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="shortest"):
        replace(RECIPES[0], shortest_s=2.0)
    with pytest.raises(ValueError, match="two or more scenes"):
        replace(RECIPES[0], scenes=("city",))
    with pytest.raises(ValueError, match="foreign pieces need"):
        replace(CLIP_RECIPE, pieces=(Foreign(7.0),))
    with pytest.raises(UnknownName, match="unknown edit"):
        Stolen(film=0, start_s=0, length_s=1, edit="mirrored")
    with pytest.raises(ValueError, match="speed"):
        Stolen(film=0, start_s=0, length_s=1, speed=0, edit=COVER)
    with pytest.raises(ValueError, match="even"):
        Size(127, 72)
