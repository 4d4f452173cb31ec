"""The service against its own description: schemathesis asks all that it allows, and much that it does not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="fastapi is in the extra `serve`")

from tests.conftest import Call
from tests.made_service import MODEL, Service, serving

EXAMPLES = int(os.environ.get("VCD_SCHEMA_EXAMPLES", "4"))
"""Of each kind for each operation."""
SETTINGS = """
[phases.stateful.inference]
algorithms = []

[[operations]]
include-name = "POST /api/v1/gate"
checks.positive_data_acceptance.expected-statuses = ["2xx", "422", "429", "503"]
"""
"""What no description can say: that the answer of POST /references has the id of a job, not of a reference, and that
not every file is media."""
KEY = "the-key-of-this-test"


@pytest.fixture(scope="module", params=["", f'admin_keys = ["{KEY}"]'], ids=["open", "with keys"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, films: Path, vcd: Call
) -> Iterator[Service]:
    """Requests change it: it is only for this."""
    folder = tmp_path_factory.mktemp("schema")
    (folder / "model.toml").write_text(MODEL)
    assert vcd("index", films, "--library", folder / "library", "--config", folder / "model.toml").code == 0
    key = KEY if request.param else ""
    settings = f"{request.param}\nwait_s = 0.2\ngate_wait_s = 0.2\nmax_queued = 100000"
    with serving(folder, folder / "library", settings=settings, key=key) as running:
        yield running


@pytest.mark.slow
def test_schemathesis_finds_nothing(service: Service, tmp_path: Path) -> None:
    if find_spec("schemathesis") is None:
        pytest.skip("needs: pip install schemathesis")
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    key = service.client.headers.get("authorization")
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/api/openapi.json", "--seed", "1",
        "--max-examples", str(EXAMPLES), "--no-color", "--generation-database", "none",
        *(["-H", f"Authorization: {key}"] if key else []),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert service.client.get("/api/v1/health").json()["status"] == "ok"
