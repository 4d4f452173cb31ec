"""The made files with odd streams, the broken ones and the images are what they say: never read with vcd."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image, ImageOps, ImageSequence

from tests import made_broken, made_streams
from tests.made import make_video, picture, read_pictures, steady
from tests.made_images import make_animation, make_image
from tests.made_sound import make_audio
from tests.test_made import ALIKE, error, first_frame, packets_of, times_of

FAULTS = (av.InvalidDataError, av.error.PermissionError)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return make_video(tmp_path / "plain.mp4", steady(4), gop=10)


@pytest.mark.parametrize("suffix", [".m4a", ".mp3", ".flac", ".mka", ".wav", ".ogg", ".mp4"])
def test_a_file_with_sound_only(tmp_path: Path, suffix: str) -> None:
    with av.open(make_audio(tmp_path / f"sound{suffix}")) as container:
        assert [stream.type for stream in container.streams] == ["audio"]


@pytest.mark.parametrize("suffix", [".m4a", ".mp3", ".flac", ".mka"])
def test_sound_with_a_cover(tmp_path: Path, suffix: str) -> None:
    with av.open(made_streams.make_audio_with_cover(tmp_path / f"song{suffix}")) as container:
        assert [stream.type for stream in container.streams] == ["audio", "video"]
        assert container.streams.video[0].disposition & Disposition.attached_pic
        shown = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert error(shown, picture(made_streams.COVER_SCENE, 0, (600, 600))) < ALIKE


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_film_with_a_cover(tmp_path: Path, suffix: str) -> None:
    with av.open(made_streams.make_video_with_cover(tmp_path / f"film{suffix}")) as container:
        film, cover = container.streams.video
        assert not film.disposition & Disposition.attached_pic
        assert cover.disposition & Disposition.attached_pic
        assert (film.width, cover.width) == (320, 600)
        assert sum(1 for _ in container.decode(film)) == 40


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize("default", [None, "small", "large"])
def test_two_videos_in_one_file(tmp_path: Path, suffix: str, default: str | None) -> None:
    with av.open(made_streams.make_two_videos(tmp_path / f"film{suffix}", default)) as container:
        streams = container.streams.video
        assert [stream.width for stream in streams] == [160, 320]
        flagged = [bool(stream.disposition & Disposition.default) for stream in streams]
        if suffix == ".ts":
            assert flagged == [False, False]  # the container knows no such flag
        else:
            first = default == "small" or (default is None and suffix == ".mp4")
            assert flagged == [first, default == "large"]
        large = next(container.decode(streams[1])).to_ndarray(format="rgb24")
    assert error(large, picture(made_streams.LARGE_SCENE, 0)) < ALIKE


def test_an_encrypted_film_needs_its_key(tmp_path: Path) -> None:
    path = made_streams.make_encrypted(tmp_path / "film.mp4")

    assert b"encv" in path.read_bytes()
    with av.open(path) as container:
        packet = next(container.demux(video=0))
        assert packet.has_sidedata("encryption_info")
    with av.open(path) as container, pytest.raises(av.InvalidDataError):
        list(container.decode(video=0))
    with av.open(path, options={"decryption_key": made_streams.KEY}) as container:
        assert sum(1 for _ in container.decode(video=0)) == 40


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".avi"])
def test_half_a_film_plays_half(tmp_path: Path, suffix: str) -> None:
    whole = make_video(tmp_path / f"whole{suffix}", steady(6), gop=10)
    half = made_broken.truncate(whole, tmp_path / f"half{suffix}")
    assert 20 <= len(times_of(half)) <= 40


def test_half_an_mp4_breaks_off_with_an_error(tmp_path: Path) -> None:
    half = made_broken.truncate(made_broken.make_faststart(tmp_path / "whole.mp4"), tmp_path / "half.mp4")
    shown = []
    with pytest.raises(av.InvalidDataError):
        shown.extend(read_pictures(half))
    with av.open(half) as container:
        assert container.duration == 6_000_000
        assert container.streams.video[0].frames == 60
    assert 20 <= len(packets_of(half)) <= 40


def test_a_fragmented_mp4_knows_no_number_of_frames(tmp_path: Path) -> None:
    path = made_broken.make_fragmented(tmp_path / "film.mp4")
    assert b"moof" in path.read_bytes()
    with av.open(path) as container:
        assert container.streams.video[0].frames == 0
    assert times_of(path) == pytest.approx(steady(6))


def test_a_damaged_film_loses_frames_in_the_middle(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mkv", steady(6), gop=10)
    times_s = times_of(made_broken.damage(whole, tmp_path / "damaged.mkv"))
    assert times_s[0] == 0
    assert times_s[-1] == pytest.approx(5.9)
    assert len(times_s) < 60


def test_files_that_are_no_media_do_not_open(tmp_path: Path, plain: Path) -> None:
    paths = [
        made_broken.make_empty(tmp_path / "empty.mp4"),
        made_broken.make_text(tmp_path / "text.mp4"),
        made_broken.make_random(tmp_path / "random.mkv"),
        made_broken.drop_index(plain, tmp_path / "recorder.mp4"),
    ]
    for path in paths:
        with pytest.raises(av.InvalidDataError):
            av.open(path)


def test_scripts_and_playlists_reach_other_files_unless_forbidden(tmp_path: Path, plain: Path) -> None:
    """What FFmpeg does without a whitelist; a playlist needs the right suffix, a script does not."""
    stream = make_video(tmp_path / "other.ts", steady(4))
    assert len(times_of(made_broken.make_script(tmp_path / "script.mp4", plain.name))) == 40
    assert len(times_of(made_broken.make_playlist(tmp_path / "list.m3u8", stream))) == 40
    for path in (
        made_broken.make_script(tmp_path / "absolute.mp4", plain),
        made_broken.make_playlist(tmp_path / "list.mp4", stream),
    ):
        with pytest.raises(FAULTS):
            av.open(path)


def test_a_mov_that_points_outside_is_followed_only_on_demand(tmp_path: Path, plain: Path) -> None:
    path = made_broken.point_outside(plain, tmp_path / "pointer.mov")
    assert path.stat().st_size < 4000
    assert packets_of(path) == []
    with av.open(path, options={"enable_drefs": "1"}) as container:
        assert sum(1 for _ in container.decode(video=0)) == 40


def test_a_claimed_size_stands_in_the_index_only(tmp_path: Path, plain: Path) -> None:
    path = made_broken.claim_size(plain, tmp_path / "huge.mp4")
    assert path.read_bytes().count(struct.pack(">HH", 65_535, 65_535)) == 1
    assert first_frame(path).width == 320


def test_bombs_are_small_and_valid(tmp_path: Path) -> None:
    with pytest.raises(Image.DecompressionBombError):
        Image.open(made_broken.png_bomb(tmp_path / "bomb.png"))
    with Image.open(made_broken.png_bomb(tmp_path / "small.png", 1000, 999)) as image:
        image.load()
        assert image.size == (1000, 999)
    path = made_broken.make_video_bomb(tmp_path / "bomb.mov")
    assert path.stat().st_size < 1_000_000
    with av.open(path) as container:
        assert container.streams.video[0].width == 16_000


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".gif", ".bmp", ".tif", ".avif"])
def test_images_show_the_scene(tmp_path: Path, suffix: str) -> None:
    with Image.open(make_image(tmp_path / f"image{suffix}", 7)) as image:
        assert error(np.asarray(image.convert("RGB")), picture(7, 0)) < ALIKE


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.png", "P"), ("a.png", "RGBA"), ("a.webp", "RGBA"), ("a.png", "LA"), ("a.png", "L"), ("a.png", "1"),
     ("a.jpg", "CMYK"), ("a.tif", "CMYK"), ("a.jpg", "L"), ("a.png", "I;16"), ("a.tif", "I;16")],
)  # fmt: skip
def test_images_come_in_all_modes(tmp_path: Path, name: str, mode: str) -> None:
    with Image.open(make_image(tmp_path / name, 7, mode=mode)) as image:
        assert image.mode == mode
        if mode == "I;16":
            assert np.asarray(image).max() > 40_000


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_upright_once_its_orientation_is_obeyed(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = make_image(tmp_path / f"image{suffix}", 7, orientation=orientation)
    with Image.open(path) as image:
        assert image.getexif().get(0x0112, 1) == orientation
        upright = ImageOps.exif_transpose(image).convert("RGB")
    assert error(np.asarray(upright), picture(7, 0)) < ALIKE


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_frames_of_an_animation_have_their_own_lengths(tmp_path: Path, suffix: str) -> None:
    lengths_ms = []
    with Image.open(make_animation(tmp_path / f"moving{suffix}")) as image:
        assert image.n_frames == 4
        for scene, frame in enumerate(ImageSequence.Iterator(image)):
            frame.load()
            lengths_ms.append(frame.info["duration"])
            assert error(np.asarray(frame.convert("RGB")), picture(scene, 0)) < ALIKE
    assert lengths_ms == [100, 500, 40, 1000]


def test_half_a_jpeg_does_not_load_and_one_pixel_does(tmp_path: Path) -> None:
    half = made_broken.truncate(make_image(tmp_path / "whole.jpg"), tmp_path / "half.jpg")
    with Image.open(half) as image, pytest.raises(OSError, match="truncated"):
        image.load()
    with Image.open(make_image(tmp_path / "dot.png", size=(1, 1))) as image:
        assert image.size == (1, 1)
