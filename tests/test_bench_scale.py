"""The benchmark of large libraries, on a small one."""

import json
from pathlib import Path

import numpy as np

from benchmarks.scale import generate
from benchmarks.scale.__main__ import main
from benchmarks.scale.sheet import scale_table
from vcd.config import LibraryConfig
from vcd.library import Library, check_library


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
    output, folder = tmp_path / "scale.json", tmp_path / "made"
    sizes = ["--frames", "2500", "--queries", "5", "--added", "3", "--folder", str(folder), "--output", str(output)]
    for index in ("auto", "hnsw"):
        main([*sizes, "--index", index])
    first = json.loads(output.read_text())["runs"]
    main([*sizes, "--index", "hnsw", "--again", "ask"])

    runs = json.loads(output.read_text())["runs"]
    assert [(run["frames"], run["index"], run["build"]["kinds"]) for run in runs] == [
        (2500, "auto", ["exact"]),
        (2500, "hnsw", ["hnsw"]),
    ]
    assert runs[0] == first[0]
    assert runs[1]["build"] == first[1]["build"]
    for run in runs:
        assert run["ask"]["found"] == run["add"]["found"] == 1
        assert 0 < run["ask"]["search_p50_s"] <= run["ask"]["search_p95_s"]
        assert (run["add"]["volumes_before"], run["add"]["volumes_kept"]) == (1, 1)
    assert {path.name for path in folder.iterdir()} == {"stored-2500", "auto-2500", "hnsw-2500"}
    table = scale_table({"runs": [*runs, {"frames": 9, "index": "auto", "build": {}}]})
    rows = [line for line in table.splitlines() if line.startswith("| 2,500 | ")]
    assert [row.split(" | ")[1] for row in rows] == ["exact", "hnsw"]
    assert "| default | " in table
    for place in ("auto-2500", "hnsw-2500"):
        assert len(Library(folder / place / "library", LibraryConfig()).media) == 50
        assert check_library(folder / place / "library", LibraryConfig()) == []
