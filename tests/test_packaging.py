"""The wheel and the source archive hold what is needed, and nothing else."""

import email
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import vcd

pytest.importorskip("hatchling", reason="hatchling is in the extra `dev`")

ROOT = Path(__file__).parents[1]
TOO_BIG_BYTES = 20_000_000


def build(source: Path, target: Path, kind: str) -> Path:
    """Build a wheel or an sdist without network, as pip does."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(target), "--target", kind]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    [path] = target.iterdir()
    return path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")) as archive:
        yield archive


@pytest.fixture(scope="module")
def unpacked_sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = build(ROOT, tmp_path_factory.mktemp("sdist"), "sdist")
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    [content] = folder.iterdir()
    return content


def test_the_wheel_holds_every_module_and_what_they_read(wheel: zipfile.ZipFile) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "vcd").rglob("*.py")}
    presets = {f"vcd/configs/{path.name}" for path in (ROOT / "configs").glob("*.toml")}

    template = {f"vcd/report/template/page.{kind}" for kind in ("html", "css", "js")}

    assert {*modules, *presets, *template, "vcd/py.typed"} <= set(wheel.namelist())
    assert presets == {f"vcd/configs/{name}.toml" for name in ("default", "fast", "thorough")}


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    metadata = f"vcd-{vcd.__version__}.dist-info"

    assert {name.split("/")[0] for name in wheel.namelist()} == {"vcd", metadata}
    odd = {".pyc", ".mp4", ".mkv", ".faiss", ".parquet", ".sqlite"}
    assert [name for name in wheel.namelist() if Path(name).suffix in odd] == []
    assert sum(file.file_size for file in wheel.filelist) < TOO_BIG_BYTES


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    folder = f"vcd-{vcd.__version__}.dist-info"
    metadata = email.message_from_bytes(wheel.read(f"{folder}/METADATA"))

    assert (metadata["Name"], metadata["Version"], metadata["License-Expression"]) == (
        "vcd", vcd.__version__, "Apache-2.0",
    )  # fmt: skip
    assert wheel.read(f"{folder}/entry_points.txt").decode().split() == [
        "[console_scripts]", "vcd", "=", "vcd.cli.main:run",
    ]  # fmt: skip
    assert wheel.read(f"{folder}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_the_core_needs_no_torch(wheel: zipfile.ZipFile) -> None:
    metadata = email.message_from_bytes(wheel.read(f"vcd-{vcd.__version__}.dist-info/METADATA"))
    needed = [text for text in metadata.get_all("Requires-Dist", []) if "extra ==" not in text]

    assert len(needed) > 5
    assert [text for text in needed if text.startswith("torch")] == []


def test_the_wheel_runs_where_there_is_no_checkout(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "site")
    code = (
        "import sys, vcd, vcd.config; assert vcd.__file__.startswith(sys.argv.pop()), vcd.__file__;"
        "print(*vcd.config.find_presets(), flush=True); from vcd.cli.main import run; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "models", "list", "--config", "fast", str(tmp_path)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path / "site")}, capture_output=True, text=True,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "default fast thorough"


def test_the_source_archive_builds_the_same_wheel(wheel: zipfile.ZipFile, unpacked_sdist: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(build(unpacked_sdist, tmp_path, "wheel")) as again:
        assert {file.filename: file.CRC for file in again.filelist} == {
            file.filename: file.CRC for file in wheel.filelist
        }


def test_the_source_archive_holds_no_media_and_no_libraries(unpacked_sdist: Path) -> None:
    files = [path for path in unpacked_sdist.rglob("*") if path.is_file()]

    assert [path.name for path in files if path.suffix in {".mp4", ".mkv", ".pyc", ".sqlite", ".faiss"}] == []
    assert sum(path.stat().st_size for path in files) < TOO_BIG_BYTES
    assert {"pyproject.toml", "LICENSE", "README.md", "vcd", "configs", "tests"} <= {
        path.name for path in unpacked_sdist.iterdir()
    }


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_two_builds_are_the_same_to_the_byte(tmp_path: Path, kind: str) -> None:
    """Another folder, and files with other times, change nothing."""
    copy = tmp_path / "copy"
    for name in ("vcd", "configs", "tests", "benchmarks", "scripts", "docs", "indexes"):
        shutil.copytree(
            ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copy
        )
    for name in ("pyproject.toml", "README.md", "LICENSE", "Makefile", "CHANGELOG.md", "CONTRIBUTING.md", "mkdocs.yml",
                 ".gitignore"):  # fmt: skip
        shutil.copy(ROOT / name, copy / name)

    here, there = (build(source, tmp_path / f"out-{n}", kind) for n, source in enumerate((ROOT, copy)))

    assert here.name == there.name
    assert here.read_bytes() == there.read_bytes()


def test_both_archives_hold_the_weights(wheel: zipfile.ZipFile, unpacked_sdist: Path) -> None:
    shipped = sorted(path.name for path in (ROOT / "vcd/describe/shipped").glob("vcd-rmac.*"))

    assert {"vcd-rmac.onnx", "vcd-rmac.toml", "vcd-rmac.background.npy"} <= set(shipped)
    for name in shipped:
        content = (ROOT / "vcd/describe/shipped" / name).read_bytes()
        assert wheel.read(f"vcd/describe/shipped/{name}") == content
        assert (unpacked_sdist / "vcd/describe/shipped" / name).read_bytes() == content
