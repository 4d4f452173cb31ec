"""Files with unusual streams: several videos, cover pictures, sound only, encryption."""

import io
from collections.abc import Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Disposition
from PIL import Image

from tests.made import make_video, picture, scenes, steady
from tests.made_sound import make_audio

COVER_SCENE, SMALL_SCENE, LARGE_SCENE = 900, 901, 902
"""What shows that the wrong stream was read."""
KEY, KEY_ID = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"


def merge(
    path: Path,
    *sources: Path,
    default: Path | None = None,
    cover: bytes | None = None,
    muxing: Mapping[str, str] | None = None,
) -> Path:
    """All streams of the sources in one file, not encoded again; only `default` is flagged default.

    The cover, a JPEG, becomes an attachment in mkv and mka, an attached picture in mp4, m4a, mp3 and flac.
    """
    with ExitStack() as stack:
        kind = "mp4" if path.suffix == ".m4a" else None  # FFmpeg's own m4a writer refuses covers through PyAV
        whole = stack.enter_context(av.open(path, "w", format=kind, options=dict(muxing or {})))
        parts = [stack.enter_context(av.open(source)) for source in sources]
        copies = {}
        for source, part in zip(sources, parts, strict=True):
            for stream in part.streams:
                copies[stream] = whole.add_stream_from_template(stream)
                copies[stream].disposition = Disposition.default if source == default else Disposition(0)
        pictures = [_add_cover(whole, cover)] if cover else []
        whole.mux([packet for packet in pictures if packet])
        for part in parts:
            for packet in part.demux():
                if packet.dts is not None or packet.pts is not None:
                    packet.stream = copies[packet.stream]
                    whole.mux(packet)
    return path


def _add_cover(container: OutputContainer, cover: bytes) -> Packet | None:
    """The packet to write first; None where the cover is written with the header."""
    if container.format.name == "matroska":
        container.add_attachment("cover.jpg", "image/jpeg", cover)
        return None
    width, height = Image.open(io.BytesIO(cover)).size
    stream = container.add_mux_stream("mjpeg", width=width, height=height)
    stream.disposition = Disposition.attached_pic
    stream.time_base = Fraction(1, 90_000)
    packet = Packet(cover)
    packet.stream, packet.time_base = stream, stream.time_base
    packet.pts = packet.dts = 0
    packet.is_keyframe = True
    return packet


def cover_jpeg() -> bytes:
    """A square JPEG of `COVER_SCENE`, 600 x 600: larger than the film."""
    buffer = io.BytesIO()
    Image.fromarray(picture(COVER_SCENE, 0, (600, 600))).save(buffer, "JPEG")
    return buffer.getvalue()


def make_audio_with_cover(path: Path) -> Path:
    """Two seconds of sound with a cover picture and no film: .mp3 .m4a .flac .mka."""
    with TemporaryDirectory() as folder:
        return merge(path, make_audio(Path(folder, f"sound{path.suffix}")), cover=cover_jpeg())


def make_video_with_cover(path: Path, length_s: float = 4.0) -> Path:
    """The default film at 10 frames a second with a cover picture that is larger than it: .mp4 .mkv."""
    with TemporaryDirectory() as folder:
        film_path = make_video(Path(folder, "film.mp4"), steady(length_s), audio=True)
        return merge(path, film_path, cover=cover_jpeg())


def make_two_videos(path: Path, default: Literal["small", "large"] | None = None) -> Path:
    """Two video streams of 2 s: `SMALL_SCENE` at 160 x 90 comes first, `LARGE_SCENE` at 320 x 180 second.

    An mp4 without `default` still flags its first stream as default.
    """
    with TemporaryDirectory() as folder:
        parts = {
            "small": make_video(Path(folder, "small.mp4"), steady(2), scenes(SMALL_SCENE), size=(160, 90)),
            "large": make_video(Path(folder, "large.mp4"), steady(2), scenes(LARGE_SCENE)),
        }
        return merge(path, *parts.values(), default=parts.get(default or ""))


def make_encrypted(path: Path) -> Path:
    """The default film as an mp4 under common encryption (CENC, AES-CTR) as DRM uses it, with `KEY`."""
    muxing = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": KEY, "encryption_kid": KEY_ID}
    return make_video(path, steady(4), muxing=muxing)
