"""Which of the segments that were found are looked at more closely, and which are shown."""

from collections.abc import Sequence
from dataclasses import replace

from vcd.align import drop_overlapping
from vcd.config import Config, parse_config
from vcd.types import Segment


def preselect(found: Sequence[tuple[Segment, int]], config: Config) -> list[tuple[Segment, int]]:
    """Segments worth a look at both files: those that may be shown in the end, no two for one copy."""
    media_ids = {id(segment): media_id for segment, media_id in found}
    least = config.report.min_score
    if config.verify.when != "never":
        least = min(least, config.verify.grey_from)
    kept = _one_of_each([segment for segment, _ in found if segment.score >= least], config)
    if config.report.top and config.verify.when == "never":
        kept = choose(kept, config)
    return [(segment, media_ids[id(segment)]) for segment in kept]


def _one_of_each(segments: Sequence[Segment], config: Config) -> list[Segment]:
    """No two segments for one copy, but for single pictures one upright and one mirrored: which of them it is shows
    when both files are looked at. Of the improbable ones as many as the settings say.
    """
    stills = [segment for segment in segments if segment.evidence and segment.evidence.still]
    views = [drop_overlapping([s for s in stills if s.mirrored == mirrored]) for mirrored in (False, True)]
    improbable = [s for view in views for s in view if s.score < config.report.min_score]
    dropped = {id(s) for s in sorted(improbable, key=lambda s: -s.score)[config.verify.stills :]}
    others = drop_overlapping([s for s in segments if not (s.evidence and s.evidence.still)])
    return [*others, *(s for view in views for s in view if id(s) not in dropped)]


def choose(segments: Sequence[Segment], config: Config) -> list[Segment]:
    """Segments to show: probable enough, no two for one copy, the best few when the report is limited."""
    probable = [segment for segment in segments if segment.score >= config.report.min_score]
    return drop_overlapping(probable)[: config.report.top or None]


def is_doubtful(segment: Segment, config: Config) -> bool:
    """Whether local features are to be compared."""
    settings = config.verify
    grey = settings.grey_from <= segment.score <= settings.grey_to
    return settings.when == "always" or (settings.when == "grey" and grey)


def with_report_options(config: Config, min_score: float | None, top: int | None, verify: bool = False) -> Config:
    """The configuration with what the command line says about the rows to show."""
    if verify:
        config = replace(config, verify=replace(config.verify, when="always"))
    report = config.report
    if min_score is not None:
        report = replace(report, min_score=min_score)
    if top is not None:
        report = replace(report, top=top)
    return replace(config, report=report)


def with_hashes(config: Config, kinds: str | None) -> Config:
    """The configuration with the kinds of hashes, by commas, that the command line names. Raises `ConfigError`."""
    if kinds is None:
        return config
    named = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    return parse_config({"hashes": {"kinds": named}}, "--hashes", config)
