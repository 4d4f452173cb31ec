"""Evidence -> sentences that a person can weigh."""

import numpy as np

from vcd.report.exhibit import Changes
from vcd.types import WHOLE, Evidence, Geometry, Segment


def verdict(score: float) -> str:
    """What a probability means."""
    steps = ((0.95, "almost certainly a copy"), (0.8, "probably a copy"), (0.5, "perhaps a copy"))
    return next((words for least, words in steps if score >= least), "hardly a copy")


def explain(segment: Segment) -> list[str]:
    """Why the score is what it is, most important first."""
    sentences = _say_evidence(segment.evidence) if segment.evidence else []
    sentences += _say_play(segment)
    sentences.append(_say_geometry(segment.geometry, segment.verified))
    if segment.query_span.length_s:
        sentences.append(
            "Both ends were found by decoding the files around them." if segment.refined
            else "The ends are rough: they lie between two sampled frames."
        )  # fmt: skip
    return sentences


def _say_evidence(evidence: Evidence) -> list[str]:
    alike = f"{_percent(evidence.margin)} of the way from unrelated to identical pictures"
    if evidence.still:
        return [f"One side is a still picture; the pair stands {alike}.", *_say_rarity(evidence.rarity)]
    shots = max(1, round(float(np.exp(evidence.log_shots)) - 1))
    sentences = [
        f"{_percent(evidence.coverage)} of the frames in this stretch look like those of the reference.",
        f"A typical frame stands {alike}, and nine of ten stand at {_percent(evidence.low_margin)} or more.",
        "All of it is one shot: little variety, so little proof."
        if shots == 1
        else f"It holds over {shots} different shots.",
        "Shifted by a few seconds the likeness is gone: the moments fit exactly."
        if evidence.sharpness >= 0.15
        else "Shifted by a few seconds the likeness hardly drops: the scene is slow, so the moment is less sure.",
    ]
    return sentences + _say_rarity(evidence.rarity)


def _say_rarity(rarity: float) -> list[str]:
    return ["Many of its frames say little (dark, flat, or found in many references)."] if rarity < 0.5 else []


def _say_play(segment: Segment) -> list[str]:
    sentences = []
    if abs(abs(segment.speed) - 1) >= 0.005:
        sentences.append(f"The copy plays the reference {abs(segment.speed):.3g} times as fast.")
    if segment.speed < 0:
        sentences.append("The copy plays it backwards.")
    if segment.view != WHOLE:
        sentences.append(f"The reference is seen in the query this way: {segment.view}.")
    return sentences


def _say_geometry(geometry: Geometry | None, verified: bool | None) -> str:
    if geometry is None:
        return "Local features were not compared for the score."
    agreeing = round(geometry.agreement * geometry.pairs)
    features = round(float(np.exp(geometry.log_inliers)) - 1)
    told = f"In {agreeing} of {geometry.pairs} pairs of frames the pictures lie over each other in one way"
    told += f" (typically {features} local features agree)"
    if geometry.moving:
        told += f"; what moves in both correlates by {geometry.motion:.2f}"
    return f"{told}: {'verified' if verified else 'not verified'}."


def describe_changes(changes: Changes) -> list[str]:
    """The transform between both pictures, and what else was done."""
    sentences = [
        f"The reference's picture makes up {_percent(changes.overlap)} of the query's, at {changes.scale:.2f} times "
        f"its height{_say_place(changes)}; {changes.features} local features agree."
    ]
    counts = [(what, changes.places.count(what)) for what in ("covered", "removed", "recoloured")]
    said = [f"{count} {what}" for what, count in counts if count]
    sentences.append(f"Places that differ: {', '.join(said)}." if said else "Nothing else differs.")
    return sentences


def _say_place(changes: Changes) -> str:
    notes = []
    if abs(changes.turned_deg) >= 0.5:
        way = "clockwise" if changes.turned_deg > 0 else "counter-clockwise"
        notes.append(f"turned {way} by {abs(changes.turned_deg):.1f}°")
    for value, ways in zip(changes.moved, (("right", "left"), ("down", "up")), strict=True):
        if abs(value) >= 0.01:
            notes.append(f"moved {ways[0] if value > 0 else ways[1]} by {_percent(abs(value))}")
    return "".join(f", {note}" for note in notes)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
