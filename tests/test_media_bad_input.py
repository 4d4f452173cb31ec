"""Files that cannot be used are refused in one clear sentence, and lead vcd to no other file."""

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
import numpy as np
import pytest

import vcd.media.probe
from tests import made_broken, made_streams
from tests.made import ONE_I_FRAME, make_video, scenes, steady
from tests.made_images import make_image
from tests.made_sound import make_audio
from tests.test_media_formats import FULL_SIZE, every_frame, show_the_film, times
from vcd.config import MediaConfig, SampleConfig
from vcd.errors import InputError
from vcd.media import hash_file, open_media

ANYHOW = MediaConfig(short_side_px=4096, accept_truncated=True)
HIDDEN_SCENE = 77
"""Shown by the file that a hostile one points to."""
NEW_FILE_OPENED = 0x20
"""IN_OPEN of Linux."""


def reason(path: Path, config: MediaConfig = FULL_SIZE) -> str:
    """Why a file is refused."""
    with pytest.raises(InputError) as caught:
        list(open_media(path, config).frames(SampleConfig()))
    assert str(path) in str(caught.value)
    assert "\n" not in caught.value.reason
    return caught.value.reason


def test_a_missing_file(tmp_path: Path) -> None:
    assert reason(tmp_path / "none.mp4") == "cannot be read: No such file or directory"


def test_an_empty_file(tmp_path: Path) -> None:
    assert reason(made_broken.make_empty(tmp_path / "a.mp4")) == "is empty"


def test_a_folder(tmp_path: Path) -> None:
    assert "cannot be read" in reason(tmp_path)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts", "a.jpg", "a.gif", "a"])
@pytest.mark.parametrize("make", [made_broken.make_text, made_broken.make_random])
def test_no_media_at_all(tmp_path: Path, name: str, make: Callable[[Path], Path]) -> None:
    assert reason(make(tmp_path / name)).startswith(("is not a media file", "has no video", "holds no video"))


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_are_no_media(tmp_path: Path, seed: int) -> None:
    assert reason(made_broken.make_random(tmp_path / "a.mkv", seed))


@pytest.mark.parametrize("suffix", [".m4a", ".mp3", ".flac", ".mka", ".wav", ".ogg", ".mp4"])
def test_sound_only(tmp_path: Path, suffix: str) -> None:
    assert reason(make_audio(tmp_path / f"a{suffix}")) == "has sound but no video"


@pytest.mark.parametrize("suffix", [".m4a", ".mp3", ".flac", ".mka"])
def test_sound_with_a_cover(tmp_path: Path, suffix: str) -> None:
    assert reason(made_streams.make_audio_with_cover(tmp_path / f"a{suffix}")) == "has sound but no video"


def test_an_encrypted_film(tmp_path: Path) -> None:
    path = made_streams.make_encrypted(tmp_path / "a.mp4")

    assert reason(path) == "is encrypted (DRM)"
    assert reason(path, ANYHOW) == "is encrypted (DRM)"


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".flv", ".mp4"])
def test_half_a_film_is_truncated(tmp_path: Path, suffix: str) -> None:
    whole = make_video(tmp_path / f"whole{suffix}", steady(6), gop=10)
    if suffix == ".mp4":
        whole = made_broken.make_faststart(tmp_path / "faststart.mp4")
    half = made_broken.truncate(whole, tmp_path / f"half{suffix}")

    assert reason(half).startswith("is truncated")


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".flv", ".mp4", ".ts", ".wmv"])
def test_what_can_be_read_of_half_a_film_is_used_on_demand(tmp_path: Path, suffix: str) -> None:
    whole = make_video(tmp_path / f"whole{suffix}", steady(6), gop=10)
    if suffix == ".mp4":
        whole = made_broken.make_faststart(tmp_path / "faststart.mp4")
    half = made_broken.truncate(whole, tmp_path / f"half{suffix}")

    info, frames = every_frame(half, ANYHOW)

    assert 1.9 < info.duration_s < 4.5
    assert 15 < len(frames) < 45
    assert times(frames) == pytest.approx(steady(6)[: len(frames)], abs=1e-3)
    assert show_the_film(frames[:-3])  # the last frame may lack its end


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.97])
def test_an_mp4_that_lacks_its_end(tmp_path: Path, keep: float) -> None:
    """Whatever is missing: reading what the index promises fails."""
    whole = made_broken.make_faststart(tmp_path / "whole.mp4")

    assert reason(made_broken.truncate(whole, tmp_path / "part.mp4", keep)).startswith("is truncated: holds ")


def test_a_fragmented_mp4_that_breaks_off(tmp_path: Path) -> None:
    whole = made_broken.make_fragmented(tmp_path / "whole.mp4")
    half = made_broken.truncate(whole, tmp_path / "half.mp4", 0.55)

    assert every_frame(whole)[0].duration_s == pytest.approx(6)
    assert reason(half).startswith("is truncated or damaged: can be read up to ")
    assert show_the_film(every_frame(half, ANYHOW)[1][:-3])


def test_an_mp4_without_its_index(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mp4", steady(4))

    assert reason(made_broken.drop_index(whole, tmp_path / "a.mp4"), ANYHOW) == "is not a media file, or is damaged"


@pytest.mark.parametrize("suffix", [".ts", ".mpg", ".wmv"])
def test_half_a_broadcast_cannot_be_told_from_a_whole_one(tmp_path: Path, suffix: str) -> None:
    whole = make_video(tmp_path / f"whole{suffix}", steady(6), gop=10)
    half = made_broken.truncate(whole, tmp_path / f"half{suffix}")

    assert 1.5 < every_frame(half)[0].duration_s < 4.5


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".flv"])
def test_a_film_that_ends_before_its_sound_is_whole(tmp_path: Path, suffix: str) -> None:
    film = make_video(tmp_path / "film.mp4", steady(2))
    path = made_streams.merge(tmp_path / f"a{suffix}", film, make_audio(tmp_path / "sound.m4a", 8.0))

    assert len(every_frame(path)[1]) == 20


def test_a_film_of_more_pixels_than_allowed(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", steady(1))

    assert "pixels" in reason(path, MediaConfig(max_pixels=320 * 180 - 1))
    assert open_media(path, MediaConfig(max_pixels=400 * 200)).info.width_px == 320


def test_a_film_of_more_frames_or_streams_than_allowed(tmp_path: Path) -> None:
    path = made_streams.make_two_videos(tmp_path / "a.mkv")

    assert reason(path, MediaConfig(max_frames=19)) == "has more than 19 frames, the limit"
    assert reason(path, MediaConfig(max_streams=1)) == "has 2 streams, above the limit of 1"
    assert len(every_frame(path, MediaConfig(max_frames=20, max_streams=2, short_side_px=4096))[1]) == 20


def test_a_bomb_is_refused_before_its_pictures_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made_broken.make_video_bomb(tmp_path / "a.mov")
    decoded: list[av.VideoFrame] = []
    decode_packet = vcd.media.probe.decode_packet

    def spy(packet):  # type: ignore[no-untyped-def]
        frames = decode_packet(packet)
        decoded.extend(frames)
        return frames

    monkeypatch.setattr(vcd.media.probe, "decode_packet", spy)
    assert "pictures of more than 200000000 pixels" in reason(path)
    assert decoded == []


def test_a_size_that_is_only_claimed_does_no_harm(tmp_path: Path) -> None:
    plain = make_video(tmp_path / "plain.mp4", steady(4), gop=10)

    info, frames = every_frame(made_broken.claim_size(plain, tmp_path / "a.mp4"))

    assert info.width_px == 320
    assert show_the_film(frames)


@contextmanager
def unopened(*paths: Path) -> Iterator[None]:
    """Fails when anybody opens one of the files meanwhile; the kernel watches."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    for path in paths:
        assert libc.inotify_add_watch(watch, os.fsencode(path), NEW_FILE_OPENED) >= 0
    try:
        yield
        with pytest.raises(BlockingIOError):
            os.read(watch, 4096)
    finally:
        os.close(watch)


linux = pytest.mark.skipif(sys.platform != "linux", reason="needs inotify")


@pytest.fixture
def hidden(tmp_path: Path) -> Path:
    return make_video(tmp_path / "hidden.ts", steady(4), scenes(HIDDEN_SCENE), gop=ONE_I_FRAME)


@linux
def test_the_watch_notices_an_open(hidden: Path) -> None:
    with pytest.raises(pytest.fail.Exception), unopened(hidden):
        hash_file(hidden)


@linux
@pytest.mark.parametrize("name", ["a.m3u8", "a.mp4", "a.ts", "a.mkv"])
@pytest.mark.parametrize("prefix", ["", "file:", "./"])
def test_a_playlist_is_not_followed(tmp_path: Path, hidden: Path, name: str, prefix: str) -> None:
    target = hidden.name if prefix == "./" else hidden
    path = made_broken.make_playlist(tmp_path / name, f"{prefix}{target}")

    with unopened(hidden):
        assert reason(path) == "is not a media file, or is damaged"


@linux
@pytest.mark.parametrize("name", ["a.ffconcat", "a.mp4", "a.txt"])
def test_a_script_is_not_followed(tmp_path: Path, hidden: Path, name: str) -> None:
    path = made_broken.make_script(tmp_path / name, hidden.name)

    with unopened(hidden):
        assert reason(path) == "is not a media file, or is damaged"


@linux
def test_a_film_that_lies_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    hidden = make_video(tmp_path / "hidden.mp4", steady(4), scenes(HIDDEN_SCENE))
    path = made_broken.point_outside(hidden, tmp_path / "a.mov")

    with unopened(hidden):
        assert reason(path)
        assert reason(path, ANYHOW)


@linux
@pytest.mark.parametrize("name", ["scene%03d.png", "scene%03d.jpg", "scene*.png", "%03d.jpg", "scene%d.gif"])
@pytest.mark.parametrize("content", [b"not a picture", b"\x89PNG\r\n\x1a\nnot really", b"#EXTM3U\nscene001.png\n"])
def test_a_name_is_no_pattern(tmp_path: Path, name: str, content: bytes) -> None:
    """FFmpeg reads a numbered series of pictures when a name looks like one."""
    neighbours = [make_image(tmp_path / f"{stem}{number:03d}{suffix}", HIDDEN_SCENE)
                  for stem in ("scene", "") for number in range(3) for suffix in (".png", ".jpg")]  # fmt: skip
    (tmp_path / name).write_bytes(content)

    with unopened(*neighbours):
        assert reason(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["film%03d.mp4", "a:b.mp4", "http:film.mp4", "-i.mp4", "a b'\"$(x).mp4", "ä日本.mp4", "a?b#c.mp4"]
)
def test_odd_names_are_just_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    make_video(tmp_path / "plain.mp4", steady(2)).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)

    assert show_the_film(every_frame(Path(name))[1])


def test_a_name_that_is_no_text_can_be_opened(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.mp4"))
    make_video(tmp_path / "plain.mp4", steady(1)).rename(path)

    assert len(every_frame(path)[1]) == 10


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi", ".ts", ".flv", ".mpg", ".wmv"])
def test_damaged_films_raise_nothing_but_input_errors(tmp_path: Path, suffix: str) -> None:
    data = make_video(tmp_path / f"whole{suffix}", steady(1), size=(64, 48)).read_bytes()
    random = np.random.default_rng(0)
    path = tmp_path / f"damaged{suffix}"
    for _ in range(40):
        damaged = bytearray(data)
        for at in (len(data) * random.random(6) ** 3).astype(int):
            damaged[at] = random.integers(256)
        path.write_bytes(bytes(damaged))
        with suppress(InputError):
            frames = times(list(open_media(path, FULL_SIZE).frames(SampleConfig(gap_s=0.3))))
            assert frames == sorted(set(frames))
