"""Files of results appear whole or not at all, and it is known early when they cannot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vcd.errors import SetupError
from vcd.report import check_writable, write_atomically

NOT_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")


def test_a_file_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    check_writable(tmp_path / "out.csv")
    write_atomically(b"rows", tmp_path / "out.csv")

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.csv", b"rows")]


def test_a_failed_write_leaves_the_old_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "out.csv"
    old.write_bytes(b"old")

    def fail(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(SetupError, match=r"out\.csv: cannot be written: No space left on device"):
        write_atomically(b"new", old)

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.csv", b"old")]


def test_an_existing_file_is_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        write_atomically(b"new", path)

        assert reader.read() == b"old"  # who read it goes on reading the old one
    assert path.read_bytes() == b"new"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out.csv").symlink_to(tmp_path / "elsewhere" / "real.csv")

    write_atomically(b"rows", tmp_path / "out.csv")

    assert (tmp_path / "out.csv").is_symlink()
    assert (tmp_path / "elsewhere" / "real.csv").read_bytes() == b"rows"


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_writable(pipe)
    reader = subprocess.Popen(
        [sys.executable, "-c", f"print(open({str(pipe)!r}).read())"], stdout=subprocess.PIPE, text=True
    )

    write_atomically(b"rows", pipe)

    assert reader.communicate(timeout=20)[0] == "rows\n"
    assert pipe.is_fifo()


def test_the_standard_output_can_be_named(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from vcd.report import *; path = Path('/dev/stdout');"
        "check_writable(path); write_atomically(b'rows', path)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert done.stdout == b"rows"


@pytest.mark.parametrize("name", [".", "..", "folder"])
def test_a_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SetupError, match=r"cannot be written: is a folder"):
        check_writable(Path(name))
    with pytest.raises(SetupError, match=r"cannot be written: "):
        write_atomically(b"rows", Path(name))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=f"there is no folder {tmp_path}/missing"):
        check_writable(tmp_path / "missing" / "out.csv")
    with pytest.raises(SetupError, match="cannot be written: No such file or directory"):
        write_atomically(b"rows", tmp_path / "missing" / "out.csv")


@NOT_ROOT
def test_a_place_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SetupError, match="no permission to change"):
        check_writable(tmp_path / "out.csv")
