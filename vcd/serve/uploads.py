"""Files that clients send: taken in piece by piece, under random names, within limits, whole or not at all."""

import asyncio
import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from vcd.errors import printable
from vcd.media.files import MEDIA_SUFFIXES
from vcd.serve.problems import Refused
from vcd.serve.settings import ServeSettings

FIELD = "media"
LONGEST_NAME = 200
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has arrived."""

    file: str
    """Its name in the folder: random, with the ending of a media file or none."""
    name: str
    """What the client calls it, for people: one line without folders."""
    size_bytes: int
    sha256: str


@dataclass(slots=True)
class _Part:
    """One field of the form, as it comes in."""

    headers: dict[str, str] = field(default_factory=dict)
    header: bytes = b""
    value: bytes = b""


class Intake:
    """Takes uploads into a folder, so many at once."""

    def __init__(self, folder: Path, settings: ServeSettings) -> None:
        self.folder = folder
        self._settings = settings
        self._running = 0

    async def receive(self, request: Request, folder: Path | None = None) -> Upload:
        """The file of a multipart form's field `media`; raises `Refused`, and leaves nothing then."""
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise Refused(
                415, "wrong_content_type", f"send a multipart/form-data form with the file as field {FIELD!r}"
            )
        self._check_room(request)
        path = (folder or self.folder) / secrets.token_hex(16)
        with self._one_of_few(), _whole(path) as file:
            form = _Form(options[b"boundary"], file)
            try:
                async with asyncio.timeout(self._settings.upload_timeout_s):
                    await self._read(request, form)
            except TimeoutError as error:
                limit = f"{self._settings.upload_timeout_s:g} s"
                raise Refused(408, "upload_too_slow", f"the upload took longer than {limit}") from error
            except ClientDisconnect as error:
                raise Refused(400, "upload_aborted", "the upload ended before the file was whole") from error
            form.require_file()
            await asyncio.to_thread(_flush, file)
            name = clean_name(form.filename)
            suffix = PurePosixPath(name).suffix.lower()
            path = path.rename(path.with_suffix(suffix)) if suffix in MEDIA_SUFFIXES else path
        return Upload(path.name, name, form.size_bytes, form.sha256.hexdigest())

    async def _read(self, request: Request, form: "_Form") -> None:
        received = 0
        async for piece in request.stream():
            received += len(piece)
            if received > self._settings.max_upload_bytes:
                raise self._too_large()
            form.feed(piece)

    def _check_room(self, request: Request) -> None:
        announced = request.headers.get("content-length", "")
        size_bytes = int(announced) if announced.isdecimal() else 0
        if size_bytes > self._settings.max_upload_bytes:
            raise self._too_large()
        if shutil.disk_usage(self.folder).free - size_bytes < self._settings.min_free_mb * 1_000_000:
            raise _disk_full()

    def _too_large(self) -> Refused:
        return Refused(413, "too_large", f"an upload may have {self._settings.max_upload_mb} MB at most")

    @contextmanager
    def _one_of_few(self) -> Iterator[None]:
        if self._running >= self._settings.max_uploads:
            raise Refused(429, "too_many_uploads", "too many uploads at once; try again later")
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A new file, deleted when anything goes wrong."""
    try:
        with os.fdopen(_create(path), "wb", buffering=MIB) as file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _disk_full() from error
        raise


def _flush(file: IO[bytes]) -> None:
    """To the disk: a job must not outlive its file."""
    file.flush()
    os.fsync(file.fileno())


def _create(path: Path) -> int:
    """Never executable, for nobody else to read, and nothing that is there already."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)


def _disk_full() -> Refused:
    return Refused(507, "disk_full", "there is no room for the upload on the service's disk")


class _Form:
    """A multipart form: the content of the field `media` goes to the file, other fields are not wanted."""

    def __init__(self, boundary: bytes, file: IO[bytes]) -> None:
        self.filename = ""
        self.size_bytes = 0
        self.sha256 = hashlib.sha256()
        self._file = file
        self._part = _Part()
        self._found = self._is_media = self._ended = False
        calls = {
            "on_part_begin": self._begin, "on_header_field": self._header_field, "on_header_value": self._header_value,
            "on_header_end": self._header_end, "on_headers_finished": self._headers_finished,
            "on_part_data": self._data, "on_end": self._end,
        }  # fmt: skip
        try:
            self._parser = MultipartParser(boundary, calls)  # type: ignore[arg-type]
        except FormParserError as error:
            raise _broken_form() from error

    def feed(self, piece: bytes) -> None:
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _broken_form() from error

    def require_file(self) -> None:
        """Raise when the form ended early, or without a file."""
        if not self._ended:
            raise _broken_form()
        if not self._found:
            raise Refused(422, "no_file", f"the form has no file as field {FIELD!r}")
        if not self.size_bytes:
            raise Refused(422, "unreadable_media", "is empty")

    def _begin(self) -> None:
        self._part = _Part()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]

    def _header_end(self) -> None:
        part = self._part
        part.headers[part.header.decode("latin-1").lower()] = part.value.decode("utf-8", "replace")
        part.header = part.value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._part.headers.get("content-disposition", "").encode())
        self._is_media = options.get(b"name") == FIELD.encode() and b"filename" in options
        if not self._is_media or self._found:
            raise Refused(422, "invalid_request", f"the form may hold one file, as field {FIELD!r}, and nothing else")
        self._found = True
        self.filename = options[b"filename"].decode("utf-8", "replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        content = data[start:end]
        self._file.write(content)
        self.sha256.update(content)
        self.size_bytes += len(content)

    def _end(self) -> None:
        self._ended = True


def _broken_form() -> Refused:
    return Refused(400, "broken_form", "the form is damaged or ends too early")


def clean_name(name: str) -> str:
    """A client's file name for people to read: its last part, in one line of printable text; never used as a path."""
    last = re.split(r"[/\\]", name)[-1]
    return printable(last).strip()[:LONGEST_NAME].strip() or "unnamed"
