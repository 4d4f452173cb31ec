"""A library in PostgreSQL with pgvector: catalog and vectors in one database, every change one transaction.

All is in the schema `vcd` of the database: `settings`, `media`, `frames` (a row each, vector in half precision) and
`problems`. The index of the frames (HNSW) is PostgreSQL's own, and as current as the rows.
"""

import hashlib
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vcd.config import LibraryConfig
from vcd.errors import ConfigError, LibraryDamaged, LibraryError, LibraryMismatch, LibraryMissing, MissingExtra
from vcd.library.records import MediaRow
from vcd.library.stores.halfvec import from_binary, to_text
from vcd.types import Descriptors, Neighbours

if TYPE_CHECKING:
    import psycopg

FORMAT = 1
LEAST_PGVECTOR = (0, 8)
"""The first with iterative scans, without which an index gives fewer than k."""
CONNECT_S = 10
QUERIES_AT_ONCE = 256
COLUMNS = tuple(name for name in MediaRow.__slots__ if name not in ("id", "part_id", "first_row"))
"""Of `media`, beside its id and the checksum of its frames."""


def connect(address: str) -> "psycopg.Connection[Any]":
    """A connection without a transaction; raises `MissingExtra` and `LibraryError`."""
    try:
        import psycopg
    except ImportError as error:
        raise MissingExtra("psycopg", "pgvector") from error
    try:
        if psycopg.conninfo.conninfo_to_dict(address).get("password"):
            raise LibraryError(
                "an address with a password would be seen by others and written into results; "
                "leave it out, and put it into ~/.pgpass or the variable PGPASSWORD"
            )
        return psycopg.connect(address, connect_timeout=CONNECT_S, application_name="vcd", autocommit=True)
    except psycopg.Error as error:
        raise LibraryError(f"{address}: cannot be connected to: {_line(error)}") from error


@contextmanager
def explained(address: str) -> Iterator[None]:
    """Turn what the server says, or its silence, into a `LibraryError`."""
    import psycopg

    try:
        yield
    except (psycopg.errors.IntegrityError, psycopg.errors.SyntaxError):
        raise  # a fault of this program
    except psycopg.errors.LockNotAvailable as error:
        raise LibraryError(f"{address}: another process keeps it locked; try again when that is done") from error
    except psycopg.Error as error:
        raise LibraryError(
            f"{address}: {_line(error)}; what was committed is kept, run the same command again when that is mended"
        ) from error


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def is_there(address: str) -> bool:
    """Whether the database holds a library."""
    with connect(address) as db, explained(address):
        return _has_tables(db)


def _has_tables(db: "psycopg.Connection[Any]") -> bool:
    row = db.execute("SELECT to_regclass('vcd.settings') IS NOT NULL").fetchone()
    return bool(row and row[0])


def read_settings(db: "psycopg.Connection[Any]", address: str) -> dict[str, Any]:
    """Raises `LibraryMissing`, `LibraryMismatch` for another format, `LibraryError` for a pgvector that is too old."""
    if not _has_tables(db):
        raise LibraryMissing(f"{address}: there is no library here; make one with: vcd index PATH --library {address}")
    settings = dict(db.execute("SELECT key, value FROM vcd.settings").fetchall())
    if settings.get("format") != FORMAT:
        raise LibraryMismatch(
            f"{address}: the library is of format {settings.get('format')}, this vcd reads format {FORMAT}; "
            "use the vcd that made it, or index the media again into another database"
        )
    version = db.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
    if version is None or tuple(int(part) for part in version[0].split(".")[:2]) < LEAST_PGVECTOR:
        least = ".".join(map(str, LEAST_PGVECTOR))
        raise LibraryError(f"{address}: needs pgvector {least} or newer, not {version and version[0]}")
    return settings


def read_media(db: "psycopg.Connection[Any]") -> list[MediaRow]:
    """Sorted by path."""
    rows = db.execute(f"SELECT id, {', '.join(COLUMNS)} FROM vcd.media").fetchall()
    media = [MediaRow(id=row[0], part_id=0, first_row=0, **dict(zip(COLUMNS, row[1:], strict=True))) for row in rows]
    return sorted(media, key=lambda row: row.path)


def require_index(config: LibraryConfig) -> None:
    """Raises `ConfigError` for an index that PostgreSQL does not have; auto is hnsw there."""
    if config.index not in ("auto", "hnsw", "exact"):
        raise ConfigError(f"library.index {config.index} is not there in PostgreSQL; set it to auto, hnsw or exact")


def checksum(times_s: NDArray[np.float64], vectors: NDArray[np.float16], quality: NDArray[np.float32]) -> str:
    """SHA-256 of a reference's frames."""
    columns = times_s.astype("<f8"), vectors.astype("<f2"), quality.astype("<f4")
    return hashlib.sha256(b"".join(column.tobytes() for column in columns)).hexdigest()


class PostgresLibrary:
    """The library as it was when it was opened, in one transaction that only reads."""

    def __init__(self, address: str, config: LibraryConfig) -> None:
        """Raises a `LibraryError` that says what to do, `ConfigError` for an index that is not there."""
        require_index(config)
        self.folder = address
        self._exact = config.index == "exact"
        self._db = connect(address)
        weakref.finalize(self, self._db.close)
        with explained(address):
            self._set_up(config)
            self.settings = read_settings(self._db, address)
            self._media = {row.id: row for row in read_media(self._db)}

    def _set_up(self, config: LibraryConfig) -> None:
        for name, value in {
            "hnsw.ef_search": str(min(config.effort_search, 1000)),
            "hnsw.iterative_scan": "strict_order",
            "jit": "off",
        }.items():
            self._db.execute("SELECT set_config(%s, %s, false)", (name, value))
        self._db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    @property
    def model(self) -> str:
        return str(self.settings["model"])

    @property
    def dimension(self) -> int:
        return int(self.settings["dimension"])

    @property
    def media(self) -> list[MediaRow]:
        return list(self._media.values())

    def __len__(self) -> int:
        return len(self._media)

    def row(self, media_id: int) -> MediaRow:
        return self._media[media_id]

    def nearest(self, queries: NDArray[np.float32], k: int) -> Neighbours:
        """As `Library.nearest`: similarities of queries as they are with vectors in half precision."""
        shape = len(queries), k
        ids, times_s = np.full(shape, -1, dtype=np.int64), np.zeros(shape)
        similarities = np.full(shape, -1, dtype=np.float32)
        for first in range(0, len(queries), QUERIES_AT_ONCE):
            found = self._search(queries[first : first + QUERIES_AT_ONCE], k)
            numbers = first + found["number"] - 1
            order = np.lexsort((found["time_s"], found["media_id"], -found["similarity"], numbers))
            found, numbers = found[order], numbers[order]
            places = np.arange(len(found)) - np.searchsorted(numbers, numbers)
            ids[numbers, places], times_s[numbers, places] = found["media_id"], found["time_s"]
            similarities[numbers, places] = found["similarity"]
        return Neighbours(ids, times_s, similarities)

    @property
    def search_sql(self) -> str:
        """Parameters: the queries as text, twice, and k."""
        by = "f.vector::vector <#> q.full_" if self._exact else "f.vector <#> q.half"
        return f"""SELECT q.number, n.* FROM unnest(%s::text[]::halfvec({self.dimension})[], %s::text[]::vector[])
            WITH ORDINALITY AS q (half, full_, number) CROSS JOIN LATERAL (
                SELECT f.media_id, f.time_s, -(f.vector::vector <#> q.full_) AS similarity
                FROM vcd.frames f ORDER BY {by} LIMIT %s) n"""

    def _search(self, queries: NDArray[np.float32], k: int) -> NDArray[np.void]:
        """The index orders by queries in half precision; similarities are those of the queries as they are."""
        texts = to_text(queries)
        with explained(self.folder):
            rows = self._db.execute(self.search_sql, (texts, texts, k), binary=True).fetchall()
        columns = [("number", "i8"), ("media_id", "i8"), ("time_s", "f8"), ("similarity", "f8")]
        return np.array(rows, dtype=columns)

    def descriptors(self, media_id: int) -> Descriptors:
        row = self._media[media_id]
        with explained(self.folder):
            times_s, vectors, quality, _ = read_frames(self._db, media_id, self.dimension)
        if len(times_s) != row.frames:
            raise LibraryDamaged(
                f"{self.folder}: does not hold the {row.frames} frames of {row.path}; "
                f"to see how to mend it, run: vcd library verify --library {self.folder}"
            )
        return Descriptors(row.path, row.info, times_s, vectors.astype(np.float32), quality)

    def problems(self) -> list[tuple[str, str]]:
        with explained(self.folder):
            rows = self._db.execute("SELECT path, reason FROM vcd.problems ORDER BY path").fetchall()
        return [(path, reason) for path, reason in rows]

    def frames_not_in_index(self) -> int:
        """All, until the first `vcd index` has ended."""
        with explained(self.folder):
            there = self._db.execute("SELECT to_regclass('vcd.frames_vector') IS NOT NULL").fetchone()
        return 0 if there and there[0] else sum(row.frames for row in self.media)

    def load(self) -> None:
        """Nothing to do: the server has it."""

    def size_bytes(self) -> int:
        with explained(self.folder):
            query = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = 'vcd'::regnamespace"
            row = self._db.execute(f"{query} AND relkind = 'r'").fetchone()
        return int(row[0]) if row else 0

    def checksum_of(self, media_id: int) -> tuple[str, str]:
        """Of a reference's frames: as it was written down, and as they are. Raises `ValueError` for wrong vectors."""
        with explained(self.folder):
            times_s, vectors, quality, noted = read_frames(self._db, media_id, self.dimension)
        return noted, checksum(times_s, vectors, quality)


def read_frames(
    db: "psycopg.Connection[Any]", media_id: int, dimension: int
) -> tuple[NDArray[np.float64], NDArray[np.float16], NDArray[np.float32], str]:
    """Times, vectors and quality of a reference in order, and the checksum noted with it."""
    rows = db.execute(
        "SELECT time_s, vector, quality FROM vcd.frames WHERE media_id = %s ORDER BY number", (media_id,), binary=True
    ).fetchall()
    noted = db.execute("SELECT frames_sha256 FROM vcd.media WHERE id = %s", (media_id,)).fetchone()
    times_s = np.array([row[0] for row in rows], dtype=np.float64)
    vectors = from_binary([row[1] for row in rows], dimension)
    return times_s, vectors, np.array([row[2] for row in rows], dtype=np.float32), noted[0] if noted else ""
