"""All that requests share, and who may make them."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from vcd.resident import ResidentLibrary
from vcd.serve.folders import Folders
from vcd.serve.metrics import Metrics
from vcd.serve.problems import Refused
from vcd.serve.runner import Runner
from vcd.serve.settings import LOOPBACK, ServeSettings
from vcd.serve.store import JobStore
from vcd.serve.uploads import Intake

Role = Literal["read", "admin"]
COOKIE = "vcd_key"
SAFE = ("GET", "HEAD")

_bearer = HTTPBearer(auto_error=False, description="A key for reading or for administration; none if none are set.")


@dataclass(frozen=True, slots=True)
class Service:
    """What requests need."""

    settings: ServeSettings
    folders: Folders
    root: Path | None
    store: JobStore
    library: ResidentLibrary
    runner: Runner
    intake: Intake
    metrics: Metrics


def _service(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


Here = Annotated[Service, Depends(_service)]


def role_of(key: str, settings: ServeSettings) -> Role | None:
    """What a key allows. All keys are compared, each in a time that does not depend on what is in them."""
    given = hashlib.sha256(key.encode()).digest()
    found: Role | None = None
    keys: list[tuple[Role, str]] = [("read", each) for each in settings.read_keys]
    for role, each in [*keys, *(("admin", each) for each in settings.admin_keys)]:
        if hmac.compare_digest(given, hashlib.sha256(each.encode()).digest()):
            found = "admin" if role == "admin" else "read"
    return found


def require(role: Role) -> Callable[..., None]:
    """A dependency that lets only those pass who may.

    The page's cookie is enough for looking only, so that no other site can make a browser change anything.
    """

    def check(
        request: Request, here: Here, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> None:
        if not here.settings.has_keys:
            return
        key = bearer.credentials if bearer else request.cookies.get(COOKIE, "") if request.method in SAFE else ""
        found = role_of(key, here.settings)
        if found is None:
            raise Refused(401, "no_key" if not key else "wrong_key", "send a valid key: Authorization: Bearer KEY")
        if role == "admin" and found != "admin":
            raise Refused(403, "not_allowed", "this needs a key for administration")

    return check


def require_own_origin(request: Request, settings: ServeSettings) -> None:
    """Refuse names that are not ours (DNS rebinding), and what pages of other sites make a browser send."""
    host = request.headers.get("host", "")
    name = urlsplit(f"//{host}").hostname or ""
    known = settings.hosts or (() if settings.has_keys else LOOPBACK)
    if known and name not in known:
        raise Refused(421, "wrong_host", "the service does not answer to this name")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        raise Refused(403, "wrong_origin", "the request comes from a page of another site")
    if origin is None and request.method not in SAFE and request.headers.get("sec-fetch-site") == "cross-site":
        raise Refused(403, "wrong_origin", "the request comes from a page of another site")
