"""A corpus folder -> a library of its references and the descriptors of its queries, both kept between runs."""

import pickle
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from vcd import pipeline
from vcd.config import Config
from vcd.describe import load_card
from vcd.errors import InputError
from vcd.evaluate import Truth, read_truth
from vcd.extract import extract
from vcd.library import Library
from vcd.media import find_media
from vcd.media.files import MediaPath
from vcd.types import Descriptors
from vcd.workers import Workers


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A corpus, read."""

    folder: Path
    library: Library
    queries: dict[str, list[Descriptors]]
    """The views of each query, by its name in the truth."""
    truth: Truth
    kept: Path
    """Where what was read is kept."""

    @property
    def query_minutes(self) -> float:
        return sum(views[0].info.duration_s for views in self.queries.values()) / 60

    @property
    def reference_hours(self) -> float:
        return sum(row.info.duration_s for row in self.library.media) / 3600

    def query_path(self, name: str) -> Path:
        return self.folder / "queries" / name


def read_corpus(folder: Path, config: Config, keep: Path, workers: int | None = None) -> Read:
    """Reads what is not in `keep` yet; a file that cannot be read ends it, for it would be another corpus."""
    card = load_card(config.describe.model)
    shaping = repr((card.identity, asdict(config.media), asdict(config.describe)))
    which = sha256((folder / "truth.csv").read_bytes()).hexdigest()[:8]
    kept = keep / f"{folder.name}-{which}" / f"{card.name}-{sha256(shaping.encode()).hexdigest()[:12]}"
    kept.mkdir(parents=True, exist_ok=True)
    # A few thousand frames: exact search, so that a check says nothing about an index.
    config = replace(config, library=replace(config.library, index="exact"))
    done = pipeline.index([folder / "references", folder / "distractors"], kept / "library", config, workers)
    if done.problems:
        raise InputError(done.problems[0].path, done.problems[0].reason)
    truth = read_truth(folder / "truth.csv")
    queries = _read_queries(folder / "queries", kept / "queries", config, workers)
    if missing := truth.queries() - queries.keys():
        raise InputError(folder / "queries" / min(missing), "is in the truth, but not there")
    return Read(folder, Library(kept / "library", config.library), queries, truth, kept)


def _read_queries(folder: Path, kept: Path, config: Config, workers: int | None) -> dict[str, list[Descriptors]]:
    kept.mkdir(exist_ok=True)
    items = [item for item in find_media([folder]) if isinstance(item, MediaPath)]
    missing = [item for item in items if not _kept_file(kept, item).exists()]
    tasks = [pipeline.query_task(item, config) for item in missing]
    with Workers(pipeline.worker_count(workers, len(tasks)), config.media.timeout_s, config.media.memory_mb) as pool:
        for number, result in pool.map(extract, tasks):
            if isinstance(result, InputError):
                raise result
            file = _kept_file(kept, missing[number])
            partial = file.with_suffix(".part")
            partial.write_bytes(pickle.dumps(result.views))
            partial.rename(file)
    found = {item: pickle.loads(_kept_file(kept, item).read_bytes()) for item in items}
    return {item.path.name: [replace(view, name=item.path.name) for view in views] for item, views in found.items()}


def _kept_file(kept: Path, item: MediaPath) -> Path:
    stat = item.path.stat()
    return kept / f"{item.path.name}-{stat.st_size}-{stat.st_mtime_ns}.pickle"
