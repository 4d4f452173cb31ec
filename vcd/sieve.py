"""What hashes answer: files that hardly changed, before the network runs, and lists of hashes of elsewhere."""

import logging
from collections.abc import Sequence
from functools import cached_property

from vcd.choose import choose
from vcd.config import Config
from vcd.errors import InputError
from vcd.extract import Extracted, extract_hashes
from vcd.hashes.compute import require_packages
from vcd.hashes.match import MATCHED, HashStore, match_hashes
from vcd.hashes.records import HashList
from vcd.hashes.store import hashed_media, load_lists, load_references, store_hashes
from vcd.library import Library, LibraryWriter, MediaRow
from vcd.library.stores import Place, References, require_folder
from vcd.media import hash_file
from vcd.media.files import MediaPath
from vcd.types import Problem, Progress, Segment, Span, quiet
from vcd.workers import Workers, usable_cores

logger = logging.getLogger(__name__)

NEARLY_ALL = 0.9
"""A query of which a reference holds so much by its hashes needs no closer look, when the settings say so."""


class Sieve:
    """The hashes of one library, for the queries of one run."""

    def __init__(self, library: References, config: Config) -> None:
        """Raises `LibraryDamaged`, and `MissingExtra` when a list is of a kind that cannot be made here."""
        self._library, self._config = library, config
        self._lists = [HashStore(listed) for listed in _lists_of(library)]
        self.kinds = tuple(sorted({store.listed.hashes.kind for store in self._lists}))
        """Of hashes that the lists need of every query."""
        require_packages(self.kinds)

    def match_lists(self, name: str, read: Extracted) -> list[Segment]:
        """What of a query is in a list of elsewhere, as the settings show it."""
        info = read.views[0].info
        found = [match_hashes(read.hashes, name, info, store, self._config) for store in self._lists]
        return choose([segment for some in found for segment in some], self._config)

    def answer_early(self, items: Sequence[MediaPath], pool: Workers) -> tuple[list[Segment], int, list[MediaPath]]:
        """Segments of the files that hashes alone answer, how many files those are, and the others.

        None are answered unless the settings ask for it.
        """
        wanted = self._config.hashes.filter
        found = {} if wanted == "off" else self._same(items)
        if wanted == "near" and self._references is not None:
            rest = [number for number in range(len(items)) if number not in found]
            found |= self._near(items, rest, self._references, pool)
        segments = [segment for some in found.values() for segment in some]
        return segments, len(found), [item for number, item in enumerate(items) if number not in found]

    def _same(self, items: Sequence[MediaPath]) -> dict[int, list[Segment]]:
        """Files with the very bytes of a reference."""
        sizes: dict[int, list[MediaRow]] = {}
        for row in self._library.media:
            sizes.setdefault(row.size_bytes, []).append(row)
        found = {}
        for number, item in enumerate(items):
            try:
                near = sizes.get(item.path.stat().st_size, [])
                content = hash_file(item.path) if near else ""
            except (OSError, InputError):
                continue  # whoever reads it next says why it cannot be
            if same := [_whole(item.given, row) for row in near if row.content_hash == content]:
                found[number] = choose(same, self._config)
        return found

    @cached_property
    def _references(self) -> HashStore | None:
        """The library's own hashes of the first kind, in the order of the settings, that it stores."""
        library = self._library
        folder = library.folder if isinstance(library, Library) else None
        for kind in dict.fromkeys((*self._config.hashes.kinds, *MATCHED)):
            listed = load_references(folder, library.media, kind) if folder and kind in MATCHED else None
            if listed is not None and len(listed):
                require_packages([kind])
                return HashStore(listed)
        logger.warning("%s: stores no hashes; nothing is found by them", self._library.folder)
        return None

    def _near(
        self, items: Sequence[MediaPath], numbers: Sequence[int], store: HashStore, pool: Workers
    ) -> dict[int, list[Segment]]:
        """Files of which a reference shows nearly all, as far as hashes see."""
        media, kinds = self._config.media, (store.listed.hashes.kind,)
        tasks = [(items[n].given, (items[n].path, media, media.query, kinds)) for n in numbers]
        found = {}
        for place, result in pool.map(extract_hashes, tasks):
            if isinstance(result, InputError):
                continue
            info, hashes = result
            segments = choose(
                match_hashes(hashes, items[numbers[place]].given, info, store, self._config), self._config
            )
            if any(s.query_span.length_s >= NEARLY_ALL * info.duration_s for s in segments):
                found[numbers[place]] = segments
        return found


def _whole(name: str, row: MediaRow) -> Segment:
    span = Span(0.0, row.duration_s)
    return Segment(name, row.path, span, span, 1.0, found_by="content")


def require_hashing(place: Place, config: Config) -> None:
    """Raises `LibraryError` or `MissingExtra` where the hashes that the settings ask for cannot be made or kept."""
    if config.hashes.kinds:
        require_folder(place, "perceptual hashes")
        require_packages(config.hashes.kinds)


def hash_unchanged(
    writer: LibraryWriter, names: Sequence[str], config: Config, workers: int | None, progress: Progress = quiet
) -> list[Problem]:
    """Hashes of references that were indexed before anybody asked for them; each is stored when it is done.

    `names` are their stored paths. What cannot be read any more is a problem.
    """
    lacking: dict[int, list[str]] = {}
    for kind in config.hashes.kinds:
        have = hashed_media(writer.catalog, kind)
        for row in writer.media():
            if row.id not in have:
                lacking.setdefault(row.id, []).append(kind)
    rows = [row for row in writer.media() if row.id in lacking and row.path in set(names)]
    if not rows:
        return []
    media, problems = config.media, []
    tasks = [(str(row.file), (row.file, media, media.reference, tuple(lacking[row.id]))) for row in rows]
    with Workers(max(1, min(workers or usable_cores(), len(tasks))), media.timeout_s, media.memory_mb) as pool:
        for number, result in progress(pool.map(extract_hashes, tasks), "hashing references", len(tasks)):
            if isinstance(result, InputError):
                problems.append(Problem(rows[number].path, result.reason))
            else:
                store_hashes(writer, rows[number].id, result[1])
    return problems


def _lists_of(library: References) -> list[HashList]:
    """A database keeps no hashes."""
    return load_lists(library.folder) if isinstance(library, Library) else []


def hash_facts(library: References) -> dict[str, object]:
    """For `vcd library info`: how many references have hashes of each kind, and the lists; empty for a database."""
    if not isinstance(library, Library):
        return {}
    lists = load_lists(library.folder)
    stored = {kind: len(load_references(library.folder, library.media, kind)) for kind in (*MATCHED, "crop-resistant")}
    return {
        "hashes": {kind: count for kind, count in stored.items() if count},
        "hash_lists": [f"{one.name}: {len(one)} entries, {len(one.hashes)} {one.hashes.kind} hashes" for one in lists],
    }
