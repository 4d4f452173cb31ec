"""`vcd index`: what it skips, replaces and refuses, and what it makes of files that are none."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import made_broken, made_streams
from tests.conftest import Call, MakeFilm, Outcome
from tests.made_sound import make_audio
from vcd.errors import InputError
from vcd.media import find_media


def names(vcd: Call, library: Path) -> list[str]:
    listed = vcd("library", "list", "--library", library, "--format", "json")
    assert listed.code == 0
    return [row["path"] for row in listed.json]


def summary(added: int, replaced: int, unchanged: int, unusable: int, library: Path) -> str:
    return f"{added} added, {replaced} replaced, {unchanged} unchanged, {unusable} unusable in {library}\n"


def test_media_that_are_in_it_are_not_read_again(vcd: Call, library: Path, films: Path) -> None:
    answer = vcd("index", films, "--library", library)

    assert (answer.code, answer.text, answer.err) == (0, summary(0, 0, 3, 0, library), "")


def test_a_changed_file_is_replaced(vcd: Call, made_film: MakeFilm, tmp_path: Path) -> None:
    library, film = tmp_path / "library", tmp_path / "film.mp4"
    shutil.copy(made_film(4), film)
    assert vcd("index", film, "--library", library).text == summary(1, 0, 0, 0, library)
    shutil.copy(made_film(4, first=60), film)

    assert vcd("index", film, "--library", library).text == summary(0, 1, 0, 0, library)

    old, new = (vcd("query", made_film(4, first=n), "--library", library, "--format", "csv").rows for n in (0, 60))
    assert (old, [row["reference"] for row in new]) == ([], [str(film)])


def test_media_that_moved_with_their_folder_are_not_read_again(vcd: Call, made_film: MakeFilm, tmp_path: Path) -> None:
    library, films = tmp_path / "library", tmp_path / "films"
    films.mkdir()
    shutil.copy(made_film(4), films / "film.mp4")
    vcd("index", films, "--library", library)
    films.rename(tmp_path / "moved")
    (tmp_path / "moved" / "film.mp4").touch()

    assert vcd("index", tmp_path / "moved", "--library", library).text == summary(0, 0, 1, 0, library)

    compared = vcd("query", tmp_path / "moved" / "film.mp4", "--library", library, "--format", "json").json["segments"]
    assert [row["reference"] for row in compared] == ["film.mp4"]


def test_one_bad_file_among_good_ones_is_named_and_the_rest_is_stored(
    vcd: Call, made_film: MakeFilm, tmp_path: Path
) -> None:
    library, folder = tmp_path / "library", tmp_path / "films"
    folder.mkdir()
    for number in range(2):
        shutil.copy(made_film(2, first=20 * number), folder / f"good-{number}.mp4")
    (folder / "bad.mp4").touch()
    answer = vcd("index", folder, "--library", library)

    assert (answer.code, answer.text) == (3, summary(2, 0, 0, 1, library))
    assert answer.err == f"problem: {folder / 'bad.mp4'}: is empty\n"
    assert names(vcd, library) == ["good-0.mp4", "good-1.mp4"]
    info = vcd("library", "info", "--library", library, "--format", "json").json
    assert (info["references"], info["problems"]) == (2, [f"{folder / 'bad.mp4'}: is empty"])


def test_nothing_but_bad_files_gives_1(vcd: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    answer = vcd("index", tmp_path / "missing.mp4", tmp_path / "empty", "--library", tmp_path / "library")

    assert (answer.code, answer.text) == (1, summary(0, 0, 0, 2, tmp_path / "library"))
    assert answer.err.splitlines() == [
        f"problem: {tmp_path}/missing.mp4: there is no such file or folder",
        f"problem: {tmp_path}/empty: holds no media files",
    ]


def test_a_file_that_vanishes_meanwhile_does_not_stop_the_run(
    vcd: Call, made_film: MakeFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = [Path(shutil.copy(made_film(2), tmp_path / name)) for name in ("gone.mp4", "kept.mp4")]

    def find_and_lose(paths: list[Path]) -> list[object]:
        found = list(find_media(paths))
        films[0].unlink()
        return found

    monkeypatch.setattr("vcd.pipeline.find_media", find_and_lose)
    answer = vcd("index", *films, "--library", tmp_path / "library")

    assert (answer.code, answer.text) == (3, summary(1, 0, 0, 1, tmp_path / "library"))


def test_a_file_that_cannot_be_read_again_does_not_stop_the_run(
    vcd: Call, made_film: MakeFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = Path(shutil.copy(made_film(2), tmp_path / "film.mp4"))
    vcd("index", film, "--library", tmp_path / "library")
    film.touch()

    def refuse(path: Path) -> str:
        raise InputError(path, "cannot be read: Permission denied")

    monkeypatch.setattr("vcd.plan.hash_file", refuse)
    other = shutil.copy(made_film(2, first=20), tmp_path / "other.mp4")
    answer = vcd("index", film, other, "--library", tmp_path / "library")

    assert (answer.code, answer.text) == (3, summary(1, 0, 0, 1, tmp_path / "library"))


def test_bad_files_of_two_folders_are_told_apart(vcd: Call, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bad.mp4").touch()
    answer = vcd("index", tmp_path / "one", tmp_path / "two", "--library", tmp_path / "library")

    assert len(set(answer.err.splitlines())) == 2
    assert len(vcd("library", "info", "--library", tmp_path / "library", "--format", "json").json["problems"]) == 2


def test_odd_names_go_in_and_out(vcd: Call, made_film: MakeFilm, tmp_path: Path) -> None:
    odd = ["a,b.mp4", "two\nlines.mp4", "[b]x :smile:.mp4", "电影\u3000é.mp4", "\x1b[2Jclear.mp4"]
    library, folder = tmp_path / "library", tmp_path / "films"
    folder.mkdir()
    for name in odd:
        shutil.copy(made_film(2), folder / name)

    assert vcd("index", folder, "--library", library).code == 0

    assert names(vcd, library) == sorted(odd)
    listed = vcd("library", "list", "--library", library, "--format", "csv")
    assert sorted(row["path"] for row in listed.rows) == sorted(odd)
    table = vcd("library", "list", "--library", library)
    assert len(table.text.splitlines()) == 1 + len(odd)
    assert "\x1b" not in table.text
    assert vcd("library", "remove", *odd, "--library", library).text == f"5 removed from {library}\n"


def test_a_name_that_is_no_utf8_is_a_problem_and_the_run_goes_on(
    vcd: Call, made_film: MakeFilm, tmp_path: Path
) -> None:
    library, folder = tmp_path / "library", tmp_path / "films"
    folder.mkdir()
    for name in (b"not-utf8-\xff.mp4", b"good.mp4"):
        shutil.copy(made_film(2), bytes(folder) + b"/" + name)
    answer = vcd("index", folder, "--library", library)

    assert (answer.code, answer.text) == (3, summary(1, 0, 0, 1, library))
    assert answer.err.startswith("problem: ")
    assert "not-utf8-" in answer.err
    assert names(vcd, library) == ["good.mp4"]


def test_a_folder_that_is_something_else_is_refused(vcd: Call, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    answer = vcd("index", clip, "--library", tmp_path)

    assert (answer.code, answer.out) == (1, b"")
    assert "is neither empty nor a library; name another folder with --library" in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_place_where_no_library_can_be_made_is_refused(vcd: Call, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = vcd("index", clip, "--library", tmp_path / "file" / "library")

    assert (answer.code, answer.out) == (1, b"")
    assert "no library can be made here" in answer.err


# --- Files that are damaged, are not what their name says, or mean harm.


def make_fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def cut_short(path: Path) -> Path:
    return made_broken.truncate(made_broken.make_faststart(path.with_name("whole.mp4")), path)


def without_index(path: Path) -> Path:
    return made_broken.drop_index(made_broken.make_faststart(path.with_name("whole.mp4")), path)


UNUSABLE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "empty.mp4": (made_broken.make_empty, "is empty"),
    "empty.png": (made_broken.make_empty, "is empty"),
    "text.mp4": (made_broken.make_text, "not a media file"),
    "text.jpg": (made_broken.make_text, "not a media file"),
    "random.avi": (made_broken.make_random, "not a media file"),
    "cut-short.mp4": (cut_short, "truncated"),
    "without-index.mp4": (without_index, "not a media file, or is damaged"),
    "sound.m4a": (make_audio, "no video"),
    "sound.mp4": (make_audio, "no video"),
    "song.mp3": (made_streams.make_audio_with_cover, "no video"),
    "locked.mp4": (made_streams.make_encrypted, "encrypted"),
    "list.mp4": (lambda path: made_broken.make_playlist(path, "/etc/passwd"), "not a media file"),
    "list.m3u8": (lambda path: made_broken.make_playlist(path, "http://127.0.0.1:9/x.ts"), "not a media file"),
    "script.mkv": (lambda path: made_broken.make_script(path, "text.mp4"), "not a media file"),
    "bomb.png": (made_broken.png_bomb, "pixels"),
    "pipe.mp4": (make_fifo, "not a regular file"),
    "missing.mp4": (lambda path: path, "no such file"),
}


@pytest.fixture(scope="module")
def asked(program: Call, library: Path, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """The folder of unusable files, and the answer of the real program to all of them and one good clip."""
    folder = tmp_path_factory.mktemp("unusable")
    paths = [make(folder / name) for name, (make, _) in UNUSABLE.items()]
    return folder, program("query", *paths, clip, "--library", library, "--format", "json")


def test_unusable_files_do_not_stop_the_run(asked: tuple[Path, Outcome], clip: Path) -> None:
    _, answer = asked

    assert answer.code == 3
    assert [row["query"] for row in answer.json["segments"]] == [str(clip)]


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_file_gives_one_clear_sentence(asked: tuple[Path, Outcome], name: str) -> None:
    folder, answer = asked

    [reason] = [problem["reason"] for problem in answer.json["problems"] if problem["path"] == str(folder / name)]
    assert UNUSABLE[name][1] in reason
    assert not any(word in reason for word in ("Traceback", "Errno", "crashed", "did not foresee", "\n"))
    assert f"problem: {folder / name}: {reason}" in answer.err.splitlines()


def test_nothing_but_problems_is_on_stderr(asked: tuple[Path, Outcome]) -> None:
    _, answer = asked

    assert [line for line in answer.err.splitlines() if not line.startswith("problem: ")] == []
    assert len(answer.err.splitlines()) == len(UNUSABLE)


def test_unusable_files_of_a_folder_are_not_stored(vcd: Call, asked: tuple[Path, Outcome], tmp_path: Path) -> None:
    folder, _ = asked
    answer = vcd("index", folder, "--library", tmp_path / "library")

    usable = {"whole.mp4"}
    assert set(names(vcd, tmp_path / "library")) == usable
    assert answer.code == 3
    told = {Path(line.split(": ")[1]).name for line in answer.err.splitlines()}
    assert told == {path.name for path in folder.iterdir() if path.suffix not in {".m4a", ".mp3", ".m3u8"}} - usable - {
        "pipe.mp4"
    }
