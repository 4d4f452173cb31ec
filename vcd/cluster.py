"""Work on files on the machines of a Ray cluster: what `Workers` does on one, with the same interface.

Each core of the cluster runs one Ray worker, which starts one process of `Workers` for the files: a file that crashes,
hangs or floods it costs that file, for the same reasons in the same words as without a cluster. A Ray worker or a
machine that is lost costs no file: Ray does its tasks again elsewhere.
"""

import os
import pickle
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import vcd
from vcd.config import MediaConfig
from vcd.errors import InputError, MissingExtra, SetupError
from vcd.workers import Workers

R = TypeVar("R")

Engine = Literal["local", "ray"]
"""What reads files: processes of this machine, or a Ray cluster."""

LOOK_S = 1.0
"""How often to look whether the cluster has grown."""
CONNECT_S = 10.0
RETRIES = 3
"""So many times a task is done again after its Ray worker or machine was lost."""


class RayWorkers:
    """The cores of a Ray cluster; use it in a `with` statement.

    The cluster is that which the variable RAY_ADDRESS names, or which runs on this machine; else one of this machine
    alone is started for the while. Its machines must have the same vcd, and the files under the same absolute paths.
    """

    def __init__(self, timeout_s: float, memory_mb: int | None = None, most: int | None = None) -> None:
        """`timeout_s` for each task, `memory_mb` for each process that reads files; at most `most` tasks at once.

        Raises `MissingExtra` when Ray is not installed.
        """
        try:
            import ray
        except ImportError as error:
            raise MissingExtra("ray", "ray") from error
        self._ray, self._most = ray, most
        self._limits = timeout_s, memory_mb

    def __enter__(self) -> Self:
        """Raises `SetupError` when the cluster that RAY_ADDRESS names cannot be reached."""
        self._owns = not self._ray.is_initialized()
        if self._owns:
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster that is started here tells nobody
            _require_reachable(os.environ.get("RAY_ADDRESS", ""))
            before = _sigterm_handler()
            try:
                self._ray.init(log_to_driver=False, logging_level="error", include_dashboard=False)
            except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
                address = os.environ.get("RAY_ADDRESS", "on this machine")
                reason = " ".join(str(error).split())
                raise SetupError(f"the Ray cluster {address} cannot be used: {reason}") from error
            finally:
                if before is not None:
                    signal.signal(signal.SIGTERM, before)
        self._task = self._ray.remote(num_cpus=1, max_retries=RETRIES)(work)
        return self

    def __exit__(self, *_: object) -> None:
        if self._owns:
            self._ray.shutdown()

    @property
    def count(self) -> int:
        """Tasks that the cluster, as it is now, does at once."""
        cores = max(1, int(self._ray.cluster_resources().get("CPU", 0)))
        return min(cores, self._most or cores)

    def map(
        self, function: Callable[..., R], tasks: Sequence[tuple[str, tuple[Any, ...]]]
    ) -> Iterator[tuple[int, R | InputError]]:
        """As `Workers.map` does it; paths among the arguments are made absolute."""
        waiting = iter(enumerate(tasks))
        running: dict[Any, int] = {}

        def fill() -> None:
            window = self._most or 2 * self.count
            while len(running) < window and (item := next(waiting, None)) is not None:
                number, (name, arguments) = item
                there = [Path(os.path.abspath(each)) if isinstance(each, Path) else each for each in arguments]
                payload = pickle.dumps((function, tuple(there)))
                running[self._task.remote(vcd.__version__, name, payload, *self._limits)] = number

        def results() -> Iterator[tuple[int, Any]]:
            try:
                while running:
                    done, _ = self._ray.wait(list(running), num_returns=1, timeout=LOOK_S)
                    for reference in done:
                        number = running.pop(reference)
                        yield number, self._result(reference, tasks[number][0])
                    fill()
            finally:
                for reference in running:
                    self._ray.cancel(reference)

        fill()
        return results()

    def _result(self, reference: Any, name: str) -> Any:
        errors = self._ray.exceptions
        try:
            result = self._ray.get(reference)
        except errors.RayTaskError as error:
            if isinstance(error.cause, SetupError):
                raise error.cause from error
            return InputError(
                name, f"could not be read on the cluster, for a reason that vcd did not foresee ({error.cause})"
            )
        except errors.RayError as error:
            reason = " ".join(str(error).split())
            return InputError(
                name, f"was lost {RETRIES + 1} times with the Ray worker or machine that read it ({reason})"
            )
        return pickle.loads(result) if isinstance(result, bytes) else result


def work(version: str, name: str, payload: bytes, timeout_s: float, memory_mb: int | None) -> bytes | InputError:
    """What a Ray worker does: have its process of `Workers` do a task; the result as it left that process.

    What is sent stays pickled here, so that only that process loads the stages. Raises `SetupError`.
    """
    if version != vcd.__version__:
        raise SetupError(f"a machine of the cluster has vcd {vcd.__version__}, not {version} as here; install the same")
    pool = _process(timeout_s, memory_mb)
    for _, result in pool.map(_unpickled, [(name, (payload,))]):
        return result
    raise AssertionError("one task gives one result")


@lru_cache(maxsize=1)
def _process(timeout_s: float, memory_mb: int | None) -> Workers:
    """Kept for the tasks that follow, with the model loaded; it ends with the Ray worker."""
    return Workers(1, timeout_s, memory_mb, threads=1).__enter__()


def _unpickled(payload: bytes) -> bytes:
    function, arguments = pickle.loads(payload)
    return pickle.dumps(function(*arguments))


def _require_reachable(address: str) -> None:
    """Raises `SetupError` when nobody listens at ``host:port``: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
        except OSError as error:
            reason = error.strerror or str(error)
            raise SetupError(f"the Ray cluster {address} cannot be used: {reason}") from error


def _sigterm_handler() -> Any:
    """The one that Ray would replace; None where only the main thread may set it again."""
    return signal.getsignal(signal.SIGTERM) if threading.current_thread() is threading.main_thread() else None


def make_pool(engine: Engine, count: int, most: int | None, media: MediaConfig) -> Workers | RayWorkers:
    """`count` processes of this machine, or a cluster that does at most `most` tasks at once."""
    if engine == "ray":
        return RayWorkers(media.timeout_s, media.memory_mb, most)
    return Workers(count, media.timeout_s, media.memory_mb)
