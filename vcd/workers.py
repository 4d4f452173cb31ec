"""Work on files in other processes, so that one file that crashes or hangs costs that file only."""

import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext
from multiprocessing.synchronize import RLock
from typing import Any, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from vcd.errors import InputError, SetupError, VcdError

R = TypeVar("R")

LOOK_S = 1.0
"""How often to look whether the pool is still there."""
OUT_OF_MEMORY = 77
"""What a worker exits with when memory runs out, for what it has leaked would be missed by the files that follow."""


_threads: int | None = None


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def engine_threads() -> int:
    """Threads that a network may use in this process: a worker's share of the cores, else all of them."""
    return _threads or usable_cores()


class Workers:
    """A pool of processes; use it in a `with` statement.

    A worker that dies at its work is replaced, and none outlives this process, however that ends. Processes are
    spawned, not forked: FFmpeg, FAISS and the terminal's threads do not survive a fork. So a script that uses them
    must do so under ``if __name__ == "__main__":``.
    """

    def __init__(self, count: int, timeout_s: float, memory_mb: int | None = None, threads: int | None = None) -> None:
        """`timeout_s` for each task; `memory_mb` for each worker, None: no limit; `threads` of its network."""
        self.count = count
        self._timeout_s, self._memory_mb = timeout_s, memory_mb
        self._pool = ProcessPool(
            max_workers=count,
            context=_SpawnContext(),
            initializer=_prepare,
            initargs=[threads or max(1, usable_cores() // count), memory_mb],
        )

    def __enter__(self) -> Self:
        with _interrupts_held():
            assert self._pool.active  # starts the processes
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.stop()
        self._pool.join()

    @property
    def alive(self) -> bool:
        """Whether it takes tasks; it does not when its processes could not start or were ended from outside."""
        return bool(self._pool.active)

    def map(
        self, function: Callable[..., R], tasks: Sequence[tuple[str, tuple[Any, ...]]]
    ) -> Iterator[tuple[int, R | InputError]]:
        """Number and result of each task, as they are done; a task is the file's name and the arguments.

        An `InputError` of the function, a crash, the time or the memory limit, or an error that vcd did not foresee
        gives an `InputError` in place of the result; any other error of vcd is raised. Work begins at once, and at
        most two tasks a worker are under way, so memory stays bounded.
        """
        waiting = iter(enumerate(tasks))
        running: dict[Future[Any], int] = {}

        def fill() -> None:
            while len(running) < 2 * self.count and (item := next(waiting, None)) is not None:
                number, (_, arguments) = item
                running[self._schedule(function, arguments)] = number

        def results() -> Iterator[tuple[int, Any]]:
            while running:
                done, _ = wait(running, timeout=LOOK_S, return_when=FIRST_COMPLETED)
                if not done and not self._pool.active:
                    raise _broken()  # a task that came while the pool broke down is never done
                for future in sorted(done, key=running.__getitem__):
                    number = running.pop(future)
                    yield number, self._result(future, tasks[number][0])
                fill()

        fill()
        return results()

    def _schedule(self, function: Callable[..., R], arguments: tuple[Any, ...]) -> "Future[Any]":
        try:
            return self._pool.schedule(_run, args=(function, arguments), timeout=self._timeout_s)  # type: ignore[no-any-return]
        except RuntimeError as error:
            raise _broken() from error

    def _result(self, future: "Future[Any]", name: str) -> Any:
        try:
            return future.result()
        except InputError as error:
            return InputError(name, error.reason)
        except TimeoutError:
            return InputError(name, f"took longer than {self._timeout_s:g} s and was given up")
        except ProcessExpired as error:
            if error.exitcode == OUT_OF_MEMORY:
                return InputError(name, f"needs more memory than {_amount(self._memory_mb)}")
            return InputError(name, f"crashed the process that read it ({_way_of_death(error.exitcode)})")
        except BrokenProcessPool as error:
            raise _broken() from error


class _SpawnContext(SpawnContext):
    """Keeps the pool's locks until the pool is gone, for a worker that starts while it stops still asks for them."""

    def __init__(self) -> None:
        super().__init__()
        self._locks: list[RLock] = []

    def RLock(self) -> RLock:  # noqa: N802
        self._locks.append(super().RLock())
        return self._locks[-1]


def _amount(memory_mb: int | None) -> str:
    return "there is" if memory_mb is None else f"the {memory_mb} MB that a file may take"


def _way_of_death(exit_code: int) -> str:
    if exit_code == -signal.SIGKILL:
        return "killed from outside, perhaps for lack of memory"
    return signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"


def _broken() -> SetupError:
    return SetupError(
        "the worker processes cannot start, or were ended from outside; look for what ended them, such as a lack of "
        'memory, and run again (a script must call vcd under `if __name__ == "__main__":`)'
    )


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes and threads that start meanwhile never see Ctrl+C: it is for this thread to handle."""
    resource_tracker.ensure_running()  # when it starts by itself, it lets signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare(threads: int, memory_mb: int | None) -> None:
    """In a worker: one process, one core, for the processes are the parallelism; and an end at once when told.

    Only a network may use `threads`, for where there are fewer processes than cores.
    """
    global _threads
    _threads = threads
    # Must be set before numpy is imported. Threads of OpenBLAS that wait for work take most of a busy machine.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    import cv2

    cv2.setNumThreads(1)
    os.nice(1)
    _limit(memory_mb)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a handler in Python would wait for native code to return
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _limit(memory_mb: int | None) -> None:
    """Memory that only this process has and can write to: the measure that Linux keeps closest to what it takes.

    The address space is no such measure: 1 GB where the shipped model takes 280 MB. A crash leaves no core file.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if memory_mb is not None:
        hard_bytes = resource.getrlimit(resource.RLIMIT_DATA)[1]
        wanted_bytes = memory_mb << 20
        if hard_bytes != resource.RLIM_INFINITY:
            wanted_bytes = min(wanted_bytes, hard_bytes)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted_bytes, hard_bytes))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _run(function: Callable[..., R], arguments: tuple[Any, ...]) -> R:
    """In a worker: only errors of vcd leave it, for others might not survive the way."""
    try:
        return function(*arguments)
    except VcdError:
        raise
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:
        if _tells_of_memory(error):
            os._exit(OUT_OF_MEMORY)
        text = f"{type(error).__name__}: {error}"
        raise InputError("", f"could not be read, for a reason that vcd did not foresee ({text})") from error


def _tells_of_memory(error: Exception) -> bool:
    """OpenCV and C++ have errors of their own for it."""
    import cv2

    return (isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem) or "bad_alloc" in str(error)
