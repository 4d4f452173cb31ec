"""What the stages after the second need to know of the descriptor model."""

from dataclasses import dataclass

from vcd.align import Aligner, Calibration, load_calibration, make_aligner
from vcd.config import Config
from vcd.describe import ModelCard, load_background, load_card
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

    @property
    def made_with(self) -> dict[str, object]:
        return {"model": self.card.identity, "scores": "calibrated" if self.calibration.own else "not calibrated"}
