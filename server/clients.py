"""Who is at the other end: the client's address and whether it came by TLS, believing only trusted proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

from server.request import Environ

Resolver = Callable[[Environ], tuple[str, bool]]


def resolver(trusted: Iterable[str]) -> Resolver:
    """Build the function (environ → address, is_secure) for these trusted addresses and networks.

    Raises:
        ValueError: one of them is neither an address nor a network.
    """
    networks = tuple(ipaddress.ip_network(text, strict=False) for text in trusted)
    if not networks:
        return _direct

    def is_trusted(text: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in networks)

    def resolve(environ: Environ) -> tuple[str, bool]:
        peer, is_secure = _direct(environ)
        if not is_trusted(peer):
            return peer, is_secure
        forwarded = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
        hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        while hops and is_trusted(peer):
            peer = hops.pop()
        return peer[:64], is_secure or forwarded == "https"

    return resolve


def _direct(environ: Environ) -> tuple[str, bool]:
    return environ.get("REMOTE_ADDR") or "local", environ.get("wsgi.url_scheme") == "https"
