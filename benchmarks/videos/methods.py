"""What is compared: which model describes, what is searched, which aligner finds the stretches."""

from collections.abc import Mapping
from dataclasses import dataclass

from vcd.align import ALIGNERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way to find copies, put together of parts."""

    label: str
    """For people, in tables and plots."""
    model: str | None = None
    """A peer's describer; None: vcd's own."""
    index: str | None = None
    """None: by comparing with all; else through vcd's library with that index."""
    aligner: str = "vote"
    reference_rule: str = "votes"
    """votes: vcd's. lecture: the rule set of a contest entry, on I-frames."""
    candidates: int | None = None
    """References aligned at most; None: as vcd is set."""
    slow: bool = False
    """Left out of the quick run."""

    @property
    def preset(self) -> str:
        """Whose settings and library are used: the lecture's rules are about I-frames, which `fast` looks at."""
        return "fast" if self.reference_rule == "lecture" else "default"

    @property
    def sampling(self) -> str:
        """How queries are sampled: an entry of `benchmarks.videos.extract.SAMPLINGS`."""
        return "iframe" if self.reference_rule == "lecture" else "default"


METHODS: Mapping[str, Method] = {
    "vcd-samples": Method(label="vcd, ends from samples", index="hnsw"),
    "exact-search": Method(label="vcd, brute-force search", index="exact"),
    "phash": Method(label="pHash + vcd's voting", model="phash"),
    "pdq": Method(label="PDQ + vcd's voting", model="pdq"),
    "colour-histogram": Method(label="colour histogram + vcd's voting", model="colour-histogram"),
    "sift-words": Method(label="SIFT words + vcd's voting", model="sift-words"),
    "temporal-network": Method(label="temporal network", index="exact", aligner="temporal-network"),
    "hough": Method(label="Hough", index="exact", aligner="hough"),
    "dynamic-programming": Method(label="dynamic programming", index="exact", aligner="dynamic-programming"),
    "extrapolation": Method(label="extrapolation", index="exact", aligner="extrapolation"),
    "exhaustive": Method(
        label="exhaustive scan, best reference only", index="exact", aligner="exhaustive", candidates=1, slow=True
    ),
    "lecture": Method(label="lecture's rule set", index="exact", aligner="extrapolation", reference_rule="lecture"),
}
"""All but the product itself (`benchmarks.videos.product`) and vPDQ, which is no such combination."""

ALIGNER_METHODS = ("exact-search", *(name for name in METHODS if name in ALIGNERS))
"""Methods that differ in nothing but the aligner."""
