"""Stage 3: `Descriptors` -> a folder that survives; its nearest frames for a query.

`catalog` (SQLite) is the only commit point; `parts` (Parquet) hold the vectors; `index` (FAISS) is derived and can
be deleted. `library` reads, `writer` adds and removes, `check` verifies.
"""

from vcd.library.catalog import is_library
from vcd.library.check import check_library
from vcd.library.library import Library
from vcd.library.records import MediaRow
from vcd.library.writer import LibraryWriter

__all__ = ["Library", "LibraryWriter", "MediaRow", "check_library", "is_library"]
