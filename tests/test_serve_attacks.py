"""What people who mean harm, or have bad luck, send to the service: each gets a clear refusal, and nothing is left."""

import asyncio
import errno
import os
import re
import shutil
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("fastapi", reason="fastapi is in the extra `serve`")

from starlette.requests import Request

from tests.conftest import Call, MakeFilm
from tests.made_service import MODEL, Service, serving
from vcd.errors import ConfigError
from vcd.serve.problems import Refused
from vcd.serve.roots import path_under
from vcd.serve.service import role_of
from vcd.serve.settings import ServeSettings, load_settings, require_safe_host
from vcd.serve.store import ATTEMPTS, Job, JobStore
from vcd.serve.uploads import Intake, clean_name

READ, ADMIN = "read-key-0123456789", "admin-key-0123456789"
LIMITS = f"""
read_keys = ["{READ}"]
max_upload_mb = 1
upload_timeout_s = 2
max_uploads = 2
max_queued = 2
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, made_film: MakeFilm, vcd: Call, clip: Path) -> Iterator[Service]:
    """With keys and tight limits, a root with links in it, and an administrator's client."""
    folder = tmp_path_factory.mktemp("guarded")
    root, outside = folder / "root", folder / "outside"
    for each in (root / "sub", outside):
        each.mkdir(parents=True)
    shutil.copy(made_film(12), root / "sub" / "a.mp4")
    shutil.copy(clip, outside / "secret.mp4")
    (root / "link.mp4").symlink_to(outside / "secret.mp4")
    (root / "linked").symlink_to(outside)
    (root / "loop").symlink_to(root / "loop")
    os.mkfifo(root / "pipe.mp4")
    (folder / "model.toml").write_text(MODEL)
    settings = ("--library", folder / "library", "--config", folder / "model.toml")
    assert vcd("index", root / "sub", *settings).code == 0
    with serving(
        folder, folder / "library", "--root", root, settings=LIMITS, key=ADMIN, VCD_ADMIN_KEYS=ADMIN
    ) as running:
        yield running


def uploads(service: Service) -> list[str]:
    return sorted(path.name for path in (service.data / "uploads").iterdir())


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error, which has the form of all errors."""
    assert set(answer.json()) == {"code", "message"}, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert "Traceback" not in answer.text
    return answer.status_code, answer.json()["code"]


def form(content: bytes, name: str = "clip.mp4", field: str = "media", boundary: str = "xyz") -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + content + f"\r\n--{boundary}--\r\n".encode()


FORM = "multipart/form-data; boundary=xyz"


# --- Keys.


@pytest.mark.parametrize(
    "authorization", ["", "Bearer wrong-key-0123456789", f"Basic {READ}", f"Bearer {READ[:-1]}", "Bearer é"]
)
def test_nothing_is_told_or_done_without_a_valid_key(guarded: Service, authorization: str, clip: Path) -> None:
    with httpx.Client(base_url=guarded.url, headers={"Authorization": authorization.encode("latin-1")}) as client:
        for path in ("jobs", "references", "references/1", "references/1/media", "references/1/strip", "../../metrics"):
            assert code(client.get(f"/api/v1/{path}"))[0] == 401
        for path in ("queries", "gate", "references"):
            assert code(client.post(f"/api/v1/{path}", files={"media": ("a.mp4", b"x")}))[0] == 401
        assert code(client.delete("/api/v1/references/1"))[0] == 401
        assert client.get("/api/v1/access").json() == {"keys": True, "role": None}
        assert client.get("/api/v1/health").status_code == 200
    assert uploads(guarded) == []


def test_a_key_for_reading_asks_and_looks_and_changes_nothing(guarded: Service, clip: Path) -> None:
    with httpx.Client(base_url=guarded.url, headers={"Authorization": f"Bearer {READ}"}, timeout=60) as client:
        asked = client.post("/api/v1/queries", files={"media": ("clip.mp4", clip.read_bytes())})
        assert asked.json()["result"]["copied"] is True
        assert client.get("/api/v1/references").json()["total"] == 1
        assert client.get("/metrics").status_code == 200
        not_allowed = (403, "not_allowed")
        assert code(client.get("/api/v1/jobs")) == not_allowed
        assert code(client.delete("/api/v1/references/1")) == not_allowed
        assert code(client.post("/api/v1/references", files={"media": ("a.mp4", b"x")})) == not_allowed
        assert code(client.post("/api/v1/references/by-path", json={"path": "sub/a.mp4"})) == not_allowed
        assert client.delete(f"/api/v1/jobs/{asked.json()['id']}").status_code == 204
    assert uploads(guarded) == []


def test_the_cookie_of_the_page_looks_and_does_nothing(guarded: Service) -> None:
    with httpx.Client(base_url=guarded.url) as client:
        assert code(client.post("/api/v1/access", json={"key": "wrong-key-0123456789"})) == (401, "wrong_key")
        signed_in = client.post("/api/v1/access", json={"key": ADMIN})
        assert signed_in.json() == {"keys": True, "role": "admin"}
        assert {"HttpOnly", "SameSite=strict"} <= set(signed_in.headers["set-cookie"].split("; "))
        assert client.get("/api/v1/references/1/media").status_code == 200
        assert code(client.delete("/api/v1/references/1")) == (401, "no_key")
        assert code(client.post("/api/v1/queries", files={"media": ("a.mp4", b"x")})) == (401, "no_key")


def test_roles_come_from_whole_keys_only() -> None:
    settings = ServeSettings(read_keys=(READ,), admin_keys=(ADMIN,))

    assert [role_of(key, settings) for key in (READ, ADMIN, "", READ[:-1], READ + "x", READ.upper())] == [
        "read", "admin", None, None, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('read_keys = ["short"]', "a key of the service has 16 to 200 visible ASCII characters"),
        (f'read_keys = ["{READ}"]\nadmin_keys = ["{READ}"]', "either for reading or for administration"),
        ("max_uploads = 0", "max_uploads must lie between 1 and 10000, not 0"),
        ("max_upload = 3", "unknown setting 'max_upload'; did you mean 'max_uploads'?"),
    ],
)
def test_bad_settings_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "serve.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_settings(tmp_path / "serve.toml")


def test_only_keys_open_the_service_to_other_machines() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        require_safe_host(host, ServeSettings())
    require_safe_host("0.0.0.0", ServeSettings(read_keys=(READ,)))
    with pytest.raises(ConfigError, match="without keys"):
        require_safe_host("0.0.0.0", ServeSettings())


# --- Paths.


@pytest.mark.parametrize(
    "path",
    [
        "../outside/secret.mp4", "sub/../../outside/secret.mp4", "/etc/passwd", "link.mp4", "linked/secret.mp4", "loop",
        "sub", ".", "none.mp4", "sub/a.mp4/..", "a\0.mp4", "%2e%2e/outside/secret.mp4", "..\\outside\\secret.mp4",
        "pipe.mp4", " ", "\ud800.mp4", "x" * 4000,
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_root(guarded: Service, path: str) -> None:
    body = b'{"path": "' + path.encode("unicode_escape").replace(b'"', b'\\"').replace(b"\\x00", b"\\u0000") + b'"}'
    answer = guarded.client.post(
        "/api/v1/references/by-path", content=body, headers={"Content-Type": "application/json"}
    )

    assert code(answer) in {(404, "no_such_file"), (422, "invalid_request")}


@pytest.mark.parametrize("outside", ["{outside}/secret.mp4", "{root}/../outside/secret.mp4"])
def test_no_absolute_path_leads_out_of_the_root(guarded: Service, outside: str) -> None:
    folder = guarded.data.parent
    path = outside.format(outside=folder / "outside", root=folder / "root")

    assert code(guarded.client.post("/api/v1/references/by-path", json={"path": path})) == (404, "no_such_file")


@given(
    parts=st.lists(
        st.sampled_from(["..", ".", "sub", "linked", "link.mp4", "a.mp4", "/", "secret.mp4", "~"]), max_size=6
    )
)
def test_what_a_path_names_lies_under_the_root_whatever_it_is(
    parts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any-path"
    root = folder / "root"
    if not folder.exists():
        (root / "sub").mkdir(parents=True)
        (root / "sub" / "a.mp4").touch()
        (folder / "secret.mp4").touch()
        (root / "linked").symlink_to(folder)
        (root / "link.mp4").symlink_to(folder / "secret.mp4")
    try:
        found = path_under(root, "/".join(parts))
    except Refused:
        return
    assert (found.path, found.name) == ((root / "sub" / "a.mp4").resolve(), "sub/a.mp4")


@pytest.mark.parametrize(
    "target", ["/../../../../etc/passwd", "/..%2f..%2fetc/passwd", "/page.js/../../run.py", "//etc/passwd"]
)
def test_no_address_leads_out_of_the_page(guarded: Service, target: str) -> None:
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=10) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"root:" not in answer


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\films\\a.mp4", "a.mp4"), ("a\x1b[31m\n.mp4", r"a\x1b[31m\n.mp4"),
        ("", "unnamed"), ("..", ".."), ("x" * 1000, "x" * 200), ("<b>é</b>", "b>"), ("\u2028", r"\u2028"),
    ],
)  # fmt: skip
def test_names_of_clients_are_text_for_people(name: str, shown: str) -> None:
    assert clean_name(name) == shown


# --- Uploads.


def test_an_upload_that_is_announced_as_too_large_is_refused(guarded: Service) -> None:
    assert code(guarded.send("/api/v1/queries", bytes(1_100_000))) == (413, "too_large")
    assert uploads(guarded) == []


def test_an_upload_that_does_not_say_how_large_it_is_is_cut_off(guarded: Service) -> None:
    def endless() -> Iterator[bytes]:
        yield form(b"")[:-9]
        for _ in range(1000):
            yield bytes(10_000)

    answer = guarded.client.post("/api/v1/queries", content=endless(), headers={"Content-Type": FORM})

    assert code(answer) == (413, "too_large")
    assert uploads(guarded) == []


def start_upload(service: Service, path: str = "/api/v1/queries") -> socket.socket:
    """A connection that has sent the begin of a file, and promises more."""
    before = len(uploads(service))
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=20)
    connection.sendall(
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nAuthorization: Bearer {ADMIN}\r\n"
        f"Content-Type: {FORM}\r\nContent-Length: 100000\r\n\r\n".encode()
        + form(b"begin")[:90]
    )
    end_s = time.monotonic() + 10
    while len(uploads(service)) == before and time.monotonic() < end_s:
        time.sleep(0.02)
    return connection


def test_a_slow_upload_is_given_up_and_takes_a_place_only_until_then(guarded: Service) -> None:
    before = uploads(guarded)
    with start_upload(guarded) as one, start_upload(guarded) as two:
        assert code(guarded.send("/api/v1/queries", b"x")) == (429, "too_many_uploads")
        for connection in (one, two):
            assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")

    assert uploads(guarded) == before
    assert guarded.send("/api/v1/queries", b"x").json()["state"] == "failed"


def test_an_aborted_upload_leaves_nothing(guarded: Service) -> None:
    before = uploads(guarded)
    start_upload(guarded).close()
    end_s = time.monotonic() + 10
    while uploads(guarded) != before and time.monotonic() < end_s:
        time.sleep(0.05)

    assert uploads(guarded) == before
    assert guarded.client.get("/api/v1/health").json()["queued"] == 0


@pytest.mark.parametrize(
    ("kind", "body", "refused"),
    [
        ("application/json", b'{"media": "a.mp4"}', (415, "wrong_content_type")),
        ("video/mp4", b"film", (415, "wrong_content_type")),
        ("multipart/form-data", form(b"film"), (415, "wrong_content_type")),
        ("", form(b"film"), (415, "wrong_content_type")),
        (FORM, b"no form at all", (400, "broken_form")),
        (FORM, form(b"film")[:-8], (400, "broken_form")),
        (FORM, b"", (400, "broken_form")),
        (FORM, zlib.compress(form(b"film")), (400, "broken_form")),
        (FORM, form(b"film", field="other"), (422, "invalid_request")),
        (FORM, form(b"film")[:-9] + b"\r\n" + form(b"second"), (422, "invalid_request")),
        (FORM, form(b""), (422, "unreadable_media")),
        (f"multipart/form-data; boundary={'x' * 5000}", form(b"film"), (400, "broken_form")),
    ],
)  # fmt: skip
def test_what_is_no_form_with_one_file_is_refused(
    guarded: Service, kind: str, body: bytes, refused: tuple[int, str]
) -> None:
    before = uploads(guarded)

    assert code(guarded.client.post("/api/v1/gate", content=body, headers={"Content-Type": kind})) == refused
    assert uploads(guarded) == before


def test_more_jobs_than_may_wait_are_refused_and_none_is_lost(guarded: Service, clip: Path) -> None:
    answers = [guarded.ask(clip, wait_s=0) for _ in range(6)]
    taken = [answer.json()["id"] for answer in answers if answer.status_code == 202]

    refused = [code(answer) for answer in answers if answer.status_code != 202]
    assert set(refused) == {(429, "queue_full")}
    assert [guarded.finished(job)["state"] for job in taken] == ["done"] * len(taken)
    assert len(set(uploads(guarded))) >= len(taken) >= 2


def test_a_disk_without_room_is_told_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def receive(settings: ServeSettings) -> Any:
        async def body() -> Any:
            return {"type": "http.request", "body": form(b"film"), "more_body": False}

        scope = {"type": "http", "method": "POST", "headers": [(b"content-type", FORM.encode())]}
        return asyncio.run(Intake(tmp_path, settings).receive(Request(scope, body)))

    assert receive(ServeSettings(min_free_mb=0)).size_bytes == 4
    (kept,) = tmp_path.iterdir()
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (b"film", 0o600)
    with pytest.raises(Refused, match="no room") as refused:
        receive(ServeSettings(min_free_mb=10**12))
    assert (refused.value.status, refused.value.code) == (507, "disk_full")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Refused, match="no room"):
        receive(ServeSettings(min_free_mb=0))
    assert list(tmp_path.iterdir()) == [kept]


# --- Content.


def png_bomb(side_px: int) -> bytes:
    """A picture of a few bytes that claims to have so many pixels a side."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    content = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png_bomb(60_000), "too many pixels|above the limit"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "is not a media file"),
        (b"<script>alert(1)</script>", "is not a media file"),
        (b"PK\x03\x04" + bytes(100), "is not a media file"),
    ],
    ids=["decompression bomb", "playlist", "page", "archive"],
)
def test_harmful_content_is_an_unreadable_file(guarded: Service, content: bytes, reason: str) -> None:
    answer = guarded.send("/api/v1/gate", content, "innocent.mp4")

    assert code(answer) == (422, "unreadable_media")
    assert re.search(reason, answer.json()["message"])


def test_an_upload_is_never_sent_back_as_a_page(guarded: Service, clip: Path) -> None:
    name = "<img src=x onerror=alert(1)>.html"
    job = guarded.ask(clip, name).json()
    media = guarded.client.get(f"/api/v1/jobs/{job['id']}/media")
    page = guarded.send("/api/v1/queries", b"<html><script>alert(1)</script>", "page.html").json()

    assert job["name"] == name
    assert (media.headers["content-type"], media.headers["x-content-type-options"]) == ("video/mp4", "nosniff")
    assert code(guarded.client.get(f"/api/v1/jobs/{page['id']}/media")) == (404, "file_gone")
    assert all(Path(file).suffix in ("", ".mp4") for file in uploads(guarded))


def test_every_answer_has_the_headers_that_protect_its_reader(guarded: Service) -> None:
    for path in (
        "/",
        "/page.js",
        "/api/v1/health",
        "/api/v1/nonsense",
        "/api/openapi.json",
        "/api/v1/references/1/media",
    ):
        headers = guarded.client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers


# --- Other sites.


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=["origin", "no origin", "fetch metadata"],
)
def test_pages_of_other_sites_cannot_use_a_browser_against_the_service(
    guarded: Service, headers: dict[str, str]
) -> None:
    answer = guarded.client.post("/api/v1/queries", files={"media": ("a.mp4", b"x")}, headers=headers)

    assert code(answer) == (403, "wrong_origin")


def test_a_service_without_keys_answers_to_names_of_loopback_only() -> None:
    from vcd.serve.service import require_own_origin

    def request(host: str) -> Request:
        return Request({"type": "http", "method": "GET", "headers": [(b"host", host.encode())]})

    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000"):
        require_own_origin(request(host), ServeSettings())
    require_own_origin(request("films.example"), ServeSettings(read_keys=(READ,)))
    for settings in (ServeSettings(), ServeSettings(read_keys=(READ,), hosts=("vcd.example",))):
        with pytest.raises(Refused, match="does not answer to this name"):
            require_own_origin(request("evil.example"), settings)


# --- Jobs.


def job(number: int, **values: Any) -> Job:
    made = {"kind": "query", "name": "a", "file": f"f{number}", "size_bytes": 1, "sha256": "", "options": {"top": 3}}
    return Job(id=f"{number:032x}", created_s=float(number), **made | values)


def test_a_job_that_takes_the_service_down_is_given_up(tmp_path: Path) -> None:
    for attempt in range(ATTEMPTS):
        store = JobStore(tmp_path / "jobs.sqlite")
        store.recover()
        if attempt == 0:
            assert store.add(job(1), 10)
            assert store.add(job(2, size_bytes=100), 10)
            assert not store.add(job(3), 2)
        taken = store.take(queries=True, largest_bytes=50)
        assert taken is not None
        assert (taken.id, taken.state, taken.attempts, taken.options) == (job(1).id, "running", attempt + 1, {"top": 3})
        assert store.take(queries=True, largest_bytes=50) is None
        assert store.take(queries=False) is None
        store.close()
    store = JobStore(tmp_path / "jobs.sqlite")
    store.recover()

    given_up = store.get(job(1).id)
    assert given_up is not None
    assert (given_up.state, given_up.code) == ("failed", "gave_up")
    large = store.take(queries=True)
    assert large is not None
    assert large.id == job(2).id
    assert not store.delete(large.id)
    store.finish(large.id, {"segments": []})
    assert [each.id for each in store.finished_before(time.time() + 1)] == [job(1).id, job(2).id]
    assert store.delete(large.id)
    store.close()


def test_an_error_that_nobody_foresaw_tells_a_client_nothing(caplog: pytest.LogCaptureFixture) -> None:
    from fastapi import FastAPI

    from vcd.serve import problems

    app = FastAPI()
    problems.install(app)

    @app.get("/fault")
    def fault() -> None:
        raise RuntimeError("/secret/path")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/fault")

    answer = asyncio.run(ask())
    assert code(answer) == (500, "internal")
    assert "secret" not in answer.text
    assert "/secret/path" in caplog.text
