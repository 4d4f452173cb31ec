"""Small real files of all kinds, and what chance makes of them: material for fuzzing."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from tests.made import make_video, picture, steady
from tests.made_broken import make_fragmented
from tests.made_images import make_image

SMALL = (64, 48)
VIDEOS: Mapping[str, str | None] = {
    "h264.mp4": None, "hevc.mp4": "libx265", "av1.mp4": "libsvtav1", "h264.mov": None, "prores.mov": "prores_ks",
    "h264.mkv": None, "hevc.mkv": "libx265", "vp9.webm": None, "vp8.webm": "libvpx", "mpeg4.avi": None,
    "mjpeg.avi": "mjpeg", "h264.ts": None, "mpeg2.ts": "mpeg2video", "h264.flv": None, "mpeg2.mpg": None,
    "wmv2.wmv": None, "mpeg4.3gp": "mpeg4", "video.gif": None, "mpeg2.mxf": "mpeg2video", "bare.h264": None,
}  # fmt: skip
"""File name and codec; None: the usual one of the container."""
IMAGES = ("still.png", "still.jpg", "still.webp", "still.bmp", "still.tif", "still.avif")
ANIMATIONS = ("moving.gif", "moving.png", "moving.webp")
EXTREMES = (0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF)
"""What a field of sizes, counts or offsets may be set to."""


def make_originals(folder: Path) -> list[Path]:
    """One file of each kind, 1 s long at most, a few kilobytes each."""
    paths = [
        make_video(folder / name, steady(1), size=SMALL, codec=codec, gop=5, audio=name.startswith("h264.m"))
        for name, codec in VIDEOS.items()
    ]
    paths.append(make_fragmented(folder / "fragmented.mp4"))
    paths += [make_image(folder / name, size=SMALL) for name in IMAGES]
    for name in ANIMATIONS:
        shown = [Image.fromarray(picture(number, 0, SMALL)) for number in range(4)]
        shown[0].save(folder / name, save_all=True, append_images=shown[1:], duration=200)
        paths.append(folder / name)
    return paths


def mutate(data: bytes, other: bytes, chance: np.random.Generator) -> bytes:
    """`data` with one to four kinds of damage; `other` is a file that a piece may come from."""
    changed = bytearray(data)
    for _ in range(int(chance.integers(1, 5))):
        if changed:
            DAMAGES[int(chance.integers(len(DAMAGES)))](changed, other, chance)
    return bytes(changed)


def _place(size: int, chance: np.random.Generator) -> int:
    """A byte of a file, more often near its begin, where headers are."""
    return int(size * chance.random() ** int(chance.choice([1, 3, 6])))


def _stretch(size: int, chance: np.random.Generator) -> slice:
    first = _place(size, chance)
    return slice(first, min(size, first + 1 + int(size * chance.random() ** 4)))


def _flip(data: bytearray, _: bytes, chance: np.random.Generator) -> None:
    for _number in range(int(chance.integers(1, 20))):
        data[_place(len(data), chance)] ^= 1 << int(chance.integers(8))


def _overwrite(data: bytearray, _: bytes, chance: np.random.Generator) -> None:
    for _number in range(int(chance.integers(1, 10))):
        data[_place(len(data), chance)] = int(chance.integers(256))


def _truncate(data: bytearray, _: bytes, chance: np.random.Generator) -> None:
    del data[int(len(data) * chance.random()) :]


def _swap(data: bytearray, _: bytes, chance: np.random.Generator) -> None:
    """Two blocks of a power of two, as a bad disk or a broken download leaves them."""
    length = min(1 << int(chance.integers(2, 12)), len(data) // 2)
    one, two = (int(chance.integers(len(data) - length + 1)) for _number in range(2))
    data[one : one + length], data[two : two + length] = data[two : two + length], data[one : one + length]


def _blank(data: bytearray, _: bytes, chance: np.random.Generator) -> None:
    where = _stretch(len(data), chance)
    data[where] = bytes([int(chance.choice([0, 255]))]) * len(data[where])


def _repeat(data: bytearray, _: bytes, chance: np.random.Generator) -> None:
    where = _stretch(len(data), chance)
    data[where.stop : where.stop] = data[where] * int(chance.integers(1, 20))


def _remove(data: bytearray, _: bytes, chance: np.random.Generator) -> None:
    del data[_stretch(len(data), chance)]


def _graft(data: bytearray, other: bytes, chance: np.random.Generator) -> None:
    data[_stretch(len(data), chance)] = other[_stretch(len(other), chance)]


def _size_field(data: bytearray, _: bytes, chance: np.random.Generator) -> None:
    """A number of 1, 2, 4 or 8 bytes set to an extreme, often one beside the name of a box or chunk."""
    names = [found.start() for found in re.finditer(rb"[A-Za-z]{4}", data)]
    length = int(chance.choice([1, 2, 4, 4, 8]))
    at = _place(len(data), chance)
    if names and chance.random() < 0.7:
        at = max(0, names[int(chance.integers(len(names)))] + int(chance.choice([-4, 4, 8, 12])))
    value = EXTREMES[int(chance.integers(len(EXTREMES)))] % 256**length
    data[at : at + length] = value.to_bytes(length, "big" if chance.random() < 0.6 else "little")


Damage = Callable[[bytearray, bytes, np.random.Generator], None]
DAMAGES: tuple[Damage, ...] = (
    _flip, _overwrite, _truncate, _swap, _blank, _repeat, _remove, _graft, _size_field, _size_field,
)  # fmt: skip


def make_mutants(originals: list[Path], folder: Path, count: int, seed: int, first: int = 0) -> list[Path]:
    """Files `first`, `first` + 1, ... of an endless row, each a damaged original in its own container's suffix."""
    contents = [path.read_bytes() for path in originals]
    paths = []
    for number in range(first, first + count):
        chance = np.random.default_rng([seed, number])
        kind = number % len(originals)
        path = folder / f"{number:06d}-{originals[kind].name}"
        path.write_bytes(mutate(contents[kind], contents[int(chance.integers(len(contents)))], chance))
        paths.append(path)
    return paths
