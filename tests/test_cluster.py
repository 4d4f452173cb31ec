"""A Ray cluster of several nodes on this machine: files are read as they are without it, whatever dies meanwhile."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import vcd
from tests.made_broken import make_text
from tests.test_workers import outcomes
from vcd import cluster as engine
from vcd import pipeline
from vcd.cluster import RayWorkers
from vcd.config import Config
from vcd.errors import InputError, MissingExtra, SetupError
from vcd.library import Library

MEMORY_BYTES = 80_000_000


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without cores, and two nodes with one each, which RAY_ADDRESS names."""
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        head = {"num_cpus": 0, "object_store_memory": MEMORY_BYTES, "include_dashboard": False}
        made = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(2):
            made.add_node(num_cpus=1, object_store_memory=MEMORY_BYTES)
        patch.setenv("RAY_ADDRESS", made.address)
        try:
            yield made
        finally:
            made.shutdown()


@pytest.fixture
def pool(cluster: Any) -> Iterator[RayWorkers]:
    with RayWorkers(timeout_s=60) as pool:
        yield pool


def kill_ray_worker(mark: Path, name: str, times: int) -> str:
    """Kill what this process works for, the first times that this is done."""
    mark.open("a").write(f"{name}\n")
    if mark.read_text().splitlines().count(name) <= times:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    return name


def sleep(name: str, mark: Path) -> str:
    (mark / f"{name}-{time.monotonic_ns()}").touch()
    time.sleep(1)
    return name


def collect(pool: Any, function: Callable[..., Any], tasks: list[tuple[Any, ...]]) -> list[Any]:
    found = dict(pool.map(function, [(f"{number}.mp4", each) for number, each in enumerate(tasks)]))
    return [found[number] for number in range(len(tasks))]


def test_a_poison_file_costs_that_file_for_the_reason_it_has_without_a_cluster(pool: Any) -> None:
    found = outcomes(pool, "one", "kill", "segfault", "bad file", "two", "two arguments", "three")

    assert found == {
        "one": "one", "two": "two", "three": "three",
        "kill": "crashed the process that read it (killed from outside, perhaps for lack of memory)",
        "segfault": "crashed the process that read it (SIGSEGV)",
        "bad file": "is empty",
        "two arguments": "could not be read, for a reason that vcd did not foresee (Picky: onetwo)",
    }  # fmt: skip


def test_an_error_that_concerns_all_files_is_raised(pool: Any) -> None:
    with pytest.raises(SetupError, match="unknown model 'vgg'; known: dct"):
        outcomes(pool, "setup")


def test_time_and_memory_are_limited_and_one_worker_keeps_to_one_core(cluster: Any) -> None:
    with RayWorkers(timeout_s=2, memory_mb=512, most=1) as pool:
        assert pool.count == 1
        found = outcomes(pool, "hang in native code", "flood", "threads")

    assert found == {
        "hang in native code": "took longer than 2 s and was given up",
        "flood": "needs more memory than the 512 MB that a file may take",
        "threads": 2,
    }


def test_a_ray_worker_that_is_killed_costs_no_file(pool: Any, tmp_path: Path) -> None:
    assert pool.count == 2
    tasks = [(tmp_path / "mark", "killed" if number == 1 else str(number), number == 1) for number in range(4)]

    assert collect(pool, kill_ray_worker, tasks) == ["0", "killed", "2", "3"]
    assert (tmp_path / "mark").read_text().splitlines().count("killed") == 2


def test_a_file_that_kills_every_ray_worker_is_given_up(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RETRIES", 1)
    with RayWorkers(timeout_s=60) as pool:
        killed, other = collect(pool, kill_ray_worker, [(tmp_path / "mark", "a", 9), (tmp_path / "mark", "b", 0)])

    assert other == "b"
    assert isinstance(killed, InputError)
    assert killed.path == "0.mp4"
    assert "was lost 2 times with the Ray worker or machine that read it" in killed.reason


def test_another_version_of_vcd_on_the_cluster_is_refused(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there = vcd.__version__
    monkeypatch.setattr(vcd, "__version__", "0.0.1")

    with pytest.raises(SetupError, match=f"has vcd {there}, not 0.0.1 as here"):
        outcomes(pool, "one")


def test_a_library_made_on_a_cluster_is_the_one_made_here(cluster: Any, made_film: Any, tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for number in range(2):
        (films / f"{number}.mp4").write_bytes(made_film(4, first=10 * number).read_bytes())
    make_text(films / "text.mp4")

    there = pipeline.index([films], tmp_path / "there", Config(), engine="ray")
    here = pipeline.index([films], tmp_path / "here", Config(), workers=1)
    again = pipeline.index([films], tmp_path / "there", Config(), engine="ray")

    assert there == here
    assert there.added == ("0.mp4", "1.mp4")
    assert [Path(problem.path).name for problem in there.problems] == ["text.mp4"]
    assert (again.added, again.unchanged) == ((), there.added)
    both = [Library(tmp_path / name, Config().library) for name in ("there", "here")]
    for path in there.added:
        one, other = (library.descriptors(row.id) for library in both for row in library.media if row.path == path)
        assert one is not None
        assert other is not None
        assert (one.vectors == other.vectors).all()
        assert (one.times_s == other.times_s).all()


def test_a_node_that_is_killed_costs_no_file(cluster: Any, tmp_path: Path) -> None:
    lost = cluster.add_node(num_cpus=1, object_store_memory=MEMORY_BYTES)
    with RayWorkers(timeout_s=60) as pool:
        results = pool.map(sleep, [(f"{number}.mp4", (f"film {number}", tmp_path)) for number in range(12)])
        found = dict([next(results)])
        cluster.remove_node(lost, allow_graceful=False)
        found |= dict(results)

    assert found == {number: f"film {number}" for number in range(12)}


def test_ray_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    (tmp_path / "film.mp4").write_bytes(b"x")

    with pytest.raises(MissingExtra, match=r"ray is not installed; run: pip install 'vcd\[ray\]'"):
        pipeline.index([tmp_path / "film.mp4"], tmp_path / "lib", Config(), engine="ray")


def test_a_cluster_that_is_not_there_is_told(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")

    with pytest.raises(SetupError, match=r"the Ray cluster 127\.0\.0\.1:1 cannot be used"), RayWorkers(timeout_s=60):
        pass
