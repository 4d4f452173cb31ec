"""What axe-core, the engine behind Lighthouse's accessibility checks, finds on a page in a real browser."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest


@cache
def _axe() -> str:
    found = find_spec("axe_playwright_python")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs: pip install axe-playwright-python")
    return Path(found.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")


def axe_findings(page: Any) -> list[tuple[str, str, list[str]]]:
    """Rule, its help, and the elements that break it; contrast, names, labels, roles, landmarks, order and more."""
    # By the debugger, not by a script element: the pages' policies allow none but their own.
    page.evaluate(_axe() + ";0")
    found = page.evaluate("async () => (await axe.run(document)).violations")
    return [(rule["id"], rule["help"], [node["html"][:200] for node in rule["nodes"]][:5]) for rule in found]
