"""A page of the service's own origin: it loads a program, and everything else is the service's."""

from __future__ import annotations

import http.client
import json
import queue
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.endpoint import running
from tests.processes import KeptProcess

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
_PAGE = """<!doctype html>
<meta charset="utf-8">
<script type="importmap">{"imports": {"accord-client": "/of-the-test/client/index.js"}}</script>
<script type="module" src="/of-the-test/programs/PROGRAM.js"></script>
"""
_OF_ONE_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "host"}
_SECONDS = 90.0


def find_browser() -> str | None:
    """Return the browser of this machine; None where it has none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@dataclass
class Site:
    """What a page is served. folders: of files, by name. told: what it may ask for. results: what it sends back."""

    page: str
    folders: Mapping[str, Path]
    service: tuple[str, int]
    told: Mapping[str, str]
    results: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        kind, _, rest = self.path.removeprefix("/of-the-test/").partition("/")
        if self.path == "/":
            self._give(self.site.page.encode(), "text/html")
        elif self.path == "/told":
            self._give(json.dumps(self.site.told).encode(), "application/json")
        elif kind in self.site.folders:
            self._give((self.site.folders[kind] / rest).read_bytes(), "text/javascript")
        else:
            self._forward()

    def do_POST(self) -> None:
        if self.path != "/result":
            self._forward()
            return
        self.site.results.put(json.loads(self._body()))
        self._give(b"", "text/plain")

    def _give(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _forward(self) -> None:
        """Hand the request to the service, and its answer back as it comes."""
        service = http.client.HTTPConnection(*self.site.service, timeout=_SECONDS)
        sent = {name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_HOP}
        service.request(self.command, self.path, self._body(), sent)
        answer = service.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_ONE_HOP:
                self.send_header(name, value)
        self.end_headers()
        try:
            while piece := answer.read1(65536):
                self.wfile.write(piece)
        except ConnectionError:
            pass  # the page has left a stream, which only its next write tells
        finally:
            service.close()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def visit(browser: str, folder: Path, program: str, site: Site) -> dict[str, Any]:
    """Have a browser open the page of a program and return what it sends back. folder: takes the browser's files."""
    site.page = _PAGE.replace("PROGRAM", program)
    with _serving(site) as url:
        command = [browser, *_FLAGS, f"--user-data-dir={folder / 'profile'}", url]
        process = KeptProcess(command, log=folder / "browser.log")
        try:
            return site.results.get(timeout=_SECONDS)
        except queue.Empty:
            raise AssertionError(f"nothing came of the page:\n{process.log_tail()}") from None
        finally:
            process.stop()


@contextmanager
def _serving(site: Site) -> Iterator[str]:
    with running(ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))) as server:
        yield f"http://127.0.0.1:{server.server_port}/"
