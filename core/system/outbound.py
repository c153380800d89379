"""Calls to addresses that others gave: https to public addresses alone, bounded in time and size, never redirected.

The address is judged where the connection is made, after the name was resolved, and the connection goes to the address
that was judged: a name that resolves to another one the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

import gevent
import httpcore
import msgspec

from core.kernel import settings

BODY_LIMIT_BYTES = 1 << 20
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_TRANSLATED = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
"""IPv6 that leads to an IPv4 address inside it: NAT64, 6to4, Teredo."""


class OutboundRefused(Exception):
    """The address may not be called; the message says why."""


class OutboundFailed(Exception):
    """There was no whole answer: unreachable, too slow, too large, or not HTTP."""


class Fetched(msgspec.Struct, frozen=True):
    """An answer, whatever its status."""

    status: int
    body: bytes


def check_url(url: str) -> SplitResult:
    """Return the parts of an address that may be called, as far as can be said without resolving its name.

    Raises:
        OutboundRefused: see the class.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise OutboundRefused("it cannot be read") from error
    if not host or not url.isascii() or parts.username is not None or parts.fragment or port == 0:
        raise OutboundRefused("it must have a host, and neither a user nor a fragment")
    literal = _literal(host)
    if literal is not None and not _may_reach(literal):
        raise OutboundRefused("its host is not a public address")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_own_machine(host) and settings.current().is_dev):
        return parts
    raise OutboundRefused("it must be https")


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
        for address in _resolve(host, port):
            try:
                return super().connect_tcp(str(address), port, timeout, local_address, socket_options)
            except httpcore.NetworkError as error:
                failure = error
        raise failure or httpcore.ConnectError("the name has no address")


def _resolve(host: str, port: int) -> list[_Address]:
    """Return the addresses of a name, all of which must be fit to be called."""
    literal = _literal(host)
    if literal is not None:
        found = [literal]
    else:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(ipaddress.ip_address(row[4][0]) for row in rows))
    if not all(_may_reach(address) for address in found):
        raise OutboundRefused("its name leads to an address that is not public")
    return found


def _may_reach(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    configured = settings.current()
    if any(address in ipaddress.ip_network(network) for network in configured.outbound_networks):
        return True
    if address.is_loopback:
        return configured.is_dev
    is_translated = any(address in network for network in _TRANSLATED)
    return address.is_global and not address.is_multicast and not is_translated


def _literal(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_own_machine(host: str) -> bool:
    literal = _literal(host)
    return host == "localhost" or (literal is not None and literal.is_loopback)


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Read the machine's certificates once: it takes longer than a request."""
    return ssl.create_default_context()
