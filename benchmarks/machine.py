"""Where a result comes from: the machine, the versions, the commit."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("av", "faiss-cpu", "numpy", "onnxruntime", "opencv-python-headless", "pyarrow", "vcd")


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def machine_facts() -> dict[str, object]:
    """What the machine is; null where it does not say."""
    return {
        "cpu": _first_match(Path("/proc/cpuinfo"), r"model name\s*: (.+)") or platform.machine(),
        "cores": usable_cores(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def load_average() -> list[float]:
    """Processes that wanted a core, averaged over the last 1, 5 and 15 minutes."""
    return [round(load, 2) for load in os.getloadavg()]


def package_versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    return {name: version(name) for name in packages}


def git_commit(root: Path = ROOT) -> dict[str, object]:
    """The commit that is checked out, and whether tracked files outside the results differ from it."""
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ":/", ":(exclude)benchmarks/results")
    return {"commit": commit, "changed": None if changes is None else bool(changes)}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _first_match(path: Path, pattern: str) -> str | None:
    try:
        found = re.search(pattern, path.read_text(encoding="utf-8"))
    except OSError:
        return None
    return found[1].strip() if found else None
