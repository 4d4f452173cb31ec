"""What a client is told when something is wrong: JSON with a code and a sentence, never a stack trace."""

import logging
import sqlite3

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from vcd.errors import InputError, LibraryLocked, VcdError

logger = logging.getLogger(__name__)

CODES = {404: "not_found", 405: "method_not_allowed"}
"""Of what the framework refuses by itself."""
BUSY_S = 5
"""When to try again."""


class Refused(Exception):
    """A request that is not granted."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def public(error: Exception) -> tuple[int, str, str]:
    """Status, code and message of an error for a client; what is the operator's concern is not told."""
    if isinstance(error, Refused):
        return error.status, error.code, error.message
    if isinstance(error, InputError):
        return 422, "unreadable_media", error.reason
    if isinstance(error, LibraryLocked):
        return 503, "library_locked", "another program is writing to the library; try again later"
    if isinstance(error, VcdError):
        return 503, "unavailable", "the service cannot do this now; its log says why"
    if isinstance(error, sqlite3.Error):
        return 507, "storage_failed", "the service cannot write to its disk; its log says why"
    return 500, "internal", "something went wrong that should not have; the service's log says what"


def respond(status: int, code: str, message: str) -> JSONResponse:
    headers = {
        429: {"Retry-After": str(BUSY_S)},
        503: {"Retry-After": str(BUSY_S)},
        401: {"WWW-Authenticate": "Bearer"},
    }
    return JSONResponse({"code": code, "message": message}, status, headers.get(status))


def install(app: FastAPI) -> None:
    """Answer every error of the application in this way."""

    def explain(_: Request, error: Exception) -> JSONResponse:
        found = public(error)
        if found[0] >= 500 and not isinstance(error, Refused | LibraryLocked):
            logger.error("%s: %s", type(error).__name__, error, exc_info=found[0] == 500)
        return respond(*found)

    def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        faults = [f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}" for fault in error.errors()]
        return respond(422, "invalid_request", "; ".join(faults))

    def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        answer = respond(error.status_code, CODES.get(error.status_code, "bad_request"), str(error.detail))
        answer.headers.update(error.headers or {})
        if error.status_code == 405:
            answer.headers["Allow"] = ", ".join(_methods(app, request.url.path))
        return answer

    for kind in (Refused, VcdError, sqlite3.Error, Exception):
        app.add_exception_handler(kind, explain)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)


def _methods(app: FastAPI, path: str) -> list[str]:
    """What may be done with a path; the framework names the methods of its first route only."""
    found = set()
    for method in ("DELETE", "GET", "HEAD", "POST"):
        scope = {"type": "http", "method": method, "path": path, "root_path": ""}
        if any(route.matches(scope)[0] is Match.FULL for route in app.routes):
            found.add(method)
    return sorted(found)
