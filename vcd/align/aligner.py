"""What every aligner must do; the contract test runs over all of them."""

from typing import Protocol

from vcd.types import Descriptors, FrameMatches, Segment


class Aligner(Protocol):
    """Finds the stretches that a query shares with one reference."""

    def align(self, query: Descriptors, reference: Descriptors, matches: FrameMatches) -> list[Segment]:
        """Segments by falling score, none of whose query spans cover another's on the same line."""
        ...
