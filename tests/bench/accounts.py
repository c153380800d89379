"""The product, set up over HTTP as an operator would: the first administrator, a token, conversations to write to."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlencode

import orjson

SETUP_TOKEN = "bench-setup-token"
PASSWORD = "correct horse battery staple 41"
EMAIL = "ada@example.org"


class Account:
    """The first administrator of a running product."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.token = ""

    def set_up(self) -> str:
        """Make the administrator and return a bearer token."""
        body = {"username": "ada", "email": EMAIL, "password": PASSWORD}
        self._post("/api/setup", orjson.dumps(body), {"X-Setup-Token": SETUP_TOKEN})
        return self.log_in()

    def log_in(self) -> str:
        """Return a bearer token of the administrator made before."""
        form = urlencode({"username": EMAIL, "password": PASSWORD})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self.token = self._post("/auth/token", form.encode(), headers)["access_token"]
        return self.token

    def make_thread(self, title: str) -> tuple[str, str]:
        """Make a conversation with one message and return the ids of both."""
        conversation = self.post("/api/conversations", {"title": title})["conversation_id"]
        root = self.post(f"/api/threads/{conversation}/root", {"content": "Root", "role": "system"})
        return conversation, root["message_id"]

    def post(self, path: str, body: Any) -> Any:
        """Ask as the administrator."""
        return self._post(path, orjson.dumps(body), {"Authorization": f"Bearer {self.token}"})

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"} | headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"POST {path}: {answer.status} {data.decode()}")
        return orjson.loads(data) if data else None
