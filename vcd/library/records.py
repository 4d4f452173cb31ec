"""Rows of the catalog."""

from dataclasses import dataclass
from hashlib import blake2b
from os.path import abspath
from pathlib import Path

from vcd.types import Kind, MediaInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRow:
    """A reference as the catalog knows it."""

    id: int
    path: str
    """As it is shown: relative to `root` when a folder was indexed."""
    root: str
    """Absolute folder that `path` was found under."""
    content_hash: str
    size_bytes: int
    mtime_ns: int
    kind: Kind
    duration_s: float
    width_px: int
    height_px: int
    format: str
    frames: int
    added_at: str
    part_id: int
    first_row: int
    status: str = "ready"
    """Only ``ready`` so far: what is removed leaves the catalog in the same transaction."""

    @property
    def info(self) -> MediaInfo:
        return MediaInfo(self.kind, self.duration_s, self.width_px, self.height_px, self.format)

    @property
    def file(self) -> Path:
        """Where the media file was when it was indexed: absolute, without ``..``."""
        return Path(abspath(Path(self.root, self.path)))


@dataclass(frozen=True, slots=True)
class PartRow:
    """A vector file as the catalog knows it."""

    id: int
    rows: int
    size_bytes: int
    sha256: str


def digest(table: str, values: tuple[object, ...]) -> int:
    """A row as a number of 64 bits; the exclusive or of all rows is the catalog's fingerprint."""
    return int.from_bytes(blake2b(repr((table, values)).encode(errors="surrogatepass"), digest_size=8).digest())
