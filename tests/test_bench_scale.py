"""The benchmark of large libraries, on a small one."""

import json
from pathlib import Path

import numpy as np

from benchmarks.scale import generate
from benchmarks.scale.__main__ import main


def test_a_query_copies_half_a_minute_of_its_source() -> None:
    asked = generate.query(3, videos=20)
    source = generate.video(int(asked.source[6:13]))
    similarities = asked.descriptors.vectors @ source.vectors.T
    rows = (asked.starts_s + np.arange(30)) // generate.GAP_S
    copied = similarities[np.arange(15, 45), rows.astype(int)]
    assert 0.7 < copied.min() < copied.mean() < 0.95
    assert similarities[:15].mean() < 0.3
    assert (generate.video(5).vectors == generate.video(5).vectors).all()


def test_a_run_writes_what_it_measured_and_keeps_the_other_runs(tmp_path: Path) -> None:
    output = tmp_path / "scale.json"
    for index in ("exact", "hnsw", "hnsw"):
        sizes = ["--frames", "2500", "--queries", "5", "--added", "3"]
        main([*sizes, "--index", index, "--folder", str(tmp_path), "--output", str(output)])
    runs = json.loads(output.read_text())["runs"]
    assert [(run["frames"], run["index"]) for run in runs] == [(2500, "exact"), (2500, "hnsw")]
    for run in runs:
        assert run["found"] == 1
        assert 0 < run["search_p50_s"] <= run["search_p95_s"]
        assert run["memory_bytes"] > 0
    assert list(tmp_path.iterdir()) == [output]
