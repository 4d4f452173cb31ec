"""Which files are found under the paths that a user names."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from vcd.errors import InputError
from vcd.media import find_media, hash_file
from vcd.media.files import MediaPath

NOT_UNICODE = os.fsdecode(b"film-\xff.mp4")


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content")


def found(*paths: Path | str) -> list[MediaPath]:
    """All of them are fine."""
    results = list(find_media(paths))
    assert not [result for result in results if isinstance(result, InputError)]
    return [result for result in results if isinstance(result, MediaPath)]


def refused(*paths: Path | str) -> list[str]:
    """Reasons; none of them is fine."""
    results = list(find_media(paths))
    assert all(isinstance(result, InputError) for result in results)
    return [result.reason for result in results if isinstance(result, InputError)]


def names(results: Sequence[MediaPath]) -> list[str]:
    return [result.name for result in results]


def test_a_folder_gives_its_media_sorted_by_name(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("c.mp4", "a.mkv", "B.JPG", "b.webm", "notes.txt", "sub/z.gif", "sub/a.avi")))

    assert names(found(tmp_path)) == ["B.JPG", "a.mkv", "b.webm", "c.mp4", "sub/a.avi", "sub/z.gif"]


def test_names_are_relative_to_the_folder(tmp_path: Path) -> None:
    touch(tmp_path / "deep/er/film.mp4")

    (media,) = found(tmp_path)

    assert (media.name, media.root, media.path) == ("deep/er/film.mp4", tmp_path, tmp_path / "deep/er/film.mp4")


def test_a_file_keeps_the_name_that_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "sub/film.mp4")
    monkeypatch.chdir(tmp_path)

    (media,) = found("sub/film.mp4")

    assert (media.name, media.root) == ("sub/film.mp4", tmp_path)


def test_a_file_that_is_named_need_not_look_like_media(tmp_path: Path) -> None:
    touch(tmp_path / "film", tmp_path / "notes.txt", tmp_path / ".hidden.mp4")

    assert len(found(tmp_path / "film", tmp_path / "notes.txt", tmp_path / ".hidden.mp4")) == 3


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4", tmp_path / ".b.mp4", tmp_path / ".trash/c.mp4", tmp_path / "sub/.d/e.mp4")

    assert names(found(tmp_path)) == ["a.mp4"]


def test_links_to_folders_are_not_followed_and_links_to_files_are(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere/a.mp4", tmp_path / "here/b.mp4")
    (tmp_path / "here/folder").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "here/loop").symlink_to(tmp_path / "here")
    (tmp_path / "here/c.mp4").symlink_to(tmp_path / "elsewhere/a.mp4")
    (tmp_path / "here/gone.mp4").symlink_to(tmp_path / "nowhere.mp4")

    assert names(found(tmp_path / "here")) == ["b.mp4", "c.mp4"]


def test_a_link_to_a_folder_that_is_named_is_a_folder(tmp_path: Path) -> None:
    touch(tmp_path / "films/a.mp4")
    (tmp_path / "link").symlink_to(tmp_path / "films")

    assert names(found(tmp_path / "link")) == ["a.mp4"]


def test_each_file_comes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "sub/a.mp4", tmp_path / "sub/b.mp4")
    monkeypatch.chdir(tmp_path)

    media = found("sub/b.mp4", tmp_path, tmp_path / "sub", "sub/../sub/a.mp4", "./sub/b.mp4")

    assert names(media) == ["sub/b.mp4", "sub/a.mp4"]


def test_the_order_of_the_arguments_is_kept(tmp_path: Path) -> None:
    touch(tmp_path / "b.mp4", tmp_path / "a.mp4")

    assert [media.path.name for media in found(tmp_path / "b.mp4", tmp_path / "a.mp4")] == ["b.mp4", "a.mp4"]


def test_a_missing_path_is_named_and_the_others_are_found(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4")

    missing, media = find_media([tmp_path / "none.mp4", tmp_path / "a.mp4"])

    assert isinstance(missing, InputError)
    assert str(missing) == f"{tmp_path / 'none.mp4'}: there is no such file or folder"
    assert isinstance(media, MediaPath)


def test_a_folder_without_media_is_named(tmp_path: Path) -> None:
    touch(tmp_path / "notes.txt")

    assert refused(tmp_path) == ["holds no media files"]


def test_a_device_is_no_file() -> None:
    assert refused("/dev/null") == ["is not a regular file"]


def test_a_pipe_is_no_file_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")

    assert refused(tmp_path / "pipe.mp4") == ["is not a regular file"]
    assert refused(tmp_path) == ["holds no media files"]


def test_a_name_too_long_is_named() -> None:
    (reason,) = refused("a" * 5000)
    assert "name too long" in reason


@pytest.mark.parametrize("name", ["a\0b.mp4", ""])
def test_impossible_names_are_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(refused(name)) == 1


@pytest.mark.parametrize("how", ["file", "folder above", "folder"])
def test_a_name_that_is_no_utf_8_is_refused(tmp_path: Path, how: str) -> None:
    """No database and no screen takes it."""
    path = tmp_path / NOT_UNICODE / "a.mp4" if how == "folder" else tmp_path / NOT_UNICODE
    touch(path)

    (error,) = find_media([tmp_path if how == "folder above" else tmp_path / NOT_UNICODE])

    assert isinstance(error, InputError)
    assert error.reason == "has a name that is not valid UTF-8; rename it"
    assert "film-\N{REPLACEMENT CHARACTER}.mp4" in str(error)
    str(error).encode()


def test_a_bad_name_does_not_hide_its_neighbours(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4", tmp_path / NOT_UNICODE, tmp_path / "z.mp4")

    results = list(find_media([tmp_path]))

    assert [type(result) for result in results] == [MediaPath, InputError, MediaPath]


def test_a_hash_is_of_the_content(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4", tmp_path / "b.mp4")

    assert hash_file(tmp_path / "a.mp4") == hashlib.sha256(b"content").hexdigest() == hash_file(tmp_path / "b.mp4")
    with pytest.raises(InputError, match=r"none\.mp4: cannot be read: No such file"):
        hash_file(tmp_path / "none.mp4")
