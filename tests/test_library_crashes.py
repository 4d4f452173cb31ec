"""A writer that is killed loses at most the file in flight, and nothing that it had said was stored.

The writers run in children of one process that has everything imported, so that a kill takes a tenth of a second.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made_library import CONFIG, add, assert_holds, film, open_writer
from vcd.errors import LibraryMissing
from vcd.library import Library, MediaRow, check_library
from vcd.library import catalog as catalog_module
from vcd.library.compact import compact
from vcd.library.gather import Piece
from vcd.library.merge import merge
from vcd.library.parts import Part
from vcd.library.saved_index import read_manifest
from vcd.types import Descriptors

Made = dict[str, Descriptors]
Step = tuple[str, str, int]
"""What is done, to which film, with which seed."""

STORY: list[Step] = [
    ("open", "", 0),
    ("add", "a.mp4", 1),
    ("add", "b.mp4", 2),
    ("index", "", 0),
    ("compact", "", 0),
    ("add", "a.mp4", 3),
    ("add", "c.mp4", 4),
    ("touch", "c.mp4", 0),
    ("remove", "b.mp4", 0),
    ("merge", "", 0),
    ("compact", "", 0),
    ("index", "", 0),
    ("remove", "m-1.mp4", 0),
    ("remove", "m-2.mp4", 0),
    ("compact", "", 0),
    ("remove", "c.mp4", 0),
    ("remove", "a.mp4", 0),
    ("index", "", 0),
]
"""Everything that a writer does, from an empty folder to an empty library."""


OTHERS = [film("m-1.mp4", 2001), film("m-2.mp4", 2002)]
"""What is merged."""


def pieces() -> Iterator[Piece]:
    for number, one in enumerate(OTHERS):
        content = Part(np.zeros(len(one), np.int64), one.times_s, one.vectors.astype(np.float16), one.quality)
        row = MediaRow(
            id=0, path=one.name, root="/media/films", content_hash=f"other {number}", size_bytes=1, mtime_ns=1,
            kind="video", duration_s=one.info.duration_s, width_px=320, height_px=180, format=one.info.format,
            frames=len(one), added_at="", part_id=0, first_row=0,
        )  # fmt: skip
        yield Piece(row, content)


def random_steps(seed: int) -> Iterator[Step]:
    chance = random.Random(seed)
    yield "open", "", 0
    while True:
        kind = chance.choice(["add", "add", "add", "remove", "index", "compact", "merge"])
        named = kind in ("add", "remove")
        yield kind, f"film-{chance.randrange(6)}.mp4" if named else "", chance.randrange(1000)


def apply(step: Step, made: Made) -> Made:
    """What the library holds after a step."""
    kind, name, seed = step
    if kind == "add":
        return {**made, name: film(name, seed)}
    if kind == "merge":
        return {**made, **{one.name: one for one in OTHERS}}
    return {other: one for other, one in made.items() if (kind, name) != ("remove", other)}


def write(folder: Path, steps: Iterator[Step]) -> None:
    """Do the steps, each one told before and after."""
    writer: Any = None
    for step in steps:
        kind, name, seed = step
        tell(step)
        if kind == "open":
            writer = open_writer(folder)
            rows = {row.path: row for row in writer.media()}
        elif kind == "add":
            rows[name] = add(writer, film(name, seed), replaces=rows.get(name))
        elif kind == "remove":
            writer.remove([rows.pop(name)] if name in rows else [])
        elif kind == "touch":
            writer.update_file(rows[name], Path("/moved"), Path(__file__).stat())
        elif kind == "compact":
            compact(writer)
        elif kind == "merge":
            merge(writer, pieces())
            rows = {row.path: row for row in writer.media()}
        else:
            writer.update_index()
        tell("done")


def tell(what: object) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def nursery() -> None:
    """For each line of stdin a child: (folder, seed of its steps or None for the story, the event it dies at)."""
    for line in sys.stdin:
        folder, seed, last_event = json.loads(line)
        child = os.fork()
        if not child:
            try:
                tell(os.getpid())
                if last_event:
                    die_at(last_event)
                write(Path(folder), iter(STORY) if seed is None else random_steps(seed))
                tell("end")
            except BaseException:  # noqa: BLE001
                tell({"failed": traceback.format_exc()})
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        tell("dead")


def die_at(number: int) -> None:
    """End this process at once, before it changes a file or commits for the so many-th time."""
    events = 0

    def count() -> None:
        nonlocal events
        events += 1
        if events == number:
            os.kill(os.getpid(), signal.SIGKILL)

    class Counting(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            if arguments[0] == "COMMIT":
                count()
            return super().execute(*arguments)

    def watch(event: str, arguments: Any) -> None:
        if event in ("os.rename", "os.remove", "os.mkdir") or (event == "open" and str(arguments[1])[:1] in "wa"):
            count()

    connect: Callable[..., sqlite3.Connection] = sqlite3.connect
    catalog_module.sqlite3.connect = lambda *a, **k: connect(*a, **k, factory=Counting)  # type: ignore[attr-defined]
    sys.addaudithook(watch)


@dataclass
class Child:
    """A writer, and what it told."""

    process: "subprocess.Popen[str]"
    pid: int

    def read(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def read_to_the_end(self, made: Made) -> tuple[list[Made], bool]:
        """What the library may hold now, and whether the writer came to the end of its steps."""
        possible, ended = [made], False
        while (told := self.read()) != "dead":
            assert "failed" not in told, told["failed"]
            if told == "end":
                ended = True
            elif told == "done":
                possible = possible[-1:]
            else:
                possible.append(apply(tuple(told), possible[-1]))
        return possible, ended


@pytest.fixture(scope="module")
def mother() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", "from tests.test_library_crashes import nursery; nursery()"]
    here = Path(__file__).parent.parent
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=here) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def place() -> Iterator[Path]:
    """In memory where that is possible: a kill, unlike a power cut, takes nothing that was written."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def start(mother: "subprocess.Popen[str]", folder: Path, seed: int | None, last_event: int = 0) -> Child:
    assert mother.stdin is not None
    mother.stdin.write(json.dumps([str(folder), seed, last_event]) + "\n")
    mother.stdin.flush()
    child = Child(mother, 0)
    child.pid = child.read()
    return child


def names(made: Made) -> list[tuple[str, float]]:
    return sorted((name, float(one.times_s[0])) for name, one in made.items())


def assert_sound(folder: Path, possible: list[Made]) -> Made:
    """The library is one of those that it may be, as it lies there and after the next writer; which one it is."""
    try:
        held = {row.path: Library(folder, CONFIG).descriptors(row.id) for row in Library(folder, CONFIG).media}
    except LibraryMissing:
        assert {} in possible
        held = {}
    else:
        assert check_library(folder, CONFIG) == []
    (made,) = [one for one in possible[-2:] if names(one) == names(held)][:1]
    with open_writer(folder) as writer:
        assert_holds(folder, made)
        writer.update_index()
        parts = {f"part-{row.part_id:06d}.parquet" for row in writer.media()}
    assert check_library(folder, CONFIG) == []
    vectors, index = folder / "vectors", folder / "index"
    assert {path.name for path in vectors.iterdir()} == parts if vectors.exists() else not parts
    volumes = read_manifest(folder)
    assert bool(volumes) == bool(parts)
    assert len(list(index.iterdir())) == (1 + 2 * len(volumes) if parts else 0) if index.exists() else not parts
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == [".lock"]
    return made


def test_a_writer_that_dies_at_some_of_its_steps_leaves_a_sound_library(
    place: Path, mother: "subprocess.Popen[str]"
) -> None:
    for event in range(3, 200, 9):
        possible, ended = start(mother, place / f"{event}", None, event).read_to_the_end({})
        assert_sound(place / f"{event}", possible)
        if ended:
            break
    assert 60 < event < 199


@pytest.mark.slow
def test_a_writer_that_dies_before_any_of_its_steps_leaves_a_sound_library(
    place: Path, mother: "subprocess.Popen[str]"
) -> None:
    for event in range(1, 300):
        folder = place / f"{event}"
        possible, ended = start(mother, folder, None, event).read_to_the_end({})
        assert_sound(folder, possible)
        if ended:
            break
    assert 60 < event < 299


@pytest.mark.slow
def test_a_writer_that_is_killed_at_any_moment_leaves_a_sound_library(
    place: Path, mother: "subprocess.Popen[str]"
) -> None:
    made: Made = {}
    chance = random.Random(0)
    done = 0
    for seed in range(40):
        child = start(mother, place, seed)
        assert [child.read(), child.read()] == [["open", "", 0], "done"]
        time.sleep(chance.uniform(0.0, 0.08))
        os.kill(child.pid, signal.SIGKILL)
        possible, _ = child.read_to_the_end(made)
        done += possible[-1] is not made
        made = assert_sound(place, possible)
    assert done > 10


@pytest.mark.slow
def test_a_library_that_is_being_made_is_there_or_not(place: Path, mother: "subprocess.Popen[str]") -> None:
    chance = random.Random(1)
    for seed in range(15):
        child = start(mother, place / f"{seed}", seed)
        time.sleep(chance.uniform(0.0, 0.03))
        os.kill(child.pid, signal.SIGKILL)
        assert_sound(place / f"{seed}", child.read_to_the_end({})[0])
