"""Does everything in a PostgreSQL library fit together?"""

import shlex
from collections.abc import Iterator

import numpy as np

from vcd.config import LibraryConfig
from vcd.errors import LibraryDamaged
from vcd.library.records import MediaRow
from vcd.library.stores.postgres import PostgresLibrary

SAMPLE = 200
"""At least so many references, if there are, are looked up in the index."""
MIN_RECALL = 0.95
ROUNDING = 0.01


def check_postgres(address: str, config: LibraryConfig) -> list[str]:
    """All findings, each one sentence with what to do; empty when the library is sound. Reads every frame."""
    library = PostgresLibrary(address, config)
    return [*_check_frames(library), *_check_index(library)]


def _check_frames(library: PostgresLibrary) -> Iterator[str]:
    for row in library.media:
        try:
            noted, found = library.checksum_of(row.id)
            sound = noted == found
        except ValueError:
            sound = False
        if not sound:
            place = f"--library {shlex.quote(library.folder)}"
            yield (
                f"{library.folder}: the frames of {row.path} are not those that were written; mend it with: "
                f"vcd library remove {shlex.quote(row.path)} {place} && "
                f"cd {shlex.quote(row.root)} && vcd index {shlex.quote(row.path)} {place}"
            )


def _check_index(library: PostgresLibrary) -> Iterator[str]:
    """The middle vector of a sample of references must find itself."""
    asked = found = 0
    for row in library.media[:: max(1, len(library) // SAMPLE)]:
        vector = _middle(library, row)
        if vector.any():
            similarities = library.nearest(vector, 1).similarities
            asked += 1
            found += int(similarities[0, 0] >= float(vector[0] @ vector[0]) - ROUNDING)
    if asked and found / asked < MIN_RECALL:
        yield (
            f"{library.folder}: the index finds only {found} of {asked} stored vectors; mend it in the database with: "
            "REINDEX INDEX vcd.frames_vector"
        )


def _middle(library: PostgresLibrary, row: MediaRow) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """float32 (1, D); (0, D) where its frames are damaged, which is told elsewhere."""
    try:
        vectors = library.descriptors(row.id).vectors
    except (LibraryDamaged, ValueError):
        return np.zeros((0, library.dimension), dtype=np.float32)
    return vectors[len(vectors) // 2 :][:1]
