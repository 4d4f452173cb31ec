"""What all tests share: fixed seeds, a profile for hypothesis, small films made once, and the program itself."""

import csv
import io
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from typer.testing import CliRunner

from tests.made import change_every, make_video, steady
from tests.made_images import make_image
from vcd.types import Descriptors

# The machines of CI are slow and noisy: no test fails for the time that an example took.
settings.register_profile("quick", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("quick")

MakeFilm = Callable[..., Path]
PROGRAM = (sys.executable, "-c", "from vcd.cli.main import run; run()")
"""`vcd`, whether or not its script is on the path."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of the program left behind."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, str]]:
        """Standard output as CSV."""
        return list(csv.DictReader(io.StringIO(self.out.decode("utf-8", "surrogateescape"), newline="")))


Call = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _seeds() -> None:
    random.seed(0)
    np.random.seed(0)


@pytest.fixture(scope="session")
def made_film(tmp_path_factory: pytest.TempPathFactory) -> MakeFilm:
    """Films by what they show, each made once a session: copy a film before you change it.

    ``made_film(12, first=20)`` is 12 s of scenes 20, 21, ..., each 2 s long, 160 x 90 at 5 frames a second;
    ``made_film(6, from_s=4)`` shows its moments 4 s to 10 s.
    """
    folder = tmp_path_factory.mktemp("films")

    def make(length_s: float = 12.0, first: int = 0, from_s: float = 0.0, suffix: str = ".mp4") -> Path:
        path = folder / f"scenes-{first}-from-{from_s:g}-for-{length_s:g}{suffix}"
        if not path.exists():
            make_video(path, steady(length_s, 5), change_every(2, first), from_s=from_s, size=(160, 90))
        return path

    return make


@pytest.fixture(scope="session")
def vcd() -> Call:
    """The program in this process, which is quick: ``vcd("query", clip, "--library", folder)``."""
    from vcd.cli.main import app

    def call(*arguments: object, stdin: bytes = b"") -> Outcome:
        result = CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, prog_name="vcd")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception  # the user would see a traceback
        return Outcome(result.exit_code, result.stdout_bytes, result.stderr)

    return call


@pytest.fixture(scope="session")
def program() -> Call:
    """The program in a process of its own, as a shell runs it."""

    def call(*arguments: object, stdin: bytes = b"", **how: Any) -> Outcome:
        command = [*PROGRAM, *(os.fspath(a) if isinstance(a, Path) else str(a) for a in arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=120, check=False, **how)
        return Outcome(done.returncode, done.stdout, done.stderr.decode())

    return call


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory, made_film: MakeFilm) -> Path:
    """A folder with two films of 12 s, ``a.mp4`` and ``sub/b.mkv``, and a picture of scene 40, ``still.png``."""
    folder = tmp_path_factory.mktemp("references")
    (folder / "sub").mkdir()
    shutil.copy(made_film(12), folder / "a.mp4")
    shutil.copy(made_film(12, first=20, suffix=".mkv"), folder / "sub" / "b.mkv")
    make_image(folder / "still.png", 40)
    return folder


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, films: Path, vcd: Call) -> Path:
    """The library of `films`; copy it before you change it."""
    folder = tmp_path_factory.mktemp("library")
    indexed = vcd("index", films, "--library", folder)
    assert (indexed.code, indexed.text) == (0, f"3 added, 0 replaced, 0 unchanged, 0 unusable in {folder}\n")
    return folder


@pytest.fixture(scope="session")
def clip(made_film: MakeFilm) -> Path:
    """A copy of seconds 4 to 10 of ``a.mp4``."""
    return made_film(6, from_s=4)


@pytest.fixture(scope="session")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Descriptors]]:
    """A library of twelve films of six made vectors, up to date, and what it holds; copy it before you change it."""
    from tests.made_library import films, make_library

    folder = tmp_path_factory.mktemp("twelve films")
    return folder, make_library(folder, films(12))


@pytest.fixture
def folder(twelve: tuple[Path, dict[str, Descriptors]], tmp_path: Path) -> Path:
    """The library of `twelve`, to be changed."""
    return Path(shutil.copytree(twelve[0], tmp_path / "lib"))


@pytest.fixture
def made(twelve: tuple[Path, dict[str, Descriptors]]) -> dict[str, Descriptors]:
    """What `folder` holds."""
    return dict(twelve[1])
