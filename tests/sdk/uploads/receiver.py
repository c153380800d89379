"""A server that takes uploads, parses them by werkzeug, and answers what came."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.datastructures import FileStorage
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from tests.endpoint import running


class Receiver:
    """lengths: Content-Length of each request that came, None where there was none."""

    def __init__(self) -> None:
        self.lengths: list[int | None] = []
        self.port = 0

    @Request.application
    def answer(self, request: Request) -> Response:
        """Tell sizes and digests of the files, and the other members as text."""
        self.lengths.append(request.content_length)
        members = dict(request.form.items()) | {
            f"{name}.{number}": f"{file.filename} {file.content_type}"
            for name in request.files
            for number, file in enumerate(request.files.getlist(name))
        }
        files = [file for name in ("file", "more") for file in request.files.getlist(name)]
        contents = [file.read() for file in files] or [request.get_data()]
        if focus := request.files.get("focus"):
            members["focus"] = _text(focus)
        told = {
            "sizes": [len(content) for content in contents],
            "digests": [hashlib.sha256(content).hexdigest() for content in contents],
            "members": members,
        }
        return Response(json.dumps(told), content_type="application/json")


def _text(file: FileStorage) -> str:
    return file.read().decode()


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Hold a server; gives what came."""
    receiver = Receiver()
    server = make_server("127.0.0.1", 0, receiver.answer, threaded=True, request_handler=_Quiet)
    receiver.port = server.server_port
    with running(server):
        yield receiver
