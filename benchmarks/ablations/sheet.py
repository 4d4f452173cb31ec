"""Results -> the tables of the model card."""

from collections.abc import Mapping
from typing import Any

from benchmarks.ablations.scoring import ALL, EDITS
from benchmarks.markdown import markdown_table

TITLES = {
    "pooling": "Pooling of the last maps, whitened",
    "depth": "Depth at which the network is cut, Gaussian R-MAC, whitened",
    "input": "Side of the input",
    "dimension": "Numbers kept of each vector",
    "whitening": "Whitening",
    "normalisation": "Score normalisation",
}


def ablation_sheet(results: Mapping[str, Any]) -> str:
    """One table of what was measured on the shipped network, one of the short trainings where they were run."""
    corpus = results["corpus"]
    parts = []
    if results.get("pooled"):
        rows = [
            [TITLES[name] if not number else "", row["label"], *_numbers(row)]
            for name, table in results["pooled"].items()
            for number, row in enumerate(table)
        ]
        text = (
            "Without training: the shipped network read in other ways. It was trained through a Gaussian R-MAC at its "
            "last block, at 96 and 128 px: this says what it is worth read so, not what one trained so would be."
        )
        parts += [text, markdown_table(["", "", *EDITS, ALL, "micro-AP"], rows)]
    if results.get("trained"):
        recipe = results["trained"]["recipe"]
        text = (
            f"Short trainings from scratch, all of {recipe['steps']} steps of {recipe['pairs']} pairs at "
            f"{recipe['small_px']} px, a network of {'-'.join(map(str, recipe['widths']))} channels with "
            f"{recipe['dimension']} numbers: tiny beside the shipped one. One run each; the recipe with another seed "
            "shows how much is chance."
        )
        rows = [[row["label"], *_numbers(row)] for row in results["trained"]["rows"]]
        parts += [text, markdown_table(["trained", *EDITS, ALL, "micro-AP"], rows)]
    parts.append(
        "Recall at 90 % precision by edit and of all of these in one ranking, and their micro-AP: "
        f"{corpus['copied']} edited pictures and {corpus['foreign']} without an original for each edit, "
        f"{corpus['references']:,} references, a "
        f"background of {corpus['background']:,}. Development pictures (160 px), which the shipped network has seen in "
        "training: figures compare with each other, not with those above. "
        "A few false pairs of flat wallpapers decide "
        "recall at 90 % precision, which jumps; micro-AP is the steadier figure. "
        "Repeat: `python -m benchmarks.ablations`."
    )
    return "\n\n".join(parts)


def _numbers(row: Mapping[str, Any]) -> list[str]:
    recalls = row["recall_at_p90"]
    return [*(f"{recalls[edit]:.2f}" for edit in (*EDITS, ALL)), f"{row['micro_ap']:.2f}"]
