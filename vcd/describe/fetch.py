"""Fetching a model's files: what was interrupted goes on, and a file appears whole and checked, or not at all."""

import hashlib
import re
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import Request, urlopen

from vcd.describe.card import read_card
from vcd.errors import ModelError
from vcd.types import Progress, quiet

CHUNK_BYTES = 1 << 18
TIMEOUT_S = 30.0
TRIES = 4
"""How often a transfer that breaks off is taken up again."""


def fetch_model(url: str, sha256: str, folder: Path, progress: Progress = quiet) -> list[Path]:
    """Fetch the file behind `url` into `folder`; of a model card (``.toml``) also the files that it names.

    Raises `ModelError` when it cannot be had or is not the file with that hash; without `sha256` any content will do,
    but for the files of a card, which says theirs.
    """
    target = folder / _file_name(url)
    if target.suffix != ".toml":
        return [fetch_file(url, sha256, target, progress)]
    card_file = fetch_file(url, sha256, target, progress)
    files = read_card(card_file).files
    for name, _ in files:
        if Path(name).name != name:
            raise ModelError(f"{url}: the card names a file outside its folder: {name!r}")
    return [card_file, *(fetch_file(urljoin(url, name), wanted, folder / name, progress) for name, wanted in files)]


def _file_name(url: str) -> str:
    parts = urlsplit(url)
    name = Path(unquote(parts.path)).name
    if parts.scheme not in {"http", "https"} or not parts.netloc or not name:
        raise ModelError(f"{url}: is no http or https address of a file")
    return name


def fetch_file(url: str, sha256: str, target: Path, progress: Progress = quiet) -> Path:
    """Fetch into `target`, which is left alone when it is already the file with that hash.

    What an earlier run left unfinished is gone on with where `sha256` can say whether the whole is right.
    """
    if sha256 and target.is_file() and _digest(target) == sha256.lower():
        return target
    unfinished = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not sha256:
            unfinished.unlink(missing_ok=True)
        for _ in progress(_transfer(url, unfinished), f"fetching {target.name}"):
            pass
        found = _digest(unfinished)
        if sha256 and found != sha256.lower():
            unfinished.unlink()
            raise ModelError(f"{url}: what came has SHA-256 {found}, wanted was {sha256}; nothing was kept")
        unfinished.replace(target)
    except OSError as error:
        raise ModelError(f"{target}: cannot be written: {error.strerror or error}") from error
    return target


class _BrokenOff(Exception):
    """The transfer ended before its end; what came is kept."""


def _transfer(url: str, unfinished: Path) -> Iterator[int]:
    """Gives the size of each piece that was written."""
    validator = ""
    reason = ""
    for _ in range(TRIES):
        have = unfinished.stat().st_size if unfinished.exists() else 0
        try:
            with _open(url, have, validator) as response:
                validator = response.headers.get("ETag", "")
                start, size = _extent(url, response, have)
                with unfinished.open("r+b" if start else "wb") as file:
                    file.seek(start)
                    file.truncate()
                    for piece in _pieces(response):
                        file.write(piece)
                        yield len(piece)
            have = unfinished.stat().st_size
            if size is None or have == size:
                return
            reason = f"it broke off after {have} of {size} bytes"
        except _NothingLeft:
            return
        except _BrokenOff as error:
            reason = str(error)
    raise ModelError(f"{url}: cannot be fetched: {reason}; run the same command again to go on")


class _NothingLeft(Exception):
    """There is nothing behind what we have: it is the whole, or another file, which its hash will show."""


def _open(url: str, have: int, validator: str) -> HTTPResponse:
    request = Request(url, headers={"User-Agent": "vcd"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        if validator and not validator.startswith("W/"):
            request.add_header("If-Range", validator)  # the whole file, when it has changed meanwhile
    try:
        response: HTTPResponse = urlopen(request, timeout=TIMEOUT_S)
    except HTTPError as error:
        error.close()
        if error.code == 416:
            raise _NothingLeft from error
        raise ModelError(f"{url}: cannot be fetched: the server says {error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise ModelError(
            f"{url}: cannot be fetched, are you offline? ({reason}) "
            "With the file at hand, name it in a model card and give the card's path to describe.model"
        ) from error
    return response


def _extent(url: str, response: HTTPResponse, have: int) -> tuple[int, int | None]:
    """Where in the file the answer begins, and the file's size when the server tells it."""
    if response.status != 206:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdigit() else None
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if not found or int(found[1]) != have:
        raise ModelError(f"{url}: cannot be fetched: the server gave another part of the file than was asked for")
    return have, None if found[2] == "*" else int(found[2])


def _pieces(response: HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := response.read(CHUNK_BYTES):
            yield piece
    except (OSError, HTTPException) as error:
        raise _BrokenOff(f"it broke off ({error})") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
