"""Runs -> medians for an hour of video, and ratios to the floor of the same round."""

from collections.abc import Sequence
from statistics import median

from benchmarks.speed.rounds import Run

Medians = dict[str, dict[str, float | None]]


def summarise(runs: Sequence[Run]) -> Medians:
    """For everything that was measured, in the order of its first run; query: as it is, not for an hour."""
    floors = {run.round: run for run in runs if run.what == "floor"}
    names = list(dict.fromkeys(run.what for run in runs))
    return {name: _medians([run for run in runs if run.what == name], floors) for name in names}


def _medians(runs: Sequence[Run], floors: dict[int, Run]) -> dict[str, float | None]:
    peaks = [run.peak_mib for run in runs if run.peak_mib is not None]
    if runs[0].what == "query":
        return {
            "wall_s": round(median(run.wall_s for run in runs), 3),
            "cpu_s": round(median(run.cpu_s for run in runs), 3),
            "peak_mib": round(max(peaks), 1) if peaks else None,
        }
    ratios = [_ratio(run, floors[run.round]) for run in runs]
    return {
        "wall_s_per_hour": round(median(run.wall_s / run.hours for run in runs), 2),
        "wall_to_floor": round(median(wall for wall, _ in ratios), 2),
        "wall_to_floor_lowest": round(min(wall for wall, _ in ratios), 2),
        "wall_to_floor_highest": round(max(wall for wall, _ in ratios), 2),
        "cpu_s_per_hour": round(median(run.cpu_s / run.hours for run in runs), 2),
        "cpu_to_floor": round(median(cpu for _, cpu in ratios), 2),
        "peak_mib": round(max(peaks), 1) if peaks else None,
        "frames_per_hour": round(median((run.frames or 0) / run.hours for run in runs)),
    }


def _ratio(run: Run, floor: Run) -> tuple[float, float]:
    """Wall and processor time for the same length of video, as multiples of the floor's."""
    scale = floor.hours / run.hours
    return run.wall_s * scale / floor.wall_s, run.cpu_s * scale / floor.cpu_s
