"""Find where a video or an image was copied from, to the second.

``vcd.index(...)``, ``vcd.query(...)`` and ``vcd.compare(...)`` are those of `vcd.api`, loaded when they are first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vcd.api import Answer, compare, index, query

__version__ = "0.1.0"
__all__ = ["Answer", "__version__", "compare", "index", "query"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from vcd import api

        return getattr(api, name)
    raise AttributeError(f"module 'vcd' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
