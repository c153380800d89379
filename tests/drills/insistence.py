"""A client that repeats a request with its Idempotency-Key until it is answered, as contracts with retries promise."""

from __future__ import annotations

import http.client
import time
import uuid
from threading import Thread
from typing import Any

from tests.client import Answer, Client, Person

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.05


class NeverAnswered(AssertionError):
    """Every repeat failed."""


def insist(client: Client, operation_id: str, *, as_: Person, key: str | None = None, **parts: Any) -> Answer:
    """Send a write until an answer comes that is final; the same key every time.

    A lost connection, 503 and the 409 of a request that is still in progress are no final answers.
    """
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            answer = client.call(operation_id, as_=as_, headers=headers, timeout_seconds=10, **parts)
        except (OSError, http.client.HTTPException):
            answer = None
        if answer is not None and not _is_passing(answer):
            return answer
        time.sleep(_PAUSE_SECONDS)
    raise NeverAnswered(f"{operation_id} in {_PATIENCE_SECONDS:g} s; last: {answer}")


def _is_passing(answer: Answer) -> bool:
    return answer.status == 503 or (answer.status == 409 and answer.code == "request_in_progress")


class Writer(Thread):
    """Writes to a thread without pause: each message once, however often its request must be repeated.

    acknowledged: content → the id that the server answered. doubts: what two answers to one key disagreed on.
    """

    def __init__(
        self, client: Client, person: Person, root_id: str, *, label: str, pause_seconds: float = 0.01
    ) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._person = person
        self._root_id = root_id
        self._label = label
        self._pause_seconds = pause_seconds
        self.acknowledged: dict[str, str] = {}
        self.doubts: list[str] = []
        self.failure: BaseException | None = None
        self.is_stopped = False

    def run(self) -> None:
        """Write until stopped."""
        try:
            while not self.is_stopped:
                self._write_one(f"{self._label} {len(self.acknowledged)}")
                time.sleep(self._pause_seconds)
        except AssertionError as failure:
            self.failure = failure

    def stop(self) -> None:
        """End it and pass on what made it fail."""
        self.is_stopped = True
        self.join(_PATIENCE_SECONDS + 10)
        assert not self.is_alive(), "a request is stuck"
        if self.failure is not None:
            raise self.failure

    def _write_one(self, content: str) -> None:
        """Write a message and ask once more with the same key: the answer must be the first one."""
        key = str(uuid.uuid4())
        first, second = (self._send(content, key) for _ in range(2))
        assert first.status == 201, first.text
        self.acknowledged[content] = first.json["message_id"]
        if second.content != first.content:
            self.doubts.append(f"{content}: {first.text} then {second.status} {second.text}")

    def _send(self, content: str, key: str) -> Answer:
        body = {"content": content, "role": "system"}
        path = {"parent_id": self._root_id}
        return insist(self._client, "messages_reply", as_=self._person, key=key, path=path, body=body)
