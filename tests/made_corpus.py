"""A tiny corpus with known truth, in the format of `benchmarks.corpus`."""

from pathlib import Path

import numpy as np

from tests.made import change_every, make_video, reencode, steady

HEADER = "query,reference,q_start,q_end,r_start,r_end,edit,strength\n"


def make_corpus(root: Path) -> Path:
    """Two references of 40 s, two distractors, a copy that is darkened, one that is shrunk, and a query of its own."""
    for part in ("references", "distractors", "queries"):
        (root / part).mkdir(parents=True)
    for number, name in enumerate(
        ("references/one.mp4", "references/two.mp4", "distractors/x.mp4", "distractors/y.mp4")
    ):
        make_video(root / name, steady(40, 5), change_every(2, 100 * number), size=(160, 90))
    make_video(root / "queries" / "foreign.mp4", steady(24, 5), change_every(2, 900), size=(160, 90))
    one, two = root / "references" / "one.mp4", root / "references" / "two.mp4"
    reencode(one, root / "queries" / "dark.mp4", 8, 28, edit=lambda picture: (picture * 0.8).astype(np.uint8))
    reencode(two, root / "queries" / "small.mp4", 10, 34, size=(120, 68))
    rows = ["dark.mp4,one.mp4,0,20,8,28,brightness,mild", "small.mp4,two.mp4,0,24,10,34,resolution,hard",
            "foreign.mp4,,,,,,none,"]  # fmt: skip
    (root / "truth.csv").write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    (root / "corpus.json").write_text('{"split": "dev"}', encoding="utf-8")
    return root
