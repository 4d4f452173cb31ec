"""Every container and codec: the right picture at the right time."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.made import INTRA_ONLY, OPEN_GOP, Picture, change_every, make_video, picture, steady
from tests.test_made import ALIKE, error
from vcd.config import MediaConfig, SampleConfig
from vcd.media import open_media
from vcd.types import Frame, MediaInfo, Span

FULL_SIZE = MediaConfig(short_side_px=4096)
B_FRAMES = {"bf": "2"}


def every_frame(path: Path, config: MediaConfig = FULL_SIZE) -> tuple[MediaInfo, list[Frame]]:
    """All frames of a file, in full size."""
    media = open_media(path, config)
    return media.info, list(media.frames_between(Span(0, media.info.duration_s + 1), 0.0))


def sampled(path: Path, mode: str, gap_s: float = 1.0, config: MediaConfig = FULL_SIZE) -> list[Frame]:
    return list(open_media(path, config).frames(SampleConfig(mode=mode, gap_s=gap_s)))  # type: ignore[arg-type]


def times(frames: list[Frame]) -> list[float]:
    return [frame.time_s for frame in frames]


def on_screen(time_s: float) -> Picture:
    """What a made film shows when nothing else was asked for: a new scene every 2 s."""
    return picture(change_every(2.0)(time_s), time_s)


def show_the_film(frames: list[Frame], shift_s: float = 0.0, within: float = ALIKE) -> bool:
    """Whether each frame shows what the film shows at its time (later by `shift_s`)."""
    return all(error(frame.picture, on_screen(frame.time_s + shift_s)) < within for frame in frames)


FORMATS = [
    ("a.mp4", "libx264", {}), ("a.mp4", "libx265", {}), ("a.mp4", "libvpx-vp9", {}), ("a.mp4", "libsvtav1", {}),
    ("a.mp4", "mpeg4", B_FRAMES), ("a.mp4", "mjpeg", {}), ("a.m4v", "libx264", {}), ("a.3gp", "libx264", {}),
    ("a.mov", "libx264", {}), ("a.mov", "prores_ks", {}), ("a.mov", "mjpeg", {}),
    ("a.mkv", "libx264", {}), ("a.mkv", "libx265", {}), ("a.mkv", "libsvtav1", {}), ("a.mkv", "ffv1", {}),
    ("a.mkv", "mpeg4", B_FRAMES), ("a.mkv", "mjpeg", {}),
    ("a.webm", "libvpx-vp9", {}), ("a.webm", "libvpx", {}), ("a.webm", "libsvtav1", {}),
    ("a.avi", "mpeg4", {}), ("a.avi", "mjpeg", {}), ("a.avi", "msmpeg4", {}), ("a.avi", "ffv1", {}),
    ("a.ts", "libx264", {}), ("a.ts", "libx265", {}), ("a.m2ts", "libx264", {}),
    ("a.flv", "libx264", {}), ("a.wmv", "wmv2", {}), ("a.nut", "libx264", {}), ("a.ivf", "libsvtav1", {}),
    ("a.gif", "gif", {}),
]  # fmt: skip
COUNTED_FORMATS = [("a.mpg", B_FRAMES), ("a.ts", B_FRAMES), ("a.mxf", {}), ("a.m2v", B_FRAMES)]


@pytest.mark.parametrize(("name", "codec", "options"), FORMATS)
def test_frames_show_what_the_film_shows_at_their_times(
    tmp_path: Path, name: str, codec: str, options: Mapping[str, str]
) -> None:
    path = make_video(tmp_path / name, steady(3), codec=codec, options=options)

    info, frames = every_frame(path)

    assert times(frames) == pytest.approx(steady(3), abs=1e-3)
    assert show_the_film(frames, within=25 if codec == "gif" else ALIKE)  # few colours; two scenes differ by 50
    assert info.kind == "video"
    assert info.duration_s == pytest.approx(3, abs=0.101)  # some containers do not tell how long the last frame is
    assert (info.width_px, info.height_px) == (320, 180)


@pytest.mark.parametrize(("name", "options"), COUNTED_FORMATS)
def test_mpeg_2_shows_what_the_film_shows(tmp_path: Path, name: str, options: Mapping[str, str]) -> None:
    path = make_video(tmp_path / name, steady(3, 25), codec="mpeg2video", options=options)

    info, frames = every_frame(path)

    assert times(frames) == pytest.approx(steady(3, 25), abs=1e-3)
    assert show_the_film(frames)
    assert info.duration_s == pytest.approx(3, abs=0.041)


B_FRAME_FILES = {
    "H.264 in AVI": ("a.avi", "libx264", {}),
    "H.264 in AVI, open groups": ("a.avi", "libx264", OPEN_GOP),
    "MPEG-4 in AVI": ("a.avi", "mpeg4", B_FRAMES),
    "H.264 in ASF": ("a.asf", "libx264", {}),
    "H.264 in MPEG-PS, many frames a packet": ("a.vob", "libx264", {}),
}


@pytest.mark.parametrize("kind", B_FRAME_FILES)
def test_b_frames_come_in_order_where_the_container_does_not_tell_it(tmp_path: Path, kind: str) -> None:
    """FFmpeg gives their packets times in decoding order."""
    name, codec, options = B_FRAME_FILES[kind]
    path = make_video(tmp_path / name, steady(4), codec=codec, options=options)

    _, frames = every_frame(path)

    missing = 1 if name == "a.asf" else 0  # the last two packets claim one time
    assert times(frames) == pytest.approx(steady(4)[: 40 - missing])
    assert show_the_film(frames)


@pytest.mark.parametrize("kind", B_FRAME_FILES)
@pytest.mark.parametrize("mode", ["iframe", "uniform", "hybrid"])
def test_sampled_b_frames_have_their_times_too(tmp_path: Path, kind: str, mode: str) -> None:
    name, codec, options = B_FRAME_FILES[kind]
    path = make_video(tmp_path / name, steady(4), codec=codec, options=options, gop=10)

    frames = sampled(path, mode, gap_s=0.7)

    assert len(frames) >= 4
    assert show_the_film(frames)


def test_a_bare_stream_runs_at_its_nominal_rate(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.h264", steady(3, 25))

    info, frames = every_frame(path)

    assert times(frames) == pytest.approx(steady(3, 25))
    assert show_the_film(frames)
    assert info.duration_s == pytest.approx(3)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_file_of_one_frame_has_one(tmp_path: Path, suffix: str) -> None:
    path = make_video(tmp_path / f"a{suffix}", [0])

    for mode in ("iframe", "scene", "uniform", "hybrid"):
        assert times(sampled(path, mode)) == [0]


@pytest.mark.parametrize("threads", [1, 4])
def test_the_number_of_threads_changes_nothing(tmp_path: Path, threads: int) -> None:
    path = make_video(tmp_path / "a.mp4", steady(6), options=OPEN_GOP)

    frames = list(open_media(path, FULL_SIZE, threads).frames(SampleConfig(gap_s=0.5)))

    assert times(frames) == times(sampled(path, "hybrid", 0.5))
    assert show_the_film(frames)


def test_a_group_of_pictures_for_each_frame_is_thinned(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", steady(12), gop=INTRA_ONLY)

    assert times(sampled(path, "iframe")) == pytest.approx(steady(12, 5))
    assert times(sampled(path, "hybrid")) == pytest.approx(steady(12, 2))


def test_the_format_is_named_for_people(tmp_path: Path) -> None:
    assert every_frame(make_video(tmp_path / "a.mkv", steady(1), codec="ffv1"))[0].format == "matroska/ffv1"
    assert every_frame(make_video(tmp_path / "a.mp4", steady(1), codec="libsvtav1"))[0].format == "mov/av1"
