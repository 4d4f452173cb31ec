"""`HashList` <-> text, in the formats that Meta's ThreatExchange tools read and write.

pdq     a line a hash: ``hash,label``. As label the name, with ``#t=seconds`` behind it where the picture is shown then.
        Read are also ``hash=...`` in front and lines without a label. Hashes of 64 bits are written alike.
vpdq    a file for each film, a line a hash: ``number,quality,hash,seconds``.
vpdq-json   a line for each film, a JSON list of ``"hash,quality,seconds"``, as python-threatexchange keeps a signal.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from vcd.errors import DataError
from vcd.hashes.records import KINDS, Hashes, HashList

_TIMED = re.compile(r"(.*)#t=(\d+(?:\.\d+)?)", re.DOTALL)
_FULL = 100
"""The quality of hashes that come without: whoever lists them means them."""
Row = tuple[str, int, float]
"""Hash in hexadecimal, quality, seconds or NaN."""


def write_pdq(listed: HashList) -> bytes:
    """Entries that are films with times, pictures without."""
    lines = []
    for label, hashes, timed in _entries(listed):
        for text, _, time_s in hashes:
            lines.append(f"{text},{_one_line(label)}{f'#t={time_s:.3f}' if timed else ''}\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


def write_vpdq(listed: HashList) -> dict[str, bytes]:
    """Label and file of each entry; a picture is a film of one moment."""
    return {
        label: "".join(
            f"{n},{quality},{text},{time_s:.3f}\n" for n, (text, quality, time_s) in enumerate(rows)
        ).encode()
        for label, rows, _ in _entries(listed)
    }


def write_vpdq_json(listed: HashList) -> bytes:
    """Nameless, as the format has it."""
    signals = ([f"{text},{quality},{time_s:.3f}" for text, quality, time_s in rows] for _, rows, _ in _entries(listed))
    return "".join(json.dumps(signal) + "\n" for signal in signals).encode()


def read_list(path: Path, kind: str) -> HashList:
    """A file in any of the formats, or a folder of vPDQ files; which it is shows in what it holds.

    Raises `DataError` for a line that is none of them, and for a list without hashes.
    """
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    entries: list[tuple[str, Hashes]] = []
    for file in files:
        label = file.relative_to(path).with_suffix("").as_posix() if path.is_dir() else path.stem
        found: dict[str, list[Row]] = {}
        for number, line in enumerate(_lines(file), 1):
            for name, row in _parse(line, label, f"line {number}"):
                if not re.fullmatch(f"[0-9a-fA-F]{{{KINDS[kind].bits // 4}}}", row[0]):
                    raise DataError(file, number, None, f"{row[0][:80]!r} is no {kind} hash in hexadecimal")
                found.setdefault(name, []).append(row)
        entries += [(name, _gather(kind, rows)) for name, rows in found.items()]
    if not entries:
        raise DataError(path, None, None, "holds no hashes")
    return HashList.of(path.name, kind, entries)


def _lines(file: Path) -> Iterable[str]:
    try:
        text = file.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise DataError(file, None, None, f"cannot be read: {error.strerror}") from error
    return text.splitlines()


def _parse(line: str, label: str, number: str) -> list[tuple[str, Row]]:
    """The hashes of a line, each with the name of its entry."""
    line = line.strip()
    if line.startswith("["):
        signal = _json_list(line)
        parts = [[*str(item).split(",", 2), "", ""] for item in signal]
        return [(f"{label} {number}", _quality_and_time(text, quality, time_s)) for text, quality, time_s, *_ in parts]
    cells = line.split(",")
    if len(cells) in (3, 4) and cells[0].isdigit() and cells[1].isdigit():
        return [(label, _quality_and_time(cells[2], cells[1], cells[3] if len(cells) == 4 else ""))]
    if not line or line.startswith("#"):
        return []
    text, _, name = line.partition(",")
    timed = _TIMED.fullmatch(name)
    row = text.strip().removeprefix("hash="), _FULL, float(timed[2]) if timed else float("nan")
    return [((timed[1] if timed else name) or number, row)]


def _json_list(line: str) -> list[object]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return [line]  # refused as no hash
    return found if isinstance(found, list) else [line]


def _quality_and_time(text: str, quality: str, time_s: str) -> Row:
    """What is no number makes the hash one that is refused."""
    try:
        seconds = float(time_s) if time_s.strip() else float("nan")
        worth = int(quality) if quality.strip() else _FULL
    except ValueError:
        return f"{text},{quality},{time_s}", 0, 0.0
    good = 0 <= worth <= 100 and (seconds != seconds or 0 <= seconds < 1e9)
    return (text.strip(), worth, seconds) if good else (f"{text},{quality},{time_s}", 0, 0.0)


def _gather(kind: str, rows: list[Row]) -> Hashes:
    """By time; of equal times the first, where times are known of all, else without any."""
    times_s = np.array([time_s for _, _, time_s in rows])
    if np.isnan(times_s).any():
        times_s[:] = np.nan
        order = np.arange(len(rows))
    else:
        order = np.unique(times_s, return_index=True)[1]
    bits = np.frombuffer(bytes.fromhex("".join(rows[row][0] for row in order)), dtype=np.uint8)
    quality = np.array([rows[row][1] for row in order], dtype=np.uint8)
    return Hashes(kind, times_s[order], quality, bits.reshape(len(order), -1))


def _entries(listed: HashList) -> Iterable[tuple[str, list[Row], bool]]:
    """Label, rows and whether it is a film with times."""
    ends = np.cumsum(listed.counts)
    for number, label in enumerate(listed.labels):
        hashes, info = listed.entry(number, ends)
        texts = [row.tobytes().hex() for row in hashes.bits]
        times_s = np.nan_to_num(hashes.times_s).tolist()
        yield label, list(zip(texts, hashes.quality.tolist(), times_s, strict=True)), info.kind == "video"


def _one_line(label: str) -> str:
    return label.replace("\r", " ").replace("\n", " ")
