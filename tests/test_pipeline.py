"""The whole flow on real encoded files: what was cut from where, in every container and after usual edits."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.made import change_every, film, make_video, picture, reencode, steady
from tests.made_images import make_image
from tests.made_networks import make_card
from vcd.config import Config, DescribeConfig, parse_config
from vcd.errors import InputError, LibraryMismatch, LibraryMissing
from vcd.pipeline import compare, index, query
from vcd.types import Picture, Report, Segment, Span

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".gif", ".m4v", ".mpg")
LENGTH_S = 40.0
START_S, END_S = 11.0, 27.0
"""What the clips are cut from: seconds of a film."""


def reference(path: Path, first: int, length_s: float = LENGTH_S) -> Path:
    """A film of its own: scenes `first` and following, 3 s each."""
    return make_video(path, steady(length_s, 12.5), change_every(3, first))


def only(report: Report) -> Segment:
    assert len(report.segments) == 1, report
    return report.segments[0]


def assert_within(segment: Segment, query_span: Span, reference_span: Span, within_s: float) -> None:
    for got, true in ((segment.query_span, query_span), (segment.reference_span, reference_span)):
        assert abs(got.start_s - true.start_s) <= within_s, segment
        assert abs(got.end_s - true.end_s) <= within_s, segment


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four films with nothing in common."""
    folder = tmp_path_factory.mktemp("films")
    for number in range(4):
        reference(folder / f"film{number}.mp4", 100 * number)
    return folder


@pytest.fixture(scope="module")
def library(references: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    assert len(index([references], folder, Config()).added) == 4
    return folder


def logo(shown: Picture) -> Picture:
    marked = shown.copy()
    marked[8:26, -60:-10] = (230, 30, 30)
    cv2.putText(marked, "subtitle", (90, 168), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
    return marked


def cropped(shown: Picture) -> Picture:
    return np.ascontiguousarray(shown[10:-10, 18:-18])


def dark_and_blurred(shown: Picture) -> Picture:
    return (cv2.GaussianBlur(shown, (0, 0), 2) * 0.7).astype(np.uint8)


def letterboxed(shown: Picture) -> Picture:
    bordered = np.zeros_like(shown)
    bordered[40:-40] = cv2.resize(shown, (shown.shape[1], shown.shape[0] - 80), interpolation=cv2.INTER_AREA)
    return bordered


def turned(shown: Picture) -> Picture:
    return np.ascontiguousarray(np.rot90(shown, -1))


def templated(shown: Picture) -> Picture:
    """Small in a picture that stays the same."""
    ground = picture(8000, 0.0, (640, 360))
    ground[30:192, 40:328] = cv2.resize(shown, (288, 162))
    return ground


class TestEdits:
    @pytest.mark.parametrize("edit", [logo, cropped, dark_and_blurred], ids=lambda edit: edit.__name__)
    @pytest.mark.parametrize("speed", [1.0, 1.2])
    def test_an_edited_stretch_is_found_to_the_second(
        self, edit: Callable[[Picture], Picture], speed: float, references: Path, library: Path, tmp_path: Path
    ) -> None:
        clip = reencode(references / "film2.mp4", tmp_path / "clip.mp4", START_S, END_S, edit=edit, speed=speed, crf=32)
        found = only(query([clip], library, Config()))

        assert found.reference == "film2.mp4"
        assert_within(found, Span(0, (END_S - START_S) / speed), Span(START_S, END_S), 0.5)
        assert found.speed == pytest.approx(speed, rel=0.01)
        assert (found.mirrored, found.refined, found.verified) == (False, True, None)

    def test_a_mirrored_stretch_is_found_and_said_to_be_mirrored(
        self, references: Path, library: Path, tmp_path: Path
    ) -> None:
        def mirrored(shown: Picture) -> Picture:
            return np.ascontiguousarray(shown[:, ::-1])

        clip = reencode(references / "film1.mp4", tmp_path / "clip.mp4", START_S, END_S, edit=mirrored)
        found = only(query([clip], library, Config()))

        assert (found.reference, found.mirrored) == ("film1.mp4", True)
        assert_within(found, Span(0, END_S - START_S), Span(START_S, END_S), 0.5)

    @pytest.mark.parametrize(
        ("edit", "view"),
        [
            (letterboxed, "inside a border"),
            (templated, "inside a border"),
            (turned, "rotated 90°"),
        ],
        ids=["letterbox", "template", "turned"],
    )
    def test_a_copy_that_is_seen_in_another_view_is_found_once_with_exact_ends(
        self, edit: Callable[[Picture], Picture], view: str, references: Path, library: Path, tmp_path: Path
    ) -> None:
        source = references / "film1.mp4"
        clip = reencode(source, tmp_path / "clip.mp4", START_S, END_S, edit=edit)
        found = only(query([clip], library, Config()))

        assert (found.reference, str(found.view), found.refined) == ("film1.mp4", view, True)
        assert_within(found, Span(0, END_S - START_S), Span(START_S, END_S), 0.5)

    def test_two_references_between_foreign_material_give_two_rows(self, references: Path, tmp_path: Path) -> None:
        """With the model that tells drawn textures apart: to one trained on pictures much of them looks alike."""
        config = Config(describe=DescribeConfig(model="regional-dct"))
        index([references], tmp_path / "library", config)
        foreign, first, second = (film(change_every(3, number)) for number in (7000, 0, 300))

        def show(t_s: float) -> Picture:
            if 8 <= t_s < 20:
                return first(t_s - 8 + 5)
            return second(t_s - 28 + 14) if 28 <= t_s < 42 else foreign(t_s)

        clip = make_video(tmp_path / "clip.mp4", steady(50, 12.5), show=show)
        segments = query([clip], tmp_path / "library", config).segments
        found = sorted(segments, key=lambda segment: segment.query_span.start_s)

        assert [segment.reference for segment in found] == ["film0.mp4", "film3.mp4"]
        assert_within(found[0], Span(8, 20), Span(5, 17), 0.3)
        assert_within(found[1], Span(28, 42), Span(14, 28), 0.3)

    def test_a_clip_of_nothing_in_the_library_finds_nothing(self, library: Path, tmp_path: Path) -> None:
        report = query([reference(tmp_path / "clip.mp4", 5000)], library, Config())

        assert (report.segments, report.problems) == ((), ())


class TestContainers:
    """One query of all clips: starting the processes is what takes time."""

    @pytest.mark.slow
    def test_a_clip_in_every_container_is_found_in_a_film_in_every_container(self, tmp_path: Path) -> None:
        films, clips = tmp_path / "films", tmp_path / "clips"
        films.mkdir()
        clips.mkdir()
        config = Config(describe=DescribeConfig(model="regional-dct"))
        for number, suffix in enumerate(SUFFIXES):
            source = reference(films / f"film{suffix}", 100 * number)
            reencode(source, clips / f"clip-of-film{suffix}.mp4", START_S, END_S)
            reencode(source, clips / f"clip{suffix}", START_S, END_S)
        assert index([films], tmp_path / "library", config).problems == ()
        report = query([clips], tmp_path / "library", config)

        assert report.problems == ()
        found = {Path(segment.query).name: segment for segment in report.segments}
        assert len(report.segments) == len(found) == 2 * len(SUFFIXES)
        for suffix in SUFFIXES:
            for clip in (f"clip-of-film{suffix}.mp4", f"clip{suffix}"):
                assert found[clip].reference == f"film{suffix}", clip
                assert_within(found[clip], Span(0, END_S - START_S), Span(START_S, END_S), 1.0)


class TestImages:
    def test_a_still_of_a_film_answers_with_the_moment(self, references: Path, library: Path, tmp_path: Path) -> None:
        still = make_image(tmp_path / "still.jpg", 205, 16.2, quality=60)  # film2 shows scene 205 from 15 s to 18 s
        found = only(query([still], library, Config()))

        assert (found.reference, found.query_span) == ("film2.mp4", Span(0, 0))
        assert found.reference_span.length_s == 0
        assert 15 <= found.reference_span.start_s < 18

    def test_a_film_that_shows_a_picture_of_the_library_answers_with_the_stretch(self, tmp_path: Path) -> None:
        picture = make_image(tmp_path / "picture.png", 105, 16)
        index([picture], tmp_path / "library", Config())
        clip = reference(tmp_path / "clip.mp4", 100)  # shows scene 105 from 15 s to 18 s
        found = only(query([clip], tmp_path / "library", Config()))

        assert found.reference_span == Span(0, 0)
        assert found.query_span.overlap_s(Span(15, 18)) > 2


class TestDistractors:
    def test_more_references_in_another_order_change_nothing(
        self, references: Path, library: Path, tmp_path: Path
    ) -> None:
        clip = reencode(references / "film0.mp4", tmp_path / "clip.mp4", START_S, END_S)
        before = only(query([clip], library, Config()))
        larger = tmp_path / "larger"
        for number in (8, 3, 1, 6, 0, 2):
            source = references / f"film{number}.mp4"
            path = source if source.exists() else reference(tmp_path / f"film{number}.mp4", 100 * number)
            index([references] if source.exists() else [path], larger, Config())
        after = only(query([clip], larger, Config()))

        assert (after.query_span, after.reference_span) == (before.query_span, before.reference_span)
        assert after.score == pytest.approx(before.score)

    def test_two_identical_references_are_both_named(self, references: Path, tmp_path: Path) -> None:
        films = tmp_path / "films"
        films.mkdir()
        for name in ("one.mp4", "two.mp4"):
            shutil.copy(references / "film0.mp4", films / name)
        index([films], tmp_path / "library", Config())
        clip = reencode(references / "film0.mp4", tmp_path / "clip.mp4", START_S, END_S)
        report = query([clip], tmp_path / "library", Config())

        assert [segment.reference for segment in report.segments] == ["one.mp4", "two.mp4"]


class TestSettings:
    def test_the_report_is_limited_to_the_best_rows_above_the_score(
        self, references: Path, library: Path, tmp_path: Path
    ) -> None:
        clip = reencode(references / "film0.mp4", tmp_path / "clip.mp4", START_S, END_S)
        impossible = parse_config({"report": {"min_score": 1.0}}, "test")
        few = parse_config({"report": {"min_score": 0.0, "top": 1}}, "test")

        assert query([clip], library, impossible).segments == ()
        assert len(query([clip], library, few).segments) == 1

    @pytest.mark.parametrize("mode", ["iframe", "scene", "uniform", "hybrid"])
    def test_every_way_of_sampling_finds_the_clip(self, mode: str, references: Path, tmp_path: Path) -> None:
        config = parse_config({"media": {"reference": {"mode": mode}}}, "test")
        index([references / "film1.mp4"], tmp_path / "library", config)
        clip = reencode(references / "film1.mp4", tmp_path / "clip.mp4", START_S, END_S)
        found = only(query([clip], tmp_path / "library", config))

        assert_within(found, Span(0, END_S - START_S), Span(START_S, END_S), 0.5)

    def test_another_models_library_is_refused(self, library: Path, references: Path, tmp_path: Path) -> None:
        config = parse_config({"describe": {"model": str(make_card(tmp_path))}}, "test")

        with pytest.raises(LibraryMismatch, match=r"describe\.model"):
            query([references / "film0.mp4"], library, config)
        with pytest.raises(LibraryMismatch, match="another folder"):
            index([references], library, config)

    def test_a_model_that_the_user_brings_works_end_to_end(self, references: Path, tmp_path: Path) -> None:
        config = parse_config({"describe": {"model": str(make_card(tmp_path / "model"))}}, "test")
        done = index([references], tmp_path / "library", config)
        report = query([references / "film0.mp4"], tmp_path / "library", config)

        assert len(done.added) == 4
        assert report.made_with["model"].startswith("made@")
        assert "film0.mp4" in {segment.reference for segment in report.segments}

    def test_a_folder_that_is_no_library_is_named(self, references: Path, tmp_path: Path) -> None:
        with pytest.raises(LibraryMissing, match="vcd index"):
            query([references / "film0.mp4"], tmp_path / "nothing", Config())


class TestIndexing:
    def test_what_has_not_changed_is_not_read_again(self, references: Path, tmp_path: Path) -> None:
        library = tmp_path / "library"
        first = index([references], library, Config())
        again = index([references], library, Config())

        assert first.added == again.unchanged == ("film0.mp4", "film1.mp4", "film2.mp4", "film3.mp4")
        assert again.added == again.replaced == ()

    def test_a_touched_file_is_unchanged_and_a_new_one_of_the_same_name_replaced(
        self, references: Path, tmp_path: Path
    ) -> None:
        films, library = tmp_path / "films", tmp_path / "library"
        films.mkdir()
        path = Path(shutil.copy(references / "film0.mp4", films / "film.mp4"))
        index([films], library, Config())
        os.utime(path, (1, 1))
        assert index([films], library, Config()).unchanged == ("film.mp4",)

        shutil.copy(references / "film1.mp4", path)
        assert index([films], library, Config()).replaced == ("film.mp4",)
        clip = reencode(references / "film1.mp4", tmp_path / "clip.mp4", START_S, END_S)
        old_clip = reencode(references / "film0.mp4", tmp_path / "old.mp4", START_S, END_S)
        report = query([clip, old_clip], library, Config())
        assert [segment.query for segment in report.segments] == [str(clip)]

    def test_a_folder_that_moved_is_known_by_its_content(self, references: Path, tmp_path: Path) -> None:
        before, after, library = tmp_path / "before", tmp_path / "after", tmp_path / "library"
        before.mkdir()
        shutil.copy(references / "film0.mp4", before)
        index([before], library, Config())
        before.rename(after)
        done = index([after], library, Config())

        assert done.unchanged == ("film0.mp4",)
        clip = reencode(references / "film0.mp4", tmp_path / "clip.mp4", START_S, END_S)
        assert only(query([clip], library, Config())).refined

    def test_a_reference_whose_file_is_gone_is_still_found_from_its_samples(
        self, references: Path, tmp_path: Path
    ) -> None:
        films, library = tmp_path / "films", tmp_path / "library"
        films.mkdir()
        shutil.copy(references / "film0.mp4", films)
        index([films], library, Config())
        shutil.rmtree(films)
        clip = reencode(references / "film0.mp4", tmp_path / "clip.mp4", START_S, END_S)
        found = only(query([clip], library, Config()))

        assert not found.refined
        assert_within(found, Span(0, END_S - START_S), Span(START_S, END_S), 1.0)

    def test_two_folders_with_the_same_names_keep_apart(self, references: Path, tmp_path: Path) -> None:
        library = tmp_path / "library"
        for number in (0, 1):
            (tmp_path / f"folder{number}").mkdir()
            shutil.copy(references / f"film{number}.mp4", tmp_path / f"folder{number}" / "film.mp4")
            index([tmp_path / f"folder{number}"], library, Config())
        clip = reencode(references / "film1.mp4", tmp_path / "clip.mp4", START_S, END_S)

        assert only(query([clip], library, Config())).reference == "folder1/film.mp4"

    def test_an_avi_that_leaves_out_unchanged_frames_is_whole(self, tmp_path: Path) -> None:
        film = make_video(tmp_path / "film.avi", steady(30, 12.5), change_every(3))  # claims 25 frames a second

        assert index([film], tmp_path / "library", Config()).problems == ()

    def test_a_bad_file_costs_itself_only(self, references: Path, tmp_path: Path) -> None:
        (tmp_path / "bad.mp4").write_text("no film")
        done = index(
            [tmp_path / "bad.mp4", references / "film0.mp4", tmp_path / "missing.mp4"], tmp_path / "l", Config()
        )

        assert len(done.added) == 1
        assert {problem.path for problem in done.problems} == {str(tmp_path / "bad.mp4"), str(tmp_path / "missing.mp4")}


class TestCompare:
    def test_two_files_need_no_library(self, references: Path, tmp_path: Path) -> None:
        clip = reencode(references / "film3.mp4", tmp_path / "clip.mp4", START_S, END_S)
        found = only(compare(clip, references / "film3.mp4", Config()))

        assert (found.query, found.reference) == (str(clip), str(references / "film3.mp4"))
        assert_within(found, Span(0, END_S - START_S), Span(START_S, END_S), 0.3)

    def test_a_file_compared_with_itself_is_the_identity(self, references: Path) -> None:
        found = only(compare(references / "film3.mp4", references / "film3.mp4", Config()))

        assert_within(found, Span(0, LENGTH_S), Span(0, LENGTH_S), 0.1)
        assert found.speed == 1.0

    def test_a_file_that_cannot_be_read_is_named(self, references: Path, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"missing\.mp4"):
            compare(tmp_path / "missing.mp4", references / "film0.mp4", Config())
        with pytest.raises(InputError, match="folder"):
            compare(references, references / "film0.mp4", Config())
