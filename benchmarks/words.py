"""How the vocabulary of visual words that comes with vcd was learned, and how many words there should be.

    python -m benchmarks.words [--pictures PLACE] [--words N] [--output FILE.npz]

Prints the elbow report; with --output it writes the vocabulary, and its model card beside it.
"""

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.images.corpus import default_data
from benchmarks.images.stored import read_items
from benchmarks.markdown import markdown_table
from vcd.describe.card import ModelCard
from vcd.describe.export import card_toml
from vcd.describe.words import Vocabulary, elbow
from vcd.local.features import find_sift

PICTURES, SAMPLE, SEED = 1800, 60_000, 0
COUNTS = (64, 256, 1024, 2048, 4096)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.words", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=Path, default=default_data() / "train", metavar="PLACE")
    parser.add_argument("--words", type=int, default=2048)
    parser.add_argument("--counts", type=int, nargs="+", default=list(COUNTS), help="for the elbow report")
    parser.add_argument("--output", type=Path, metavar="FILE.npz")
    options = parser.parse_args(arguments)
    items = read_items(options.pictures)
    chosen = np.random.default_rng(SEED).permutation(len(items))[:PICTURES]
    found = [features for row in chosen if len(features := find_sift(items[row].picture(), None))]
    together = np.concatenate([features.vectors for features in found])
    sample = together[np.random.default_rng(SEED).permutation(len(together))[:SAMPLE]]
    distances, best = elbow(sample, options.counts)
    rows = [[str(count), f"{distance:.3f}", "elbow" if count == best else ""] for count, distance in distances.items()]
    print(markdown_table(["words", "mean squared distance", ""], rows))
    if options.output:
        vocabulary = Vocabulary.learn(found, options.words)
        vocabulary.save(options.output)
        vectors, half = vocabulary.vectors(found), len(found) // 2
        unrelated = float(np.quantile(vectors[:half] @ vectors[half : 2 * half].T, 0.99))
        options.output.with_suffix(".toml").write_text(_card(options.output, options.words, unrelated))


def _card(path: Path, words: int, unrelated: float) -> str:
    return card_toml(
        ModelCard(
            name=path.stem,
            dimension=words,
            unrelated_similarity=round(unrelated, 3),
            description=f"SIFT and a bag of {words} visual words with tf-idf; features on text weigh a tenth.",
            licence="Apache-2.0",
            source=f"learned by vcd from {PICTURES} training pictures",
            weights=path.name,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        )
    )


if __name__ == "__main__":
    main()
