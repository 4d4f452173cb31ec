"""The application: routes, the page, headers, and what every request passes through."""

import time
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import FileResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import vcd
from vcd.serve import playing, problems, queries, references
from vcd.serve.problems import Refused
from vcd.serve.queries import PROBLEM, READ
from vcd.serve.records import Health
from vcd.serve.service import COOKIE, Here, Role, Service, require_own_origin, role_of

PAGE = Path(__file__).parent / "page"
PAGE_FILES = {"": "index.html"} | {name: name for name in ("page.css", "page.js", "player.js", "icon.svg")}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}

router = APIRouter()


class Access(BaseModel):
    """What the page may do."""

    keys: bool = Field(description="Whether the service asks for keys.")
    role: Role | None


class KeyRequest(BaseModel):
    """A key that somebody typed into the page."""

    key: str = Field(max_length=200)


@router.get("/api/v1/health", responses=PROBLEM)
def health(here: Here) -> Health:
    """Whether the service can answer; needs no key."""
    references = len(here.library.current())
    counts = here.store.count("queued"), here.store.count("running")
    return Health(status="ok", version=vcd.__version__, references=references, queued=counts[0], running=counts[1])


@router.get("/metrics", dependencies=READ, responses=PROBLEM, response_class=Response)
def metrics(here: Here) -> Response:
    """Numbers for Prometheus."""
    numbers = here.metrics
    numbers.queued.set(here.store.count("queued"))
    numbers.running.set(here.store.count("running"))
    numbers.references.set(len(here.library.current()))
    numbers.openings.set(here.library.openings)
    return Response(generate_latest(numbers.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/api/v1/access", responses=PROBLEM)
def access(request: Request, here: Here) -> Access:
    """What the page may do with the key that it has."""
    if not here.settings.has_keys:
        return Access(keys=False, role="admin")
    given = request.headers.get("authorization", "").removeprefix("Bearer ") or request.cookies.get(COOKIE, "")
    return Access(keys=True, role=role_of(given, here.settings))


@router.post("/api/v1/access", responses=PROBLEM)
def sign_in(wanted: KeyRequest, request: Request, response: Response, here: Here) -> Access:
    """Keep a key as a cookie that no script can read, good for looking only: films are asked for without headers."""
    role = role_of(wanted.key, here.settings)
    if role is None:
        raise Refused(401, "wrong_key", "the service does not know this key")
    response.set_cookie(COOKIE, wanted.key, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return Access(keys=True, role=role)


def make_app(service: Service) -> FastAPI:
    """The application of a running service."""
    app = FastAPI(
        title="vcd", version=vcd.__version__, description="Find where a video or an image was copied from.",
        openapi_url="/api/openapi.json", docs_url=None, redoc_url=None,
    )  # fmt: skip
    app.state.service = service
    for part in (router, queries.router, references.router, playing.router):
        app.include_router(part)
    _serve_page(app)
    problems.install(app)
    app.add_middleware(Gatekeeper, service=service)
    if not service.settings.has_keys:
        _describe_without_keys(app)
    return app


def _describe_without_keys(app: FastAPI) -> None:
    """The description says what this service asks for, and it asks for no keys."""
    for operations in app.openapi()["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)


def _serve_page(app: FastAPI) -> None:
    def serve(name: str) -> Any:
        return lambda: FileResponse(PAGE / name)

    for path, name in PAGE_FILES.items():
        app.add_api_route(f"/{path}", serve(name), include_in_schema=False)


class Gatekeeper:
    """Outermost of all: refuses foreign pages, sets headers, counts."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin_s = time.monotonic()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name for name, _ in message["headers"]}  # a route knows better
                message["headers"] = [*message["headers"], *(each for each in _ENCODED if each[0] not in given)]
            await send(message)

        try:
            require_own_origin(Request(scope), self._service.settings)
            await self._app(scope, receive, send_with_headers)
        except Refused as error:
            await problems.respond(*problems.public(error))(scope, receive, send_with_headers)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._service.metrics.requests.labels(scope["method"], route, status).inc()
            self._service.metrics.request_s.labels(route).observe(time.monotonic() - begin_s)


_ENCODED = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
