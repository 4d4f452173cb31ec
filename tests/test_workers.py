"""A file that crashes, hangs or breaks its process costs that file only, and no process is left behind."""

import ctypes
import math
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vcd.errors
from vcd.errors import InputError, LibraryLocked, MissingExtra, SetupError, UnknownName, VcdError
from vcd.workers import Workers

Outcome = int | str


def act(how: str) -> Any:
    """What the worker process is made to do."""
    match how:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(7)
        case "segfault":
            ctypes.string_at(0)
        case "hang":
            time.sleep(600)
        case "hang in native code":
            ctypes.CDLL(None).sleep(600)
        case "bad file":
            raise InputError("/some/where/bad.mp4", "is empty")
        case "abort":
            os.abort()
        case "no memory":
            raise MemoryError
        case "flood":
            held = [bytes(10_000_000) + bytes([1]) for _ in range(100)]
            return len(held)
        case "flood in native code":
            import cv2
            import numpy as np

            return cv2.resize(np.zeros((1000, 1000, 3), np.uint8), (30_000, 30_000)).size
        case "a fault":
            raise Unpicklable(open(os.devnull))  # noqa: SIM115, PTH123
        case "two arguments":
            raise Picky("one", "two")
        case "timeout of its own":
            raise TimeoutError("the network drive is gone")
        case "setup":
            raise UnknownName("model", "vgg", ["dct"])
        case "threads":
            import numpy as np

            _ = np.ones((500, 500)) @ np.ones((500, 500))
            return len(os.listdir("/proc/self/task"))  # noqa: PTH208
        case "big":
            return bytes(30_000_000)
    return how


class Unpicklable(Exception):
    pass


class Picky(Exception):
    """Pickles, but cannot be unpickled."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def outcomes(pool: Workers, *hows: str) -> dict[str, Any]:
    """What came of each task: its result, or the reason why there is none."""
    found = {}
    for number, result in pool.map(act, [(f"{how}.mp4", (how,)) for how in hows]):
        found[hows[number]] = result.reason if isinstance(result, InputError) else result
    return found


@pytest.fixture(scope="module")
def pool() -> Iterator[Workers]:
    with Workers(2, timeout_s=60) as pool:
        yield pool


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("kill", "crashed the process that read it (killed from outside, perhaps for lack of memory)"),
        ("exit", "crashed the process that read it (exit code 7)"),
        ("segfault", "crashed the process that read it (SIGSEGV)"),
        ("bad file", "is empty"),
        ("abort", "crashed the process that read it (SIGABRT)"),
        ("no memory", "needs more memory than there is"),
        ("two arguments", "could not be read, for a reason that vcd did not foresee (Picky: onetwo)"),
        (
            "timeout of its own",
            "could not be read, for a reason that vcd did not foresee (TimeoutError: the network drive is gone)",
        ),
    ],
)
def test_only_the_task_that_fails_is_lost(pool: Workers, how: str, reason: str) -> None:
    assert outcomes(pool, "one", how, "two", "three") == {"one": "one", how: reason, "two": "two", "three": "three"}


def test_an_error_that_cannot_be_sent_is_told_in_words(pool: Workers) -> None:
    found = outcomes(pool, "a fault", "one")

    assert "Unpicklable: <_io.TextIOWrapper name='/dev/null'" in found["a fault"]
    assert found["one"] == "one"


def test_a_failed_task_bears_the_name_it_was_given(pool: Workers) -> None:
    [(_, result)] = pool.map(act, [("the film.mp4", ("bad file",))])

    assert isinstance(result, InputError)
    assert str(result) == "the film.mp4: is empty"


def test_an_error_that_concerns_all_files_is_raised_as_it_is(pool: Workers) -> None:
    with pytest.raises(UnknownName, match="unknown model 'vgg'; known: dct"):
        outcomes(pool, "setup")
    assert outcomes(pool, "one") == {"one": "one"}


def test_big_results_arrive(pool: Workers) -> None:
    results = pool.map(act, [("film", ("big",))] * 4)

    assert [len(result) for _, result in results if not isinstance(result, InputError)] == [30_000_000] * 4


def test_numbers_say_which_result_is_whose(pool: Workers) -> None:
    results = dict(pool.map(math.sqrt, [(str(n), (n * n,)) for n in range(20)]))

    assert results == {n: float(n) for n in range(20)}


def test_a_worker_keeps_to_one_core(pool: Workers) -> None:
    [(_, threads)] = pool.map(act, [("", ("threads",))])

    assert threads == 2  # the one that works, and the one that watches the parent


def test_no_tasks_give_no_results(pool: Workers) -> None:
    assert list(pool.map(act, [])) == []


def test_at_most_two_tasks_a_worker_are_under_way(pool: Workers) -> None:
    taken: list[int] = []

    class Tasks(list[tuple[str, tuple[str]]]):
        def __iter__(self) -> Iterator[tuple[str, tuple[str]]]:
            for number in range(100):
                taken.append(number)
                yield f"{number}", (f"{number}",)

    results = pool.map(act, Tasks([("", ("",))] * 100))
    assert len(taken) == 4
    next(results)
    assert len(taken) <= 8
    list(results)


def test_tasks_that_hang_are_given_up_and_the_pool_goes_on() -> None:
    given_up = "took longer than 1 s and was given up"
    with Workers(2, timeout_s=1) as pool:
        found = outcomes(pool, "hang", "one", "hang in native code", "two")

    assert found == {"hang": given_up, "one": "one", "hang in native code": given_up, "two": "two"}


def test_a_worker_that_floods_memory_is_replaced() -> None:
    too_much = "needs more memory than the 512 MB that a file may take"
    with Workers(1, timeout_s=60, memory_mb=512) as pool:
        found = outcomes(pool, "one", "flood", "two", "flood in native code", "three")

    assert found == {"one": "one", "flood": too_much, "two": "two", "flood in native code": too_much, "three": "three"}


def test_leaving_does_not_wait_for_native_code_that_hangs() -> None:
    with Workers(2, timeout_s=60) as pool:
        list(pool.map(act, [("", ("one",))]))
        pool.map(act, [("", ("hang in native code",))] * 2)
        time.sleep(0.5)
        begin_s = time.monotonic()

    assert time.monotonic() - begin_s < 2.5  # pebble would wait 3 s for each


@pytest.mark.parametrize(
    "error", [InputError("a.mp4", "is empty"), MissingExtra("torch", "torch"), LibraryLocked("lib: is locked")]
)
def test_errors_arrive_as_they_left(error: VcdError) -> None:
    again = pickle.loads(pickle.dumps(error))

    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_every_error_of_vcd_has_its_place_in_the_tree() -> None:
    errors = [kind for kind in vars(vcd.errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]

    assert all(issubclass(kind, VcdError) and kind.__name__ in (vcd.errors.__doc__ or "") for kind in errors)


# --- Processes of their own, for what happens to the parent.

SCRIPT = """
    import sys, time
    from tests.test_workers import act
    from vcd.errors import SetupError
    from vcd.workers import Workers
    def main(*hows):
        with Workers(2, timeout_s=600) as pool:
            results = pool.map(act, [("", ("one",))] * 2)
            next(results), next(results)
            print(*pool._pool._pool_manager.worker_manager.workers, flush=True)
            for _ in pool.map(act, [("", (how,)) for how in hows]):
                pass
"""
GUARDED = 'if __name__ == "__main__": main(*sys.argv[1:])'


def start(tmp_path: Path, *hows: str, call: str = GUARDED) -> "subprocess.Popen[str]":
    """A program that starts two workers, prints their process ids, and has them do these things."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT) + call)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, script, *hows],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True,
    )  # fmt: skip


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_end(pids: list[int], within_s: float = 10) -> bool:
    end_s = time.monotonic() + within_s
    while any(map(alive, pids)) and time.monotonic() < end_s:
        time.sleep(0.05)
    return not any(map(alive, pids))


def worker_ids(program: "subprocess.Popen[str]") -> list[int]:
    assert program.stdout is not None
    pids = [int(word) for word in program.stdout.readline().split()]
    assert len(pids) == 2
    assert all(map(alive, pids))
    return pids


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("busy", ["hang", "hang in native code"])
def test_no_worker_outlives_its_parent(tmp_path: Path, busy: str, number: signal.Signals) -> None:
    program = start(tmp_path, busy, busy)
    pids = worker_ids(program)
    time.sleep(0.3)

    program.send_signal(number)

    program.communicate(timeout=20)
    assert program.returncode == -number
    assert all_end(pids)


def test_no_worker_is_left_when_all_is_done(tmp_path: Path) -> None:
    program = start(tmp_path, "one")
    assert program.stdout is not None
    pids = [int(word) for word in program.stdout.readline().split()]

    _, errors = program.communicate(timeout=20)

    assert (program.returncode, errors) == (0, "")
    assert all_end(pids, within_s=1)


def test_workers_that_were_not_needed_end_without_a_sound(tmp_path: Path) -> None:
    leave_early = """
if __name__ == "__main__":
    with Workers(4, timeout_s=600) as pool:
        list(pool.map(act, [("", ("one",))]))
"""
    program = start(tmp_path, call=leave_early)

    assert program.communicate(timeout=60) == ("", "")


@pytest.mark.parametrize("after_s", [0.2, 0.5, 0.9])
def test_ctrl_c_while_workers_start_shows_no_tracebacks_of_theirs(tmp_path: Path, after_s: float) -> None:
    quiet = """
try:
    time.sleep(0) or main(*sys.argv[1:])
except KeyboardInterrupt:
    sys.exit(130)
"""
    program = start(tmp_path, "hang", "hang", call="if __name__ == '__main__':" + textwrap.indent(quiet, "    "))
    time.sleep(after_s)

    os.killpg(program.pid, signal.SIGINT)  # as a terminal does: to all processes

    _, errors = program.communicate(timeout=20)
    assert program.returncode in {130, -signal.SIGINT}
    assert errors.count("Traceback") <= (program.returncode != 130)


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    unguarded = """
try:
    main()
except SetupError as error:
    sys.exit(f"SetupError: {error}")
"""
    program = start(tmp_path, call=unguarded)

    _, errors = program.communicate(timeout=60)

    assert program.returncode == 1
    assert "SetupError: the worker processes cannot start" in errors
    assert 'under `if __name__ == "__main__":`' in errors


def test_workers_that_are_killed_at_rest_give_a_clear_error(tmp_path: Path) -> None:
    with Workers(1, timeout_s=60) as pool:
        list(pool.map(act, [("", ("one",))]))
        [pid] = pool._pool._pool_manager.worker_manager.workers
        os.kill(pid, signal.SIGKILL)
        assert all_end([pid])
        time.sleep(0.5)

        with pytest.raises(SetupError, match="were ended from outside"):
            outcomes(pool, "one")
