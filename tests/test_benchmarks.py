"""The harness of the benchmarks on tiny material: what it makes, measures, computes and writes."""

import json
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from benchmarks.machine import git_commit, machine_facts, package_versions
from benchmarks.measure import CommandFailed, run_measured, tree_memory_mib
from benchmarks.speed import film as films
from benchmarks.speed import material as materials
from benchmarks.speed.__main__ import benchmark, main
from benchmarks.speed.film import add_grain, cut_clip, repeat_film
from benchmarks.speed.material import Material, Plan, make_material, plan_for, read_facts, use_folder
from benchmarks.speed.plain import decode
from benchmarks.speed.rounds import Run
from benchmarks.speed.summary import summarise
from benchmarks.tables import NoPlace, speed_table, update_file, with_table
from vcd.demo.canvas import Size

TINY = Plan(size=Size(160, 90), repeated_s=1.0, repeats=3, single_s=4.0)
MIB = 2**20


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def material(cache: Path) -> Material:
    return make_material(TINY, cache)


@pytest.fixture(scope="module")
def results(material: Material, cache: Path) -> dict[str, Any]:
    return benchmark(material, cache, rounds=1, thorough=False, help_times=1)


def times_s(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


# Material


def test_the_material_is_as_long_as_planned(material: Material) -> None:
    assert material.hours * 3600 == pytest.approx(TINY.total_s, abs=0.01) == 6 * 3 * 1.0 + 4.0
    assert [file.frames for file in material.files] == [75] * 6 + [100]
    assert {(file.width_px, file.height_px, file.format) for file in material.files} == {(160, 90, "mov/h264")}
    assert material.sample_hours(2.0) * 3600 == pytest.approx(7 * 2.0)


def test_a_repeated_film_goes_on_without_a_gap_and_shows_the_same_again(material: Material) -> None:
    path = material.files[0].path
    assert times_s(path) == pytest.approx(np.arange(75) / 25)
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    for again in (25, 50):
        assert all((pictures[number] == pictures[number + again]).all() for number in range(25))


def test_the_clip_has_the_length_of_the_single_film_and_few_lines(material: Material, tmp_path: Path) -> None:
    assert material.clip_s == read_facts(material.clip).duration_s == 4.0
    cut_clip(tmp_path / "clip.mp4", material.files[-1].path, 1.0, 2.0, height_px=46)
    facts = read_facts(tmp_path / "clip.mp4")
    assert (facts.width_px, facts.height_px, facts.frames) == (82, 46, 50)


def test_a_clip_shows_the_film_from_the_moment_asked_for(material: Material, tmp_path: Path) -> None:
    cut_clip(tmp_path / "clip.mp4", material.files[-1].path, 1.0, 1.0)
    shown = []
    for path, first in ((material.files[-1].path, 25), (tmp_path / "clip.mp4", 0)):
        with av.open(str(path)) as container:
            shown.append([f.to_ndarray(format="gray").astype(float) for f in container.decode(video=0)][first:])
    distances = [[np.abs(clip - film).mean() for film in shown[0]] for clip in (shown[1][0], shown[1][20])]
    assert [int(np.argmin(row)) for row in distances] == [0, 20]


def test_material_in_the_cache_is_not_made_again(material: Material, cache: Path, monkeypatch: Any) -> None:
    for module, name in ((materials, "render_grained"), (materials, "repeat_film"), (materials, "cut_clip")):
        monkeypatch.setattr(module, name, None)
    assert make_material(TINY, cache) == material


def test_films_of_other_drawing_code_are_made_again(cache: Path, tmp_path: Path, monkeypatch: Any) -> None:
    before = materials._source_digest()
    (tmp_path / "film.py").write_text("# changed")
    monkeypatch.setattr(films, "__file__", str(tmp_path / "film.py"))
    assert materials._source_digest() != before


def test_grain_changes_from_frame_to_frame_and_keeps_the_brightness() -> None:
    flat = np.full((90, 160, 3), 100, np.uint8)
    one, other = add_grain([flat, flat], TINY.size, np.random.default_rng(1))
    assert not (one == other).all()
    assert one.mean() == pytest.approx(100, abs=0.5)
    assert one.std() == pytest.approx(films.GRAIN, rel=0.25)


def test_a_failed_repetition_leaves_no_file_that_looks_finished(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    with pytest.raises(av.FFmpegError):
        repeat_film(tmp_path / "long.mp4", tmp_path / "broken.mp4", 2)
    assert not (tmp_path / "long.mp4").exists()


@pytest.mark.parametrize(
    ("minutes", "repeats", "repeated_s", "single_s"), [(60, 15, 40, 60), (5, 1, 40, 60), (9, 2, 40, 60), (1, 1, 8, 12)]
)
def test_a_plan_is_about_as_long_as_asked_for(minutes: float, repeats: int, repeated_s: float, single_s: float) -> None:
    plan = plan_for(minutes)
    assert (plan.repeats, plan.repeated_s, plan.single_s) == (repeats, repeated_s, single_s)
    assert plan.total_s == pytest.approx(60 * minutes, rel=0.05)


def test_a_given_folder_is_measured_and_what_cannot_be_read_is_left_out(material: Material, tmp_path: Path) -> None:
    (tmp_path / "good.mp4").write_bytes(material.files[-1].path.read_bytes())
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    (tmp_path / "picture.png").write_bytes(b"no matter")
    found = use_folder(tmp_path, tmp_path)
    assert [file.path.name for file in found.files] == ["good.mp4"]
    assert len(found.left_out) == 1
    assert "bad.mp4" in found.left_out[0]
    assert found.clip_s == 4.0
    assert found.clip_of == "good.mp4"


def test_the_full_plan_is_an_hour_and_the_film_that_is_there_once() -> None:
    assert Plan().total_s == 61 * 60


# Measuring


def test_the_floor_decodes_key_frames_only(material: Material) -> None:
    for file in material.files:
        assert decode(str(file.path), keys_only=True, seconds=None) == file.key_frames < file.frames
        assert decode(str(file.path), keys_only=False, seconds=None) == file.frames
        assert decode(str(file.path), keys_only=False, seconds=2.0) == 50


HOLD = "import sys, time; held = bytearray(int(sys.argv[1])); held[::4096] = held[::4096]; time.sleep(1.0)"


def test_memory_is_that_of_the_whole_process_tree() -> None:
    child = f"[sys.executable, '-c', {HOLD!r}, '{60 * MIB}']"
    parent = (
        f"import subprocess, sys; held = bytearray({40 * MIB}); held[::4096] = held[::4096]; subprocess.run({child})"
    )
    usage = run_measured([sys.executable, "-c", parent])
    assert usage.peak_mib is not None
    assert 100 <= usage.peak_mib < 160
    assert usage.wall_s >= 1.0


def test_processor_time_counts_the_processes_that_were_started() -> None:
    burn = "import time; stop = time.process_time() + 0.4\nwhile time.process_time() < stop: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); print('done')"
    usage = run_measured([sys.executable, "-c", parent])
    assert 0.4 <= usage.cpu_s < 2.0
    assert usage.output == "done\n"


def test_a_command_that_fails_is_an_error_with_its_words() -> None:
    with pytest.raises(CommandFailed, match=r"exit code 3(.|\n)*too bad"):
        run_measured([sys.executable, "-c", "import sys; print('too bad', file=sys.stderr); sys.exit(3)"])


def test_a_process_that_has_gone_takes_no_memory() -> None:
    assert tree_memory_mib(2**22 + 1) == 0.0


def test_the_facts_say_where_a_result_comes_from(tmp_path: Path) -> None:
    facts = machine_facts()
    assert isinstance(facts["cores"], int)
    assert facts["cores"] >= 1
    assert package_versions(["av"]) == {"av": av.__version__}
    assert git_commit(tmp_path) == {"commit": None, "changed": None}


# Results


def run(what: str, number: int, wall_s: float, cpu_s: float, hours: float = 2.0, peak_mib: float = 50.0) -> Run:
    return Run(
        what=what, round=number, hours=hours, wall_s=wall_s, cpu_s=cpu_s, peak_mib=peak_mib, disk_mib=0.0, frames=100
    )


def test_ratios_are_within_a_round_and_times_for_one_hour() -> None:
    runs = [
        run("floor", 1, 10, 20), run("fast", 1, 30, 40, peak_mib=70), run("decode", 1, 10, 20, hours=0.5),
        run("query", 1, 3, 4, hours=0.01),
        run("floor", 2, 20, 20), run("fast", 2, 40, 60), run("decode", 2, 40, 80, hours=0.5),
        run("query", 2, 5, 4, hours=0.01),
    ]  # fmt: skip
    medians = summarise(runs)
    assert list(medians) == ["floor", "fast", "decode", "query"]
    assert medians["floor"]["wall_s_per_hour"] == 7.5
    assert medians["floor"]["wall_to_floor"] == medians["floor"]["cpu_to_floor"] == 1.0
    assert medians["fast"] == {
        "wall_s_per_hour": 17.5, "wall_to_floor": 2.5, "wall_to_floor_lowest": 2.0, "wall_to_floor_highest": 3.0,
        "cpu_s_per_hour": 25.0, "cpu_to_floor": 2.5, "peak_mib": 70.0, "frames_per_hour": 50,
    }  # fmt: skip
    assert medians["decode"]["wall_to_floor"] == (4 + 8) / 2
    assert medians["query"] == {"wall_s": 4.0, "cpu_s": 4.0, "peak_mib": 50.0}


def test_the_whole_benchmark_measures_everything_in_turns(results: dict[str, Any]) -> None:
    found = {measured["what"]: measured for measured in results["runs"]}
    assert list(found) == ["floor", "fast", "default", "query", "decode"]
    assert found["query"]["rows"] is not None
    assert found["floor"]["frames"] == sum(file["key_frames"] for file in results["material"]["files"])
    assert found["decode"]["frames"] == 6 * 75 + 100
    assert set(results["settings"]) == {"fast", "default"}
    assert len(results["help_s"]) == 1
    assert json.loads(json.dumps(results)) == results


def test_the_results_do_not_say_where_the_material_lies(results: dict[str, Any], cache: Path) -> None:
    assert str(cache) not in json.dumps(results)


@pytest.mark.parametrize("arguments", [["--rounds", "1"], ["--minutes", "0"], ["--minutes", "nan"]])
def test_a_run_that_would_say_nothing_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "must be" in capsys.readouterr().err


# Tables


def test_the_table_has_a_row_for_everything_measured(results: dict[str, Any]) -> None:
    lines = speed_table(results).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + 4
    assert {row.count("|") for row in rows} == {8}
    assert "| 1.0 |" in rows[2]
    assert "160 x 90" in lines[-1]


def test_tables_go_between_their_markers_and_nothing_else_changes(results: dict[str, Any], tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# vcd\n\n<!-- speed:begin -->\nold\n<!-- speed:end -->\n\nend \\1\n", encoding="utf-8")
    (tmp_path / "speed.json").write_text(json.dumps(results), encoding="utf-8")

    assert update_file(readme, tmp_path, write=False)
    assert "old" in readme.read_text(encoding="utf-8")
    assert update_file(readme, tmp_path)
    text = readme.read_text(encoding="utf-8")
    expected = f"# vcd\n\n<!-- speed:begin -->\n{speed_table(results)}\n<!-- speed:end -->\n\nend \\1\n"
    assert text == expected
    assert not update_file(readme, tmp_path)
    assert readme.read_text(encoding="utf-8") == expected


def test_without_results_a_file_stays_as_it_is(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("no markers", encoding="utf-8")
    assert not update_file(readme, tmp_path)
    assert readme.read_text(encoding="utf-8") == "no markers"


@pytest.mark.parametrize(
    "text", ["", "<!-- x:begin -->", "<!-- x:end --> <!-- x:begin -->", 2 * "<!-- x:begin --><!-- x:end -->"]
)
def test_a_file_without_one_pair_of_markers_is_an_error(text: str) -> None:
    with pytest.raises(NoPlace, match="exactly one"):
        with_table(text, "x", "table")


def test_memory_that_was_not_measured_is_said_so(results: dict[str, Any]) -> None:
    medians = {what: found | {"peak_mib": None} for what, found in results["medians"].items()}
    assert "not measured" in speed_table(results | {"medians": medians})
