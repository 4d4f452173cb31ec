"""Every file of a corpus decoded once, described by every model, kept for every method."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.machine import usable_cores
from benchmarks.peers.extract import Reading, read_file
from benchmarks.peers.models import PEER_MODELS
from benchmarks.peers.store import save_descriptors
from benchmarks.results import write_results
from benchmarks.videos.ask import Places
from benchmarks.videos.folder import Corpus
from vcd.config import Config, SampleConfig, load_config
from vcd.errors import InputError
from vcd.types import Descriptors
from vcd.workers import Workers

SAMPLINGS: Mapping[str, Callable[[Config], SampleConfig]] = {
    "default": lambda config: config.media.query,
    "iframe": lambda _: SampleConfig(mode="iframe"),
}
"""Of queries; films are sampled as the default preset samples references."""
PICTURES_PER_FILM = 30
"""For the visual words."""
FACTS = "facts.json"
TIMEOUT_S = 7200.0
"""For one file, or one method over all queries."""


class UnreadableCorpus(RuntimeError):
    """A file of the corpus, which has just been made, cannot be read."""


def extract_all(corpus: Corpus, places: Places, tell: Callable[[str], None]) -> dict[str, Any]:
    """Write `Places.views` of all that `benchmarks.videos.methods` needs; returns what each step took.

    Done once: when the facts are there, all is.
    """
    done = places.descriptors / FACTS
    if done.exists():
        facts: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        return facts
    places.descriptors.mkdir(parents=True, exist_ok=True)
    default, fast = load_config("default"), load_config("fast")
    own, peers = [default.describe.model], list(PEER_MODELS)
    jobs = {
        "films-default": (corpus.films, default, default.media.reference, peers, False),
        "queries-default": (corpus.queries, default, SAMPLINGS["default"](default), own + peers, True),
        "queries-iframe": (corpus.queries, fast, SAMPLINGS["iframe"](fast), [fast.describe.model], False),
    }
    facts = {}
    for side, (paths, config, sample, models, mirrored) in jobs.items():
        tell(f"decoding {len(paths)} files for {', '.join(models)}")
        arguments = (config.media, sample, models, mirrored)
        readings = read_all([(path.name, (path, *arguments)) for path in paths])
        for model in models:
            save_descriptors(places.views(side, model), [view for reading in readings for view in reading.views[model]])
        facts[side] = _cost(readings, models)
    write_results(done, facts)
    return facts


def read_all(tasks: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Reading]:
    """In the order of the tasks; raises `UnreadableCorpus`."""
    return in_order(read_file, tasks)


def in_order(function: Callable[..., Any], tasks: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Any]:
    """All results of `run_each`, in the order of the tasks."""
    return [result for _, result in sorted(run_each(function, tasks), key=lambda item: item[0])]


def run_each(function: Callable[..., Any], tasks: Sequence[tuple[str, tuple[Any, ...]]]) -> Iterator[tuple[int, Any]]:
    """Number and result of each task as it is done, in processes of their own."""
    if not tasks:
        return
    with Workers(min(usable_cores(), len(tasks)), timeout_s=TIMEOUT_S) as pool:
        for number, result in pool.map(function, tasks):
            if isinstance(result, InputError):
                raise UnreadableCorpus(str(result))
            yield number, result


def _cost(readings: Sequence[Reading], models: Sequence[str]) -> dict[str, Any]:
    """Processor seconds for the hour of video, and how much video there was."""
    described: dict[str, float] = defaultdict(float)
    for reading in readings:
        for model in models:
            described[model] += reading.describe_s[model]
    views: list[Descriptors] = [reading.views[models[0]][0] for reading in readings]
    hours = sum(view.info.duration_s for view in views) / 3600
    return {
        "hours": hours,
        "frames": sum(map(len, views)),
        "decode_s_per_hour": sum(reading.decode_s for reading in readings) / hours,
        "describe_s_per_hour": {model: took_s / hours for model, took_s in described.items()},
    }
