"""Starting and stopping the service."""

import logging
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from vcd.config import Config
from vcd.errors import SetupError
from vcd.resident import ResidentLibrary
from vcd.serve.app import make_app
from vcd.serve.folders import Folders
from vcd.serve.metrics import Metrics
from vcd.serve.runner import Runner
from vcd.serve.service import Service
from vcd.serve.settings import ServeSettings, require_safe_host
from vcd.serve.store import JobStore
from vcd.serve.uploads import Intake

GRACE_S = 5
"""What is still under way this long after the service was told to end is broken off."""


def serve(
    library: Path,
    config: Config,
    settings: ServeSettings,
    *,
    host: str,
    port: int,
    data: Path,
    root: Path | None = None,
    workers: int | None = None,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Answer until somebody ends it (SIGTERM, Ctrl+C); `ready` is told the address.

    Raises a `SetupError` when it cannot start.
    """
    require_safe_host(host, settings)
    if root is not None and not root.is_dir():
        raise SetupError(f"{root}: is no folder that media could be added from")
    resident = ResidentLibrary(library, config, workers, settings.time_limit_s)
    folders = Folders(data)
    with ExitStack() as opened:
        opened.enter_context(folders.make())
        store = JobStore(folders.jobs)
        opened.callback(store.close)
        metrics = Metrics()
        runner = Runner(store, resident, folders, settings, metrics)
        opened.callback(runner.join)
        opened.enter_context(resident)  # its end is what ends the runner's work
        intake = Intake(folders.uploads, settings)
        service = Service(settings, folders, root, store, resident, runner, intake, metrics)
        _listen(make_app(service), runner, host, port, ready)


def _listen(app: FastAPI, runner: Runner, host: str, port: int, ready: Callable[[str], None]) -> None:
    how = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, server_header=False, lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
    )  # fmt: skip
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    try:
        with _bind(host, port) as listening:
            runner.start()
            address = f"[{host}]" if ":" in host else host
            ready(f"http://{address}:{listening.getsockname()[1]}/")
            uvicorn.Server(how).run([listening])
    except KeyboardInterrupt:
        pass  # uvicorn has ended in order, and passes on the signal that told it to
    finally:
        runner.stop()


def _bind(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SetupError(f"{host}:{port}: the service cannot listen there: {error.strerror or error}") from error
