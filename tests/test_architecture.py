"""The rules of the house that a machine can check: who imports whom, how long things are, what an import does."""

import ast
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import vcd

PACKAGE = Path(vcd.__file__).parent
STAGES = ("media", "describe", "library", "search", "align", "verify", "report")
SHARED = {"types", "view", "errors", "config", "local", "__version__"}
"""What any module may import of vcd."""
HEAVY = {
    "numpy",
    "av",
    "cv2",
    "faiss",
    "pyarrow",
    "onnxruntime",
    "openvino",
    "PIL",
    "pebble",
    "sqlite3",
    "torch",
    "rich.progress",
}


def modules() -> dict[str, ast.Module]:
    """Dotted name and content of every module."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = modules()


def imports_of_vcd(module: ast.Module) -> set[str]:
    """What it imports of vcd, wherever in it: ``align.vote`` for ``from vcd.align.vote import VoteAligner``."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("vcd.") for name in found if name.startswith("vcd.")}


def part_of(name: str) -> str:
    """The stage, or whatever else directly under vcd, that a module belongs to."""
    return name.removeprefix("vcd.").split(".")[0]


def test_a_stage_imports_no_other_stage() -> None:
    wrong = [
        f"{name} imports {imported}"
        for name, module in MODULES.items()
        if part_of(name) in STAGES
        for imported in imports_of_vcd(module)
        if part_of(imported) not in {part_of(name), *SHARED}
    ]

    assert wrong == []


def test_the_shared_modules_import_no_stage() -> None:
    wrong = [
        f"{name} imports {imported}"
        for name, module in MODULES.items()
        if part_of(name) in {"types", "view", "errors", "config", "local", "workers"}
        for imported in imports_of_vcd(module)
        if part_of(imported) not in SHARED
    ]

    assert wrong == []


@pytest.mark.parametrize("beside", ["dedupe", "evaluate", "train", "serve", "demo", "cli"])
def test_only_the_command_line_imports_what_lies_beside_the_flow(beside: str) -> None:
    importers = {
        part_of(name)
        for name, module in MODULES.items()
        if any(part_of(imported) == beside for imported in imports_of_vcd(module))
    }

    assert importers <= {beside, "cli"}


def test_nothing_prints_but_the_command_line() -> None:
    wrong = [
        f"{name}:{node.lineno}"
        for name, module in MODULES.items()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]

    assert wrong == []


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}

    assert {path: lines for path, lines in lengths.items() if lines > 300} == {}


def functions() -> Iterator[tuple[str, int]]:
    """Name and length, without the docstring, of every function."""
    for name, module in MODULES.items():
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                docstring = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) is not None else 0
                yield f"{name}.{node.name}", (node.end_lineno or 0) - node.lineno + 1 - docstring


def test_no_function_is_longer_than_40_lines() -> None:
    assert {name: lines for name, lines in functions() if lines > 40} == {}


def test_the_tests_of_lengths_see_the_package() -> None:
    assert len(MODULES) > 50
    assert len(dict(functions())) > 200


# --- What an import does.


def run_python(code: str, *arguments: str, **environment: str) -> str:
    """Standard output of a fresh Python."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, check=True, env={**os.environ, **environment}, timeout=120,
    ).stdout  # fmt: skip


IMPORTABLE = [name for name in MODULES if find_spec("torch") or not name.startswith("vcd.train.")]
"""Training needs the extra `torch`."""


def test_every_module_can_be_imported() -> None:
    for name in IMPORTABLE:
        importlib.import_module(name)


IMPORT_ALL = """
import importlib, logging, os, signal, sys, threading
import numpy, cv2, PIL.Image, PIL.ImageFile, pyarrow, faiss, av, openvino, rich, typer  # what these do is theirs
def state():
    return (
        logging.root.handlers[:], logging.root.level, dict(os.environ), os.getcwd(), sys.getrecursionlimit(),
        [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)],
        threading.active_count(), cv2.getNumThreads(), PIL.Image.MAX_IMAGE_PIXELS,
        PIL.ImageFile.LOAD_TRUNCATED_IMAGES, sys.excepthook, sys.warnoptions,
    )
before = state()
for name in sys.argv[1:]:
    importlib.import_module(name)
changed = [number for number, (old, new) in enumerate(zip(before, state())) if old != new]
assert not changed, changed
"""


def test_importing_prints_nothing_and_configures_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL, *IMPORTABLE], capture_output=True, text=True, timeout=120
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_command_line_starts_without_anything_heavy() -> None:
    loaded = set(run_python("import sys, vcd.cli.main; print(*sys.modules)").split())

    assert loaded & HEAVY == set()


def test_help_comes_at_once() -> None:
    taken_s = []
    while len(taken_s) < 10 and min(taken_s, default=1.0) >= 0.4:  # the machine may be busy with something else
        begin_s = time.perf_counter()
        run_python("from vcd.cli.main import run; run()", "--help")
        taken_s.append(time.perf_counter() - begin_s)

    assert min(taken_s) < 0.4


def test_nothing_in_the_program_imports_torch_or_the_evaluation_for_a_query(tmp_path: Path, made_film: object) -> None:
    """A torch of our own would leave a trace, in the program or in its workers."""
    assert callable(made_film)
    for package in ("torch", "torchvision"):
        (tmp_path / "fake" / package).mkdir(parents=True)
        (tmp_path / "fake" / package / "__init__.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w')")
    code = (
        "import sys; from vcd.cli.main import app; app(sys.argv[1:4], standalone_mode=False);"
        "sys.stdout.write('evaluated' if 'vcd.evaluate' in sys.modules else 'done')"
    )
    film = str(made_film(2))
    environment = {"PYTHONPATH": f"{tmp_path / 'fake'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    run_python("import torch", **environment)
    (tmp_path / "trace").unlink()
    library = f"--library={tmp_path / 'library'}"

    indexed = run_python(code, "index", film, library, **environment)
    queried = run_python(code, "query", film, library, **environment)

    assert indexed.endswith("done")
    assert queried.endswith("done")
    assert not (tmp_path / "trace").exists()


# --- The commands there are.


def commands(app: object, name: str = "vcd") -> dict[str, set[str]]:
    """The commands of each group, by the group's name."""
    found = {name: set(getattr(app, "commands", {}))}
    for command, group in getattr(app, "commands", {}).items():
        if hasattr(group, "commands"):
            found |= commands(group, f"{name} {command}")
    return found


def test_every_command_of_the_contract_is_there() -> None:
    import typer

    from vcd.cli.main import app

    there = commands(typer.main.get_command(app))
    assert there["vcd"] >= {"index", "query", "compare", "dedupe", "serve", "library", "evaluate", "models", "demo"}
    assert there["vcd library"] >= {"list", "info", "remove", "verify", "compact", "merge", "export", "import"}
    assert there["vcd models"] >= {"list", "info", "fetch", "export"}
