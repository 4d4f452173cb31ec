"""Files that are damaged, are not what their name says, or mean harm."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from PIL import Image

from tests.made import make_video, steady

HOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl"}
"""Boxes of an mp4 that hold nothing but boxes."""


def truncate(source: Path, path: Path, keep: float = 0.5) -> Path:
    """The first part of a file, as a broken download leaves it."""
    data = source.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


def damage(source: Path, path: Path, start: float = 0.4, stop: float = 0.6) -> Path:
    """A file with random bytes from one point to another (0: begin, 1: end), as a bad disk leaves it."""
    data = bytearray(source.read_bytes())
    first, last = int(len(data) * start), int(len(data) * stop)
    data[first:last] = np.random.default_rng(0).bytes(last - first)
    path.write_bytes(data)
    return path


def make_empty(path: Path) -> Path:
    """A file of 0 bytes."""
    path.write_bytes(b"")
    return path


def make_text(path: Path) -> Path:
    """A text, whatever the name says."""
    path.write_text("This is not a film.\n" * 200)
    return path


def make_random(path: Path, seed: int = 0) -> Path:
    """50 000 random bytes."""
    path.write_bytes(np.random.default_rng(seed).bytes(50_000))
    return path


def make_playlist(path: Path, target: Path | str) -> Path:
    """An HLS playlist that names another file or address, whatever its own name says."""
    path.write_text(f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:4,\n{target}\n#EXT-X-ENDLIST\n")
    return path


def make_script(path: Path, target: Path | str) -> Path:
    """An ffconcat script that names another file; FFmpeg plays it if the name is relative and plain."""
    path.write_text(f"ffconcat version 1.0\nfile {target}\n")
    return path


def make_faststart(path: Path) -> Path:
    """An mp4 of 6 s whose index comes first, so that a part of it plays; I-frames each second."""
    return make_video(path, steady(6), gop=10, muxing={"movflags": "+faststart"})


def make_fragmented(path: Path) -> Path:
    """An mp4 of 6 s in fragments of 1 s, as it is streamed: its header knows no duration and no frames."""
    return make_video(path, steady(6), gop=10, muxing={"movflags": "frag_keyframe+empty_moov+default_base_moof"})


def drop_index(source: Path, path: Path) -> Path:
    """An mp4 without its `moov` box, as a recorder leaves it that lost power."""
    path.write_bytes(b"".join(data for name, data in _boxes(source.read_bytes()) if name != b"moov"))
    return path


def claim_size(source: Path, path: Path, width: int = 65_535, height: int = 65_535) -> Path:
    """An mp4 that claims another picture size in its index than its H.264 stream has."""
    size = struct.pack(">HH", width, height)

    def lie(name: bytes, content: bytes) -> bytes:
        if name == b"stsd":  # 8 bytes of its own, then the first entry: 8 of a box, 24 before the size
            return content[:40] + size + content[44:]
        return content[:-8] + struct.pack(">II", width << 16, height << 16) if name == b"tkhd" else content

    path.write_bytes(_rewritten(source.read_bytes(), lie))
    return path


def point_by_url(source: Path, path: Path, target: str) -> Path:
    """A mov with the index of an mp4 and no data: its data reference is the address `target`."""

    def refer(name: bytes, content: bytes) -> bytes:
        url = _box(b"url ", bytes(4) + target.encode() + b"\0")
        return struct.pack(">II", 0, 1) + url if name == b"dref" else content

    rewritten = _rewritten(source.read_bytes(), refer)
    path.write_bytes(b"".join(data for name, data in _boxes(rewritten) if name != b"mdat"))
    return path


def make_reference_movie(path: Path, target: str) -> Path:
    """A QuickTime reference movie: nothing but the address of another film."""
    url = target.encode() + b"\0"
    reference = _box(b"rdrf", bytes(4) + b"url " + struct.pack(">I", len(url)) + url)
    head = _box(b"ftyp", b"qt  " + bytes(4) + b"qt  ")
    path.write_bytes(head + _box(b"moov", _box(b"rmra", _box(b"rmda", reference))))
    return path


def make_slow_gif(path: Path, frames: int = 2000, side_px: int = 2000) -> Path:
    """An animation that takes minutes to decode, of a few megabytes."""
    single = io.BytesIO()
    Image.new("P", (side_px, side_px)).save(single, "GIF")
    data = single.getvalue()
    head = 13 + 3 * 2 ** ((data[10] & 7) + 1)  # with its table of colours; the last byte ends the file
    path.write_bytes(data[:head] + frames * data[head:-1] + data[-1:])
    return path


def point_outside(source: Path, path: Path) -> Path:
    """A mov with the index of an mp4 and no data: its data reference says that they lie in `source`.

    Both must be in one folder. FFmpeg follows it only with its option `enable_drefs`.
    """
    target, full_path = source.name.encode(), b"/anywhere/" + source.name.encode()
    alias = bytes(4 + 10 + 1 + 27 + 12) + bytes([len(target)]) + target.ljust(63, b"\0") + bytes(16)
    alias += struct.pack(">hh", 1, 1) + bytes(16)  # one folder up, one down: a neighbour
    alias += struct.pack(">HH", 2, len(full_path)) + full_path + bytes(len(full_path) % 2)
    alias += struct.pack(">HH", 0xFFFF, 0)

    def refer(name: bytes, content: bytes) -> bytes:
        return struct.pack(">II", 0, 1) + _box(b"alis", alias) if name == b"dref" else content

    rewritten = _rewritten(source.read_bytes(), refer)
    path.write_bytes(b"".join(data for name, data in _boxes(rewritten) if name != b"mdat"))
    return path


def png_bomb(path: Path, width: int = 30_000, height: int = 30_000) -> Path:
    """A valid PNG of black pixels, one bit each: 0.1 MB on disk, 2.7 GB as RGB."""
    path.write_bytes(_black_png(width, height))
    return path


def make_video_bomb(path: Path, width: int = 16_000, height: int = 16_000) -> Path:
    """A valid mov of 20 such pictures: 0.7 MB on disk, 0.8 GB a frame as RGB."""
    picture = _black_png(width, height)
    with av.open(path, "w") as container:
        stream = container.add_mux_stream("png", rate=10, width=width, height=height)
        for row in range(20):
            packet = Packet(picture)
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 10), True
            packet.pts = packet.dts = row
            container.mux(packet)
    return path


def _black_png(width: int, height: int) -> bytes:
    squeeze = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    pixels = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and bytes, head included, of each box of an mp4."""
    start = 0
    while start < len(data):
        length, name = struct.unpack_from(">I4s", data, start)
        yield name, data[start : start + length]
        start += length


def _rewritten(data: bytes, change: Callable[[bytes, bytes], bytes]) -> bytes:
    """An mp4 with the content of each box replaced by what `change` makes of its name and content."""
    return b"".join(
        _box(name, _rewritten(box[8:], change) if name in HOLDERS else change(name, box[8:]))
        for name, box in _boxes(data)
    )
