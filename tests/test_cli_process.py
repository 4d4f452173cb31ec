"""The program as a process: signals, pipes that close, terminals."""

import os
import pty
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import PROGRAM, Call, MakeFilm

MANY = 30


@pytest.fixture(scope="module")
def many(made_film: MakeFilm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of films, enough to interrupt a run in the midst of them."""
    folder = tmp_path_factory.mktemp("many")
    for number in range(MANY):
        shutil.copy(made_film(2), folder / f"{number:02d}.mp4")
    return folder


def stored(vcd: Call, library: Path) -> int:
    """How many references are committed at this moment."""
    listed = vcd("library", "list", "--library", library, "--format", "json")
    return len(listed.json) if listed.code == 0 else 0


def group_is_gone(leader: int, within_s: float = 10) -> bool:
    """Whether all processes of a session end in time; what only waits to be reaped has ended."""
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        stats = [process_stat(path) for path in Path("/proc").glob("[0-9]*/stat")]
        if not any(state != "Z" and group == str(leader) for state, group in stats):
            return True
        time.sleep(0.05)
    return False


def process_stat(path: Path) -> tuple[str, str]:
    """State and process group."""
    try:
        state, _, group, *_ = path.read_text().rpartition(")")[2].split()
    except OSError:
        return "Z", ""
    return state, group


@pytest.mark.parametrize(
    ("number", "to_all", "code"),
    [
        (signal.SIGINT, True, 130),  # Ctrl+C goes to all processes of a terminal
        pytest.param(signal.SIGINT, False, 130, marks=pytest.mark.slow),
        (signal.SIGTERM, False, 143),
        (signal.SIGKILL, False, -signal.SIGKILL),
    ],
)
def test_an_interrupted_index_keeps_what_is_done_and_goes_on(
    vcd: Call, many: Path, tmp_path: Path, number: signal.Signals, to_all: bool, code: int
) -> None:
    library, settings = tmp_path / "library", tmp_path / "my.toml"
    settings.write_text('[library]\nindex = "exact"\n')  # an index of equal films takes long to build
    command = [*PROGRAM, "index", str(many), "--library", str(library), "--config", str(settings)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while stored(vcd, library) < 2 and run.poll() is None:
        time.sleep(0.01)

    (os.killpg if to_all else os.kill)(run.pid, number)

    out, err = run.communicate(timeout=30)
    kept = stored(vcd, library)
    assert 2 <= kept < MANY
    assert (run.returncode, out) == (code, "")
    if number != signal.SIGKILL:
        assert err == "vcd: interrupted; what was finished is kept, run the same command again to go on\n"
    assert group_is_gone(run.pid)
    again = vcd("index", many, "--library", library, "--config", settings)
    assert again.text == f"{MANY - kept} added, 0 replaced, {kept} unchanged, 0 unusable in {library}\n"
    assert vcd("library", "verify", "--library", library, "--config", settings).code == 0


def test_ctrl_c_while_the_program_starts_shows_no_more_than_its_own_message(library: Path, clip: Path) -> None:
    for after_s in (0.3, 0.6, 0.9):
        command = [*PROGRAM, "query", str(clip), "--library", str(library)]
        run = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        time.sleep(after_s)
        os.killpg(run.pid, signal.SIGINT)
        _, err = run.communicate(timeout=30)
        if run.returncode == 130:  # before a command begins typer ends it, and says nothing
            assert err in {"vcd: interrupted\n", ""}
        else:  # it was done, or Python itself was not yet ready
            assert run.returncode == 0 or "<module>" in err or err == ""


@pytest.mark.parametrize("command", ["query CLIP --library LIBRARY --format csv", "library list", "--help"])
def test_a_reader_that_goes_away_is_no_error_to_talk_about(library: Path, clip: Path, command: str) -> None:
    words = command.replace("CLIP", str(clip)).replace("library list", "library list --library LIBRARY")
    run = subprocess.Popen(
        [*PROGRAM, *words.replace("LIBRARY", str(library)).split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert run.stdout is not None
    assert run.stderr is not None
    run.stdout.close()

    assert run.stderr.read() == b""
    assert run.wait(timeout=30) in {0, 1}
    run.stderr.close()


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_error(library: Path, closed: str) -> None:
    words = " ".join(f"'{word}'" for word in [*PROGRAM, "library", "list", "--library", str(library)])
    done = subprocess.run(["sh", "-c", f"exec {words} {closed}"], capture_output=True, check=False, timeout=60)

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_is_told_in_one_line(library: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [*PROGRAM, "library", "list", "--library", str(library)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)

    assert (done.returncode, done.stderr) == (1, b"vcd: [Errno 28] No space left on device\n")


# --- Terminals.


def on_terminal(*arguments: object) -> tuple[str, str, int]:
    """Stdout, what a terminal shows of stderr, and the exit code."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "30"}
    run = subprocess.Popen(
        [*PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True
    )
    os.close(theirs)
    shown = bytearray()

    def read() -> None:
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # the other side is closed
                return
            if not data:
                return
            shown.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    out, _ = run.communicate(timeout=60)
    reader.join(timeout=10)
    os.close(ours)
    return out, shown.decode(), run.returncode


def test_a_terminal_shows_what_is_done_how_fast_and_how_long_it_takes(
    many: Path, library: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.mp4").touch()
    out, shown, code = on_terminal(
        "query", many, tmp_path / "bad.mp4", "--library", library, "--config", "fast", "--format", "csv"
    )

    assert code == 3
    assert out.startswith("query,reference,")
    assert "reading queries" in shown
    assert re.search(rf"\d+/{MANY + 1}\b", shown)
    assert re.search(r"\d/min", shown)
    assert re.search(r"\d:\d\d:\d\d", shown)
    assert f"problem: {tmp_path / 'bad.mp4'}: is empty" in shown


def test_quiet_shows_no_progress_on_a_terminal(clip: Path, library: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").touch()
    out, shown, code = on_terminal(
        "query", clip, tmp_path / "bad.mp4", "--library", library, "--quiet", "--format", "csv"
    )

    assert code == 3
    assert len(out.splitlines()) == 2
    assert shown.splitlines() == [f"problem: {tmp_path / 'bad.mp4'}: is empty"]
