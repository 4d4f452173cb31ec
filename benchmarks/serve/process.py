"""A real `vcd serve` that can be killed and started again on what it left."""

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

START_S, ANSWER_S = 120.0, 600.0
KEPT_S = 1e6
"""Jobs are kept for longer than any run takes, so that each can be asked for at its end."""


@dataclass(frozen=True, slots=True)
class Running:
    """A service that answers."""

    process: "subprocess.Popen[bytes]"
    url: str

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=ANSWER_S + 10)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(60)

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait()


def start(folder: Path, library: Path, clients: int, config: str | None, workers: int | None) -> Running:
    """One that takes all clients at once, with its data in the folder."""
    settings = folder / "serve.toml"
    settings.write_text(
        f"max_uploads = {clients + 1}\nmax_queued = {10 * clients}\nretention_s = {KEPT_S}\nmin_free_mb = 0\n"
    )
    command = [
        sys.executable, "-c", "from vcd.cli.main import run; run()", "serve", "--library", str(library),
        "--settings", str(settings), "--data", str(folder / "data"), "--port", "0",
        *(["--config", config] if config else []), *(["--workers", str(workers)] if workers else []),
    ]  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        return Running(process, _address(folder / "log", process))
    except BaseException:
        process.kill()
        process.wait()
        raise


def _address(log: Path, process: "subprocess.Popen[bytes]") -> str:
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s and process.poll() is None:
        if found := re.search(r"at (http://\S+)/ ", log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.1)
    raise SystemExit(f"the service does not start: {log.read_text(encoding='utf-8')}")
