"""What the stages after the second need to know of the descriptor model."""

from dataclasses import dataclass
from pathlib import Path

from vcd.align import Aligner, Calibration, load_calibration, make_aligner
from vcd.config import Config
from vcd.describe import ModelCard, load_background, load_card
from vcd.errors import LibraryMismatch
from vcd.search import Background


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The descriptor model that a configuration names, without its weights."""

    card: ModelCard
    calibration: Calibration
    background: Background | None
    aligner: Aligner

    @classmethod
    def of(cls, config: Config) -> "Model":
        card = load_card(config.describe.model)
        calibration = load_calibration(card.name, card.unrelated_similarity)
        background = load_background(card)
        return cls(
            card,
            calibration,
            Background.of(background, card.background_similarity) if len(background) else None,
            make_aligner(config.align, calibration.unrelated_similarity),
        )

    def require(self, identity: str, folder: Path | str) -> None:
        """Raises `LibraryMismatch` unless the library in the folder was made with this very model."""
        if identity != self.card.identity:
            raise LibraryMismatch(
                f"{folder}: the library was made with model {identity}, not with {self.card.identity}, which the "
                "settings name; set describe.model to the library's model, or index the media again into another folder"
            )

    @property
    def made_with(self) -> dict[str, object]:
        return {"model": self.card.identity, "scores": "calibrated" if self.calibration.own else "not calibrated"}
