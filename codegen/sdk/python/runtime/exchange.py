"""One call from its request to its reply, tries and renewals included, as steps that any engine can perform.

A generator yields what is to be done (send this, wait so long) and is sent what came of it, so the sync and the async
client run the very same code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from os import urandom
from typing import NamedTuple, TypeAlias, TypeVar

from .credentials import Renewal, Token
from .errors import APIError, ConnectionFailed, TimedOut, class_of, code_of
from .files import File, Part
from .options import STREAM_SILENCE_SECONDS
from .state import Core
from .wire import Prepared, Reply

T = TypeVar("T")
_POLL_SECONDS = 0.02
_RENEWAL_TRIES = 3
_RENEWAL_WAITS = 250
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$")
"""What no header's value may have (RFC 9110, 5.5)."""


class Send(NamedTuple):
    """Send a request; is_stream: leave the body of a success unread."""

    operation: str
    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | File
    parts: tuple[Part, ...]
    timeout_seconds: float | None
    silence_seconds: float | None
    is_stream: bool

    def __repr__(self) -> str:
        """Return it without what a traceback that shows variables should not show."""
        return f"Send({self.operation})"


class Wait(NamedTuple):
    """Let time pass."""

    seconds: float


class Failed(NamedTuple):
    """No answer came. was_sent: whether the request may have reached the server."""

    error: Exception
    was_sent: bool
    is_timeout: bool


Step: TypeAlias = Send | Wait
Outcome: TypeAlias = Reply | Failed | None
Steps: TypeAlias = Generator[Step, Outcome, T]


def new_key() -> str:
    """Return a fresh Idempotency-Key."""
    return urandom(16).hex()


def _within_tries() -> bool:
    return False


def exchange(
    core: Core,
    prepared: Prepared,
    *,
    extra: Mapping[str, str] | None = None,
    is_stream: bool = False,
    goes_on: Callable[[], bool] = _within_tries,
) -> Steps[Reply]:
    """Return the success of a call.

    extra: headers of this exchange alone. goes_on: asked whether to try again once all tries are used up.

    Raises:
        StatusError: the server refused.
        ConnectionFailed: no answer came within all tries.
    """
    attempt, caught_up = 0, False
    most = prepared.options.get("max_retries", core.retry.max_retries)
    while True:
        alternative = tuple(core.credentials.choose(prepared.operation.security))
        token = yield from _current_token(core, alternative)
        used = token.value if token else None
        outcome = yield _address(core, prepared, alternative, extra or {}, is_stream=is_stream)
        if isinstance(outcome, Reply):
            core.credentials.learn(outcome.cookies)
            if outcome.status < 300 or prepared.operation.declares(outcome.status):
                return outcome
            if outcome.status == 401 and token is not None and not caught_up:
                caught_up = True
                if (yield from _has_successor(token, used)):
                    continue
        wait = _wait_seconds(core, prepared, outcome, attempt) if attempt < most or goes_on() else None
        if wait is None:
            raise _error(prepared, outcome)
        yield Wait(wait)
        attempt += 1


def _address(
    core: Core, prepared: Prepared, alternative: tuple[str, ...], extra: Mapping[str, str], *, is_stream: bool
) -> Send:
    """Complete a request with the client's base and credentials."""
    headers, query = core.credentials.headers(alternative)
    cookie = "; ".join(filter(None, (headers.pop("Cookie", None), prepared.headers.get("Cookie"))))
    base = (core.has_own_servers and prepared.operation.server) or core.base_url
    url = f"{base}{prepared.url}"
    for name, value in query:
        url += f"{'&' if '?' in url else '?'}{name}={value}"
    timeout = prepared.options.get("timeout_seconds", core.timeout_seconds)
    return Send(
        operation=prepared.operation.id,
        method=prepared.operation.method,
        url=url,
        headers=_sendable(
            {**core.headers, **headers, **prepared.headers, **({"Cookie": cookie} if cookie else {}), **extra}
        ),
        content=prepared.content,
        parts=prepared.parts,
        timeout_seconds=timeout,
        silence_seconds=STREAM_SILENCE_SECONDS if is_stream else timeout,
        is_stream=is_stream,
    )


def _sendable(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return headers that can be sent; the HTTP library's own complaint would show the value, which may be a secret."""
    for name, value in headers.items():
        if _UNSENDABLE.search(value):
            raise ValueError(
                f"the value for the header {name} has a line break, a control character or a blank at its ends: strip it"
            )
    return headers


def _wait_seconds(core: Core, prepared: Prepared, outcome: Outcome, attempt: int) -> float | None:
    """Return how long to wait before the next try; None when there shall be none."""
    may_repeat = prepared.operation.is_repeatable
    if isinstance(outcome, Failed):
        return core.retry.wait_seconds(attempt, None) if may_repeat or not outcome.was_sent else None
    assert outcome is not None
    asked = outcome.retry_after_seconds()
    status = outcome.status
    is_transient = status == 408 or (status >= 500 and status != 501)
    is_worth = status == 429 or (is_transient and may_repeat)
    if status == 409 and prepared.idempotency_key is not None:
        # Our own first try may still be running, or its transaction was in the way of another's.
        is_worth = attempt > 0 or asked is not None or code_of(outcome) == "request_in_progress"
    return core.retry.wait_seconds(attempt, asked) if is_worth else None


def _error(prepared: Prepared, outcome: Outcome) -> APIError:
    operation, key = prepared.operation.id, prepared.idempotency_key
    if isinstance(outcome, Reply):
        return class_of(outcome.status)(outcome, operation=operation, idempotency_key=key)
    assert isinstance(outcome, Failed)
    kind = TimedOut if outcome.is_timeout else ConnectionFailed
    error = kind(f"{operation}: {outcome.error}", operation=operation, was_sent=outcome.was_sent, idempotency_key=key)
    error.__cause__ = outcome.error
    return error


def _current_token(core: Core, alternative: tuple[str, ...]) -> Steps[Token | None]:
    """Return the token that a request will carry, renewed when it is due; one caller renews, others go on meanwhile."""
    renewal = core.renewal
    if renewal is None or renewal.scheme not in alternative:
        return None
    token = core.credentials.token(renewal.scheme)
    if token is not None and token.is_due and token.renewing.acquire(blocking=False):
        try:
            yield from _renew(core, renewal, token)
        finally:
            token.renewing.release()
    return token


def _renew(core: Core, renewal: Renewal, token: Token) -> Steps[None]:
    headers, _ = core.credentials.headers((renewal.scheme,))
    request = Send(
        "renewal", renewal.method, f"{core.base_url}{renewal.path}", _sendable({**core.headers, **headers}), b"", (),
        core.timeout_seconds, core.timeout_seconds, is_stream=False,
    )  # fmt: skip
    for attempt in range(_RENEWAL_TRIES):
        outcome = yield request
        if isinstance(outcome, Reply):
            successor = _successor(renewal, outcome)
            if successor is not None:
                token.replace(*successor)
                return
            break
        yield Wait(core.retry.wait_seconds(attempt, None) or 0.0)
    token.postpone()


def _successor(renewal: Renewal, reply: Reply) -> tuple[str, float | None] | None:
    """Return the token that an answer gives, and its lifetime (s) if told; None for a refusal, or what is no such answer."""
    try:
        answer = reply.json() if reply.status == 200 else None
    except ValueError:
        return None
    told = answer if isinstance(answer, dict) else {}
    value, expires_in = told.get(renewal.token), told.get(renewal.expires_in)
    return (value, expires_in if isinstance(expires_in, int | float) else None) if isinstance(value, str) else None


def _has_successor(token: Token, used: str | None) -> Steps[bool]:
    """Say whether the token was refused because another call has renewed it, waiting for one that is about to."""
    for _ in range(_RENEWAL_WAITS):
        if token.value != used or not token.renewing.locked():
            break
        yield Wait(_POLL_SECONDS)
    return token.value != used
