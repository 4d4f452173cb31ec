"""A file that crashes, hangs or floods its worker costs that file only: the whole of `index`, with real processes."""

import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import MakeFilm
from tests.made_broken import make_slow_gif, png_bomb
from vcd.config import Config, parse_config
from vcd.pipeline import Indexed, index


def settings(**media: float) -> Config:
    """With a describer that takes little memory and starts at once."""
    return parse_config({"media": media, "describe": {"model": "regional-dct"}}, "test")


@pytest.fixture
def folder(tmp_path: Path, made_film: MakeFilm) -> Path:
    """A good film before the bad file, and one after it."""
    (tmp_path / "media").mkdir()
    for name in ("a.mp4", "z.mp4"):
        shutil.copy(made_film(6), tmp_path / "media" / name)
    return tmp_path / "media"


def indexed(folder: Path, config: Config) -> Indexed:
    return index([folder], folder.parent / "library", config, workers=1)


def assert_costs_itself_only(done: Indexed, bad: Path, reason: str) -> None:
    assert done.added == ("a.mp4", "z.mp4")
    [problem] = done.problems
    assert problem.path == str(bad)
    assert reason in problem.reason


def test_a_file_that_floods_memory(folder: Path) -> None:
    bomb = png_bomb(folder / "m.png", 13_000, 13_000)

    done = indexed(folder, settings(memory_mb=512))

    assert_costs_itself_only(done, bomb, "needs more memory than the 512 MB that a file may take")


def test_a_file_that_takes_too_long(folder: Path) -> None:
    slow = make_slow_gif(folder / "m.gif")

    done = indexed(folder, settings(timeout_s=4))

    assert_costs_itself_only(done, slow, "took longer than 4 s and was given up")


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_file_that_crashes_its_reader(folder: Path, number: signal.Signals) -> None:
    victim = make_slow_gif(folder / "m.gif")
    killer = threading.Thread(target=kill_reader, args=(victim, number), daemon=True)
    killer.start()

    done = indexed(folder, settings())

    assert_costs_itself_only(done, victim, f"crashed the process that read it ({number.name})")


def kill_reader(path: Path, number: signal.Signals) -> None:
    """Send the signal to the process that has the file open, as soon as there is one."""
    while True:
        for entry in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                if entry.readlink() == path:
                    os.kill(int(entry.parts[2]), number)
                    return
            except OSError:
                continue
        time.sleep(0.05)


def test_a_file_of_more_frames_than_allowed(folder: Path) -> None:
    slow = make_slow_gif(folder / "m.gif")

    done = indexed(folder, settings(max_frames=1999))

    assert_costs_itself_only(done, slow, "has more than 1999 frames, the limit")
