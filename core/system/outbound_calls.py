"""Calls to addresses that others gave: bounded in time and size, never redirected.

The address is judged where the connection is made, after the name was resolved, and the connection goes to the address
that was judged: a name that resolves to another one the second time gains nothing. Imported where the first call is made: the HTTP
client takes as long to import as the database's.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import gevent
import httpcore
import msgspec

from core.kernel import settings
from core.system.outbound import check_url, resolve

BODY_LIMIT_BYTES = 1 << 20


class OutboundFailed(Exception):
    """There was no whole answer: unreachable, too slow, too large, or not HTTP."""


class Fetched(msgspec.Struct, frozen=True):
    """An answer, whatever its status."""

    status: int
    body: bytes


def fetch(method: str, url: str, *, headers: Mapping[str, str], content: bytes = b"") -> Fetched:
    """Send one request and return the whole answer; a redirection is an answer like any other.

    Raises:
        OutboundRefused, OutboundFailed: see the classes.
    """
    parts = check_url(url)
    seconds = settings.current().provider_timeout_seconds
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    asked = httpcore.URL(scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target=target)
    common = {"Host": parts.netloc, "Accept-Encoding": "identity", "User-Agent": "accord"}
    sent = tuple((common | dict(headers)).items())
    late = gevent.Timeout(seconds)
    try:
        with late:
            return _exchange(method, asked, sent, content, seconds)
    except gevent.Timeout as timeout:
        if timeout is not late:
            raise
        raise OutboundFailed(f"no whole answer in {seconds:g} s") from timeout
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise OutboundFailed(f"{type(error).__name__}: {error}") from error


def _exchange(
    method: str, url: httpcore.URL, headers: Sequence[tuple[str, str]], content: bytes, seconds: float
) -> Fetched:
    limits = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    with (
        httpcore.ConnectionPool(network_backend=_GuardedBackend(), ssl_context=_trust()) as pool,
        pool.stream(method, url, headers=headers, content=content, extensions={"timeout": limits}) as answer,
    ):
        body = b""
        for chunk in answer.iter_stream():
            body += chunk
            if len(body) > BODY_LIMIT_BYTES:
                raise OutboundFailed(f"the answer is over {BODY_LIMIT_BYTES} bytes")
        return Fetched(answer.status, body)


class _GuardedBackend(httpcore.SyncBackend):
    """Connects to addresses that were judged; the TLS layer still asks for the name."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: httpcore.NetworkError | None = None
        for address in resolve(host, port):
            try:
                return super().connect_tcp(str(address), port, timeout, local_address, socket_options)
            except httpcore.NetworkError as error:
                failure = error
        raise failure or httpcore.ConnectError("the name has no address")


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Read the machine's certificates once: it takes longer than a request."""
    return ssl.create_default_context()
