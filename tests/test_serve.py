"""The service over real HTTP with real films: queries, the gate, jobs, references, metrics, restarts."""

import asyncio
import re
import shutil
import sqlite3
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("fastapi", reason="fastapi is in the extra `serve`")

from tests.conftest import Call, MakeFilm
from tests.made_service import MODEL, Service, serving
from vcd.config import parse_config
from vcd.resident import ResidentLibrary
from vcd.serve.app import make_app
from vcd.serve.folders import Folders
from vcd.serve.metrics import Metrics
from vcd.serve.runner import Runner
from vcd.serve.service import Service as Insides
from vcd.serve.settings import ServeSettings
from vcd.serve.store import JobStore
from vcd.serve.uploads import Intake


@pytest.fixture(scope="module")
def drawn_library(tmp_path_factory: pytest.TempPathFactory, films: Path, vcd: Call) -> Path:
    """The library of `films`, made with the model for drawn films; copy it before you change it."""
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "model.toml").write_text(MODEL)
    assert vcd("index", films, "--library", folder / "library", "--config", folder / "model.toml").code == 0
    return folder / "library"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, drawn_library: Path, made_film: MakeFilm) -> Iterator[Service]:
    """Without keys, with a root that holds ``here.mp4``; tests remove what they add."""
    folder = tmp_path_factory.mktemp("service")
    shutil.copytree(drawn_library, folder / "library")
    (folder / "root").mkdir()
    shutil.copy(made_film(4, first=60), folder / "root" / "here.mp4")
    with serving(folder, folder / "library", "--root", folder / "root") as running:
        yield running


def only_segment(result: Any) -> Any:
    assert len(result["segments"]) == 1, result
    return result["segments"][0]


# --- Queries.


def test_a_clip_is_answered_with_the_rows_of_the_command_line(
    service: Service, clip: Path, drawn_library: Path, vcd: Call
) -> None:
    job = service.ask(clip)

    assert job.status_code == 200
    row = only_segment(job.json()["result"])
    settings = drawn_library.parent / "model.toml"
    told = vcd("query", clip, "--library", drawn_library, "--config", settings, "--format", "json").json
    expected = told["segments"][0]
    assert {name: row[name] for name in expected} == {**expected, "query": clip.name}
    assert (row["reference"], row["title"]) == ("a.mp4", "a.mp4")
    assert (row["q_start"], row["q_end"]) == (0, 6)
    assert row["r_start"] == pytest.approx(4, abs=0.3)
    made_with = job.json()["result"]["made_with"]
    assert made_with == {**told["made_with"], "library": made_with["library"]}
    assert job.json()["result"]["media"] == {
        "kind": "video", "duration_s": 6.0, "width_px": 160, "height_px": 90, "format": "mov/h264",
    }  # fmt: skip


def test_a_query_that_is_not_waited_for_gives_a_job_that_ends(service: Service, clip: Path) -> None:
    answer = service.ask(clip, wait_s=0)

    assert answer.status_code == 202
    job = answer.json()
    assert (job["state"] in ("queued", "running"), job["result"]) == (True, None)
    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    done = service.finished(job["id"])
    assert (done["state"], done["progress"], done["result"]["copied"]) == ("done", 1.0, True)


def test_the_options_of_a_query_are_obeyed(service: Service, clip: Path) -> None:
    assert service.ask(clip, min_score=1).json()["result"]["segments"] == []
    assert only_segment(service.ask(clip, top=1, verify=True).json()["result"])["verified"] is True


@pytest.mark.parametrize("first", [0, 500], ids=["copied", "foreign"])
def test_the_gate_says_in_one_call_whether_it_is_a_copy(service: Service, made_film: MakeFilm, first: int) -> None:
    verdict = service.send("/api/v1/gate", made_film(6, first=first).read_bytes()).json()

    assert (verdict["decided"], verdict["copied"], len(verdict["segments"])) == (
        (True, True, 1) if first == 0 else (True, False, 0)
    )  # fmt: skip


def test_the_gate_never_calls_a_file_that_cannot_be_read_no_copy(service: Service) -> None:
    answer = service.send("/api/v1/gate", b"this is no film")

    assert answer.status_code == 422
    assert answer.json() == {"code": "unreadable_media", "message": "is not a media file, or is damaged"}


def test_the_gate_is_undecided_when_it_takes_too_long(service: Service, clip: Path) -> None:
    answer = service.send("/api/v1/gate", clip.read_bytes(), wait_s=0)

    assert answer.status_code == 202
    verdict = answer.json()
    assert (verdict["decided"], verdict["copied"]) == (False, None)
    assert service.finished(verdict["job"])["result"]["copied"] is True


def test_a_file_that_cannot_be_read_is_a_job_that_failed(service: Service) -> None:
    job = service.send("/api/v1/queries", b"this is no film").json()

    assert (job["state"], job["result"]) == ("failed", None)
    assert job["error"] == {"code": "unreadable_media", "message": "is not a media file, or is damaged"}


def test_identical_uploads_at_once_are_both_answered(service: Service, clip: Path) -> None:
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(service.ask(clip).json())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({answer["id"] for answer in answers}) == 4
    assert [only_segment(answer["result"])["reference"] for answer in answers] == ["a.mp4"] * 4


def test_a_job_can_be_forgotten_with_its_upload(service: Service, clip: Path) -> None:
    job = service.ask(clip).json()["id"]

    assert service.client.get(f"/api/v1/jobs/{job}/media").content == clip.read_bytes()
    assert service.client.delete(f"/api/v1/jobs/{job}").status_code == 204
    for path in (f"/api/v1/jobs/{job}", f"/api/v1/jobs/{job}/media"):
        assert service.client.get(path).json()["code"] == "no_such_job"
    assert job not in {each["id"] for each in service.client.get("/api/v1/jobs").json()}


# --- What the page shows.


def test_the_report_of_a_query_is_a_page_in_an_origin_of_its_own(service: Service, made_film: MakeFilm) -> None:
    film = made_film(6, first=140)
    reference = service.add(film, "<b>film.mp4")["result"]["added"][0]
    job = service.ask(film, "<script>clip.mp4", report=True).json()
    path = f"/api/v1/jobs/{job['id']}/report"
    answer = service.client.get(path)
    id_of_reference = only_segment(job["result"])["reference_id"]
    assert service.client.delete(f"/api/v1/references/{id_of_reference}").status_code == 204

    assert (job["report"], answer.status_code, answer.headers["content-type"]) == (
        path,
        200,
        "text/html; charset=utf-8",
    )
    policy = dict(rule.strip().split(" ", 1) for rule in answer.headers["content-security-policy"].split(";"))
    assert (policy["sandbox"], policy["default-src"], policy["frame-ancestors"]) == ("allow-scripts", "'none'",
                                                                                    "'none'")  # fmt: skip
    assert policy["script-src"].startswith("'sha256-")
    assert answer.headers.get_list("content-security-policy", split_commas=True) == [
        answer.headers["content-security-policy"]
    ]
    assert answer.text.count("data:image/jpeg") >= 6
    assert "&lt;script&gt;clip.mp4" in answer.text
    assert "&lt;b&gt;film.mp4" in answer.text
    assert reference not in answer.text
    assert answer.text.count("<script>") == 1
    assert service.client.delete(f"/api/v1/jobs/{job['id']}").status_code == 204
    assert list((service.data / "reports").iterdir()) == []


def test_there_is_no_report_where_none_was_asked_for(service: Service, clip: Path) -> None:
    job = service.ask(clip).json()

    assert job["report"] is None
    assert service.client.get(f"/api/v1/jobs/{job['id']}/report").json()["code"] == "no_report"


def test_an_answer_stands_without_the_report_that_cannot_be_written(service: Service, clip: Path) -> None:
    (service.data / "reports").rename(service.data / "elsewhere")
    try:
        job = service.ask(clip, report=True).json()
    finally:
        (service.data / "elsewhere").rename(service.data / "reports")

    assert (job["state"], job["error"], job["report"]) == ("done", None, None)
    assert only_segment(job["result"])["reference"] == "a.mp4"
    reason = "the report is missing: cannot be written: No such file or directory"
    assert job["result"]["problems"] == [{"path": clip.name, "reason": reason}], "no path of the server is told"
    assert service.client.get(f"/api/v1/jobs/{job['id']}/report").json()["code"] == "no_report"


def test_media_answer_range_requests(service: Service, films: Path) -> None:
    content = (films / "a.mp4").read_bytes()
    path = f"/api/v1/references/{service.references()['a.mp4']['id']}/media"
    part = service.client.get(path, headers={"Range": "bytes=100-199"})

    assert (part.status_code, part.content) == (206, content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(content)}"
    assert part.headers["content-type"] == "video/mp4"
    assert service.client.get(path, headers={"Range": f"bytes={len(content)}-"}).status_code == 416


def test_a_strip_shows_moments_side_by_side(service: Service, films: Path) -> None:
    import cv2
    import numpy as np

    from tests.made import change_every, film

    reference = service.references()["a.mp4"]["id"]
    answer = service.client.get(f"/api/v1/references/{reference}/strip?from_s=0&to_s=12&count=6")
    strip = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR_RGB)

    assert answer.headers["content-type"] == "image/jpeg"
    assert strip.shape == (90, 6 * 160, 3)
    shown = film(change_every(2), size=(160, 90))
    for number in range(6):
        tile = strip[:, 160 * number : 160 * (number + 1)].astype(float)
        at_this, at_another = (shown(time_s).astype(float) for time_s in (1 + 2 * number, 3 + 2 * number))
        assert np.abs(tile - at_this).mean() < 0.5 * np.abs(tile - at_another).mean()


# --- The library.


def test_an_uploaded_reference_is_found_once_and_gone_when_it_is_removed(service: Service, made_film: MakeFilm) -> None:
    film = made_film(6, first=140)
    assert service.ask(film).json()["result"]["copied"] is False

    added = service.add(film, "Größe <b>.mp4")
    again = service.add(film, "the same.mp4")
    [path] = added["result"]["added"]
    segment = only_segment(service.ask(film).json()["result"])

    assert re.fullmatch(r"[0-9a-f]{32}\.mp4", path)
    assert again["result"] == {"added": [], "replaced": [], "unchanged": [path]}
    assert (segment["reference"], segment["title"]) == (path, "Größe <b>.mp4")
    assert list(service.references("GRÖSSE")) == ["Größe <b>.mp4"]
    assert service.client.delete(f"/api/v1/references/{segment['reference_id']}").status_code == 204
    assert service.ask(film).json()["result"]["copied"] is False
    assert service.client.get(f"/api/v1/references/{segment['reference_id']}").json()["code"] == "no_such_reference"


def test_a_reference_that_two_upload_at_once_is_one_reference(service: Service, made_film: MakeFilm) -> None:
    content, jobs = made_film(4, first=170).read_bytes(), []

    def upload() -> None:
        jobs.append(service.send("/api/v1/references", content, "twin.mp4").json()["id"])

    threads = [threading.Thread(target=upload) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one, other = sorted((service.finished(job)["result"] for job in jobs), key=lambda result: len(result["added"]))

    assert (one["unchanged"], other["unchanged"]) == (other["added"], [])
    assert [path.name for path in (service.data / "media").iterdir()] == other["added"]
    assert service.client.delete(f"/api/v1/references/{service.references()['twin.mp4']['id']}").status_code == 204


def test_a_file_under_the_root_is_added_by_its_path_and_stays_when_it_is_removed(
    service: Service, made_film: MakeFilm
) -> None:
    answer = service.client.post("/api/v1/references/by-path", json={"path": "here.mp4"})

    assert answer.status_code == 202
    assert service.finished(answer.json()["id"])["result"]["added"] == ["here.mp4"]
    reference = service.references()["here.mp4"]
    assert only_segment(service.ask(made_film(4, first=60)).json()["result"])["reference"] == "here.mp4"
    assert service.client.delete(f"/api/v1/references/{reference['id']}").status_code == 204
    answer = service.client.post("/api/v1/references/by-path", json={"path": "here.mp4"})
    assert service.finished(answer.json()["id"])["result"]["added"] == ["here.mp4"]
    assert service.client.delete(f"/api/v1/references/{service.references()['here.mp4']['id']}").status_code == 204


def test_a_bad_reference_is_refused_and_nothing_of_it_is_kept(service: Service) -> None:
    before = service.references()
    answer = service.send("/api/v1/references", b"no film")

    assert service.finished(answer.json()["id"])["error"]["code"] == "unreadable_media"
    assert service.references() == before


def test_the_library_is_listed_in_pages_and_searched(service: Service) -> None:
    pages = [service.client.get(f"/api/v1/references?limit=2&offset={offset}").json() for offset in (0, 2)]

    assert [page["total"] for page in pages] == [3, 3]
    assert [row["path"] for page in pages for row in page["references"]] == ["a.mp4", "still.png", "sub/b.mkv"]
    assert list(service.references("STILL")) == ["still.png"]
    assert service.references("nothing such") == {}


def test_what_another_program_adds_is_found_without_a_restart(
    service: Service, vcd: Call, made_film: MakeFilm, tmp_path: Path
) -> None:
    film = made_film(6, first=80)
    made_with = service.ask(film).json()["result"]["made_with"]
    (tmp_path / "model.toml").write_text(MODEL)
    library = made_with["library"]
    assert vcd("index", film, "--library", library, "--config", tmp_path / "model.toml").code == 0

    deadline_s = time.monotonic() + 20
    while not (found := service.ask(film).json()["result"])["copied"] and time.monotonic() < deadline_s:
        time.sleep(0.2)

    assert only_segment(found)["reference"] == str(film)
    assert vcd("library", "remove", film, "--library", library, "--config", tmp_path / "model.toml").code == 0


# --- Operation.


def test_health_and_metrics(service: Service, clip: Path) -> None:
    service.ask(clip)
    health = service.client.get("/api/v1/health").json()
    metrics = service.client.get("/metrics").text

    assert (health["status"], health["references"]) == ("ok", 3)
    assert re.search(r'^vcd_jobs_total\{kind="query",state="done"\} [1-9]', metrics, re.MULTILINE)
    assert re.search(
        r'^vcd_http_requests_total\{method="POST",route="/api/v1/queries",status="200"\} [1-9]', metrics, re.MULTILINE
    )
    assert "vcd_library_references 3.0" in metrics


def test_every_operation_is_described(service: Service) -> None:
    spec = service.client.get("/api/openapi.json").json()

    assert set(spec["paths"]) == {
        "/api/v1/access", "/api/v1/gate", "/api/v1/health", "/api/v1/jobs", "/api/v1/jobs/{job_id}",
        "/api/v1/jobs/{job_id}/media", "/api/v1/jobs/{job_id}/report", "/api/v1/jobs/{job_id}/strip",
        "/api/v1/queries", "/api/v1/references",
        "/api/v1/references/by-path", "/api/v1/references/{reference_id}", "/api/v1/references/{reference_id}/media",
        "/api/v1/references/{reference_id}/strip", "/metrics",
    }  # fmt: skip
    operations = [operation for path in spec["paths"].values() for operation in path.values()]
    assert all(operation["description"] and "default" in operation["responses"] for operation in operations)


def test_jobs_survive_kill_9_and_what_is_past_its_retention_is_deleted(
    drawn_library: Path, clip: Path, made_film: MakeFilm, tmp_path: Path
) -> None:
    shutil.copytree(drawn_library, tmp_path / "library")
    uploads = tmp_path / "data" / "uploads"
    with serving(tmp_path, tmp_path / "library") as first:
        old = first.ask(clip).json()["id"]
        waiting = [first.ask(clip, wait_s=0).json()["id"] for _ in range(3)]
        film = made_film(4, first=90)
        waiting.append(first.send("/api/v1/references", film.read_bytes(), "late.mp4").json()["id"])
        states = {first.client.get(f"/api/v1/jobs/{job}").json()["state"] for job in waiting}
        first.kill()
    with closing(sqlite3.connect(tmp_path / "data" / "jobs.sqlite", isolation_level=None)) as jobs:
        jobs.execute("UPDATE jobs SET finished_s = finished_s - 86401 WHERE id = ?", (old,))
    (uploads / "aborted").touch()

    assert states & {"queued", "running"}
    with serving(tmp_path, tmp_path / "library") as second:
        done = [second.finished(job) for job in waiting]
        assert [job["state"] for job in done] == ["done"] * 4
        assert [only_segment(job["result"])["reference"] for job in done[:3]] == ["a.mp4"] * 3
        assert "late.mp4" in second.references()
        assert second.client.get(f"/api/v1/jobs/{old}").json()["code"] == "no_such_job"
        assert len(list(uploads.iterdir())) == 3
        assert len(list((tmp_path / "data" / "media").iterdir())) == 1


def test_a_library_that_is_being_written_delays_and_does_not_lose(
    service: Service, made_film: MakeFilm, drawn_library: Path
) -> None:
    from vcd.config import LibraryConfig
    from vcd.library import LibraryWriter

    film = made_film(4, first=120)
    library = Path(service.ask(film).json()["result"]["made_with"]["library"])
    reference = service.references()["still.png"]["id"]
    with LibraryWriter(library, LibraryConfig(index="exact")):
        refused = service.client.delete(f"/api/v1/references/{reference}")
        job = service.send("/api/v1/references", film.read_bytes(), "patient.mp4").json()
        time.sleep(1.0)
        assert service.client.get(f"/api/v1/jobs/{job['id']}").json()["state"] in ("queued", "running")

    assert (refused.status_code, refused.json()["code"]) == (503, "library_locked")
    assert refused.headers["retry-after"]
    assert len(service.finished(job["id"])["result"]["added"]) == 1
    assert service.client.delete(f"/api/v1/references/{service.references()['patient.mp4']['id']}").status_code == 204


def test_a_disk_that_is_too_full_for_jobs_is_told_and_nothing_is_lost(
    drawn_library: Path, clip: Path, tmp_path: Path
) -> None:
    """SQLite itself says that it is full; no worker runs."""
    folders, settings, metrics = Folders(tmp_path / "data"), ServeSettings(min_free_mb=0), Metrics()
    config = parse_config(tomllib.loads(MODEL), "test")
    with folders.make(), closing(JobStore(folders.jobs)) as store:
        library = ResidentLibrary(drawn_library, config, 1)
        runner, intake = Runner(store, library, folders, settings, metrics), Intake(folders.uploads, settings)
        app = make_app(Insides(settings, folders, None, store, library, runner, intake, metrics))

        async def ask_until_full() -> list[httpx.Response]:
            answers = []
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
                while not answers or answers[-1].status_code == 202:
                    files = {"media": (f"{len(answers)}-{'x' * 150}.mp4", clip.read_bytes())}
                    answers.append(await client.post("/api/v1/queries?wait_s=0", files=files))
            return answers

        store._db.execute("PRAGMA max_page_count = 12")
        *taken, refused = asyncio.run(ask_until_full())
        assert (refused.status_code, refused.json()["code"]) == (507, "storage_failed")
        jobs = {answer.json()["id"] for answer in taken}
        assert jobs
        assert len(list(folders.uploads.iterdir())) == len(jobs)
        running = store.take(queries=True)
        assert running is not None
        with pytest.raises(sqlite3.OperationalError, match="full"):
            store.finish(running.id, {"segments": "x" * 100_000})
        store.recover()
        assert {job.id for job in store.latest(100) if job.state == "queued"} == jobs


def test_two_services_do_not_share_their_data(service: Service, drawn_library: Path, tmp_path: Path, vcd: Call) -> None:
    (tmp_path / "model.toml").write_text(MODEL)
    settings = ("--config", tmp_path / "model.toml", "--data", service.data, "--workers", "1")
    answer = vcd("serve", "--library", drawn_library, *settings)

    assert answer.code == 1
    assert "another service uses this folder" in answer.err


def test_the_address_must_be_free(service: Service, drawn_library: Path, tmp_path: Path, vcd: Call) -> None:
    (tmp_path / "model.toml").write_text(MODEL)
    answer = vcd(
        "serve", "--library", drawn_library, "--config", tmp_path / "model.toml", "--port", service.port,
        "--data", tmp_path / "data", "--workers", "1",
    )  # fmt: skip

    assert (answer.code, answer.out) == (1, b"")
    assert f"127.0.0.1:{service.port}: the service cannot listen there" in answer.err


def test_without_keys_it_listens_to_this_machine_only(drawn_library: Path, vcd: Call) -> None:
    answer = vcd("serve", "--library", drawn_library, "--host", "0.0.0.0")

    assert answer.code == 1
    assert "without keys the service listens on 127.0.0.1 only, not on 0.0.0.0" in answer.err


def test_a_missing_extra_is_one_clear_error(drawn_library: Path, vcd: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    answer = vcd("serve", "--library", drawn_library)

    assert (answer.code, answer.out) == (1, b"")
    assert answer.err == "vcd: uvicorn is not installed; run: pip install 'vcd[serve]'\n"


def test_a_request_that_nobody_answers_is_json_too(service: Service) -> None:
    allowed = service.client.put("/api/v1/access").headers["allow"]
    assert allowed == "GET, POST"
    for answer, code in (
        (service.client.get("/api/v1/nonsense"), "not_found"),
        (service.client.put("/api/v1/jobs"), "method_not_allowed"),
        (service.client.get("/api/v1/jobs/xyz"), "invalid_request"),
        (httpx.get(f"{service.url}/page.html"), "not_found"),
    ):
        assert 400 <= answer.status_code < 500
        assert (set(answer.json()), answer.json()["code"]) == ({"code", "message"}, code)


def test_a_service_that_is_ended_in_order_puts_its_jobs_back(drawn_library: Path, clip: Path, tmp_path: Path) -> None:
    with serving(tmp_path, drawn_library) as running:
        jobs = [running.ask(clip, wait_s=0).json()["id"] for _ in range(3)]

    with closing(sqlite3.connect(tmp_path / "data" / "jobs.sqlite")) as store:
        found = store.execute("SELECT id, state, attempts FROM jobs WHERE state <> 'done'").fetchall()
    assert found
    assert {(state, attempts) for _, state, attempts in found} == {("queued", 0)}
    assert {job for job, _, _ in found} <= set(jobs)
