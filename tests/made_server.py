"""A web server on loopback with files that the test gives it, and the faults that real ones have."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Site:
    """What is served, and how badly."""

    files: dict[str, bytes]
    """Content by path, without the first slash."""
    break_off_after: list[int] = field(default_factory=list)
    """Bytes after which the next transfers end early, one number for each."""
    ranges: bool = True
    """Whether it can give a part of a file."""
    tag: str = '"1"'
    """The files' ETag."""
    shift: int = 0
    """How far from what was asked for a part begins."""
    asked: list[str] = field(default_factory=list)
    """The Range of each request, or nothing."""
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site = self.site
        site.asked.append(self.headers.get("Range", ""))
        content = site.files.get(self.path.removeprefix("/"))
        if content is None:
            self.send_error(404)
            return
        start = self._start(len(content))
        if start >= len(content) > 0:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            start += site.shift
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        body = content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", site.tag)
        self.end_headers()
        if site.break_off_after:
            body = body[: site.break_off_after.pop(0)]
            self.close_connection = True
        self.wfile.write(body)

    def _start(self, size: int) -> int:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        changed = self.headers.get("If-Range", self.site.tag) != self.site.tag
        return int(wanted[1]) if wanted and self.site.ranges and not changed else 0

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(site: Site) -> Iterator[Site]:
    """The site with its `url` set, while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
