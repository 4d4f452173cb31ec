"""What the load benchmark makes of what its clients saw."""

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="fastapi is in the extra `serve`")
pytest.importorskip("imageio_ffmpeg", reason="imageio-ffmpeg is in the extra `bench`")

from benchmarks.serve.__main__ import summarise
from benchmarks.serve.load import Load
from benchmarks.serve.sheet import serve_table

JOBS = {"queued_at_kill": 2, "not_done_at_kill": 2, "of_those_done_right": 2, "left_at_end": 0, "failed": 0}


def test_each_target_is_missed_by_what_misses_it() -> None:
    def targets(
        jobs: dict[str, int] = JOBS, memory: tuple[int, ...] = (90, 100, 100, 101), **seen: object
    ) -> list[str]:
        load = Load(taken_s=[1.0] * 20, lasted_s=30.0, memory_mib=list(np.repeat(memory, 3)))
        for name, value in seen.items():
            setattr(load, name, value)
        found = summarise([load, load], 1.0, 4, jobs)["targets"]
        return [name for name, reached in found.items() if not reached]

    assert targets() == []
    assert targets(errors=["503"]) == ["no_error"]
    assert targets(wrong=1) == ["no_error"]
    assert targets(taken_s=[]) == ["no_error", "p95_within"]
    assert targets(taken_s=[1000.0]) == ["p95_within"]
    assert targets(memory=(90, 100, 110, 120)) == ["memory_flat"]
    for lost in ({"of_those_done_right": 1}, {"left_at_end": 1}, {"failed": 1}):
        assert targets({**JOBS, **lost}) == ["no_lost_job"]
    assert targets({**JOBS, "not_done_at_kill": 0}) == ["killed_with_work_waiting"]


def test_the_table_says_each_target_and_what_was_missed() -> None:
    right = Load(taken_s=[2.0] * 19 + [9.0], memory_mib=[100.0] * 12, lasted_s=300.0)
    facts = {
        "commit": "0123456789", "changed": False, "minutes": 10.0, "clients": 4, "clip_s": 30.0, "library_hours": 100.0,
        "library_frames": 180_000, "load_average_before": [0.1], "packages": {"vcd": "1"}, "date": "2026-11-25",
        "machine": {"cores": 2, "cpu": "x", "memory_gib": 24.0},
    }  # fmt: skip
    reached = serve_table({**facts, **summarise([right, right], 1.0, 4, JOBS)})
    missed = serve_table({**facts, **summarise([right, Load(errors=["503"] * 3)], 1.0, 4, {**JOBS, "failed": 1})})

    assert reached.count("| yes |") == 4
    assert "4 answers a minute" in reached
    assert "| 40 of 40 |" in reached
    assert "| 2 of 2 |" in reached
    assert missed.count("| **no** |") == 3, "memory was not looked at, either"
    assert "| 20 of 23 |" in missed
    assert "commit 012345678, 2026-11-25" in missed
    nothing = summarise([Load(errors=["503"]), right], 1.0, 4, JOBS) | {
        "answers": 0,
        "p50_s": None,
        "p95_s": None,
    }
    assert "no answer" in serve_table({**facts, **nothing})
