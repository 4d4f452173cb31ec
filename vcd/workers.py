"""Work on files in other processes, so that one file that crashes or hangs costs that file only."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, TimeoutError, wait
from typing import Any, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from vcd.errors import InputError

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """A pool of processes; use it in a `with` statement.

    A worker that dies is replaced. Processes are spawned, not forked: FFmpeg, FAISS and the terminal's threads do
    not survive a fork.
    """

    def __init__(self, count: int, timeout_s: float) -> None:
        self.count = count
        self._timeout_s = timeout_s
        self._pool = ProcessPool(max_workers=count, context=multiprocessing.get_context("spawn"), initializer=_prepare)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.stop()
        self._pool.join()

    def map(
        self, function: Callable[..., R], tasks: Sequence[tuple[str, tuple[Any, ...]]]
    ) -> Iterator[tuple[int, R | InputError]]:
        """Number and result of each task, as they are done; a task is the file's name and the arguments.

        An `InputError` of the function, a crash, or the time limit gives an `InputError` in place of the result;
        any other error is raised. At most two tasks a worker are under way, so memory stays bounded.
        """
        waiting = iter(enumerate(tasks))
        running: dict[Future[Any], int] = {}
        while True:
            while len(running) < 2 * self.count and (item := next(waiting, None)) is not None:
                number, (_, arguments) = item
                running[self._pool.schedule(function, args=arguments, timeout=self._timeout_s)] = number
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=running.__getitem__):
                number = running.pop(future)
                yield number, self._result(future, tasks[number][0])

    def _result(self, future: "Future[Any]", name: str) -> Any:
        try:
            return future.result()
        except InputError as error:
            return InputError(name, error.reason)
        except TimeoutError:
            return InputError(name, f"took longer than {self._timeout_s:g} s and was given up")
        except ProcessExpired as error:
            return InputError(name, f"crashed the process that read it (exit code {error.exitcode})")
        except MemoryError:
            return InputError(name, "needs more memory than there is")


def _prepare() -> None:
    """One process, one core: the processes are the parallelism."""
    import cv2

    cv2.setNumThreads(1)
    os.nice(1)
