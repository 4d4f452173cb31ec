"""A describer and a corpus -> a table by edit."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.images.corpus import Corpus, default_cache, default_data, make_corpus, standard_plan
from benchmarks.images.rerank import Reranker
from benchmarks.images.scores import Matrix, Score, nearest_bias, score
from benchmarks.images.stored import Item, in_batches
from benchmarks.images.views import Views, doubts
from vcd.search import Background
from vcd.types import Picture

BATCH = 32
ALL = "all edits"
NORMALISED_BY = "the model's own background, else the nearest of the corpus's"


class Describes(Protocol):
    """What is measured: every `vcd.describe.Describer`, and the peers."""

    def describe(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """float32 (N, D); the dot product of two rows says how alike the pictures look."""
        ...


Tell = Callable[[str], None]
Bias = Callable[[Matrix], NDArray[np.float32]]
"""float32 (N, D), vectors of queries -> (N,), what is taken off their similarities."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What was found for one describer."""

    by_edit: dict[str, Score]
    reranked: dict[str, Score]
    """The normalised scores, ordered anew by local features; empty when that was not asked for."""
    normalised: dict[str, Score]
    """With score normalisation; empty when neither the model nor the corpus has a background."""
    microseconds: float
    """To describe a picture, median of the batches, without decoding it."""
    dimension: int
    nonzeros: float
    """Of a reference's vector, on average."""

    def table(self) -> dict[str, dict[str, dict[str, float]]]:
        """As the results keep it: plain and normalised scores, by edit."""
        kinds = {"plain": self.by_edit, "normalised": self.normalised, "reranked": self.reranked}
        return {
            kind: {edit: found.rounded() for edit, found in table.items()} for kind, table in kinds.items() if table
        }


def score_describer(
    describer: Describes, corpus: Corpus | None = None, views: Views | None = None, tell: Tell = lambda _: None
) -> dict[str, dict[str, dict[str, float]]]:
    """``{"plain" or "normalised": {edit: {"micro_ap", "rank_1", "recall_at_p90"}}}`` on the standard corpus."""
    if corpus is None:
        corpus = make_corpus(standard_plan(default_data()), default_cache(), tell)
    return measure(describer, corpus, views, tell).table()


def measure(
    describer: Describes,
    corpus: Corpus,
    views: Views | None = None,
    tell: Tell = lambda _: None,
    reranker: Reranker | None = None,
) -> Measured:
    """Describe all pictures of the corpus and score them; holds vectors and one batch of pictures."""
    batch_us: list[float] = []
    references = _describe(describer, corpus.references(), batch_us)
    bias = _bias(describer, corpus, batch_us)
    plain, fair, again = {}, {}, {}
    for edit in corpus.edits:
        tell(f"  {edit}")
        plain[edit], found = _similarities(describer, corpus.queries(edit), views, references, bias, batch_us)
        if found is not None:
            fair[edit] = found
        if reranker is not None:
            again[edit] = reranker.rerank(corpus.queries(edit), plain[edit] if found is None else found)
    return Measured(
        by_edit=_scores(plain, corpus.copied),
        normalised=_scores(fair, corpus.copied),
        reranked=_scores(again, corpus.copied),
        microseconds=float(np.median(batch_us)),
        dimension=references.shape[1],
        nonzeros=float(np.count_nonzero(references) / len(references)),
    )


def _scores(tables: dict[str, Matrix], copied: int) -> dict[str, Score]:
    """By edit, and of all queries in one ranking: one threshold has to serve them all."""
    rows = [np.where(np.arange(len(table)) < copied, np.arange(len(table)), -1) for table in tables.values()]
    found = {edit: score(table, right) for (edit, table), right in zip(tables.items(), rows, strict=True)}
    return found | ({ALL: score(np.concatenate([*tables.values()]), np.concatenate(rows))} if len(tables) > 1 else {})


def _similarities(
    describer: Describes,
    queries: Sequence[Item],
    views: Views | None,
    references: Matrix,
    bias: Bias | None,
    batch_us: list[float],
) -> tuple[Matrix, Matrix | None]:
    """float32 (Q, R): the best of each query's views, as they are and normalised (each view by itself)."""
    plain = np.full((len(queries), len(references)), -np.inf, dtype=np.float32)
    fair = plain.copy()
    for rows, doubt, vectors in _describe_views(describer, queries, views, batch_us):
        found = vectors @ references.T - doubt[:, None]
        np.maximum.at(plain, rows, found)
        if bias is not None:
            np.maximum.at(fair, rows, found - bias(vectors)[:, None])
    return plain, (fair if bias is not None else None)


def _bias(describer: Describes, corpus: Corpus, batch_us: list[float]) -> Bias | None:
    """What the model's own background says, as the product does it; else the nearest of the corpus's background."""
    own = getattr(describer, "background", None)
    if own is not None and len(own):
        return Background.of(np.asarray(own, dtype=np.float32)).bias
    if not corpus.backgrounds:
        return None
    background = _describe(describer, corpus.background(), batch_us)
    return lambda vectors: nearest_bias(vectors @ background.T)


def _describe_views(
    describer: Describes, queries: Sequence[Item], views: Views | None, batch_us: list[float]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32], Matrix]]:
    """Numbers of queries, and doubts and vectors of their views; in batches across queries."""

    def all_views() -> Iterator[tuple[int, float, Picture]]:
        row = 0
        for pictures in in_batches(queries, BATCH):
            for picture in pictures:
                seen = list(views(picture)) if views else [picture]
                yield from zip([row] * len(seen), doubts(views, seen) if views else [0.0], seen, strict=True)
                row += 1

    stream = all_views()
    while group := list(islice(stream, BATCH)):
        rows, doubt, seen = zip(*group, strict=True)
        yield np.array(rows), np.array(doubt, dtype=np.float32), _timed(describer, list(seen), batch_us)


def _describe(describer: Describes, items: Sequence[Item], batch_us: list[float]) -> Matrix:
    return np.concatenate([_timed(describer, pictures, batch_us) for pictures in in_batches(items, BATCH)])


def _timed(describer: Describes, pictures: Sequence[Picture], batch_us: list[float]) -> Matrix:
    begin = time.perf_counter()
    vectors = describer.describe(pictures)
    batch_us.append((time.perf_counter() - begin) * 1e6 / len(pictures))
    return vectors
