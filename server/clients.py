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
        address = _address(text)
        return address is not None and any(address in network for network in networks)

    def resolve(environ: Environ) -> tuple[str, bool]:
        peer, is_secure = _direct(environ)
        if not is_trusted(peer):
            return peer, is_secure
        forwarded = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
        hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        while hops and is_trusted(peer):
            peer = hops.pop()
        return str(_address(peer) or peer)[:64], is_secure or forwarded == "https"

    return resolve


def _address(hop: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read a hop's address without its port, which some proxies add and a client may change with every connection.

    An IPv4 address that a listener for both writes as IPv6 is that IPv4 address.
    """
    host = hop[1:].partition("]")[0] if hop.startswith("[") else hop
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address


def _direct(environ: Environ) -> tuple[str, bool]:
    return environ.get("REMOTE_ADDR") or "local", environ.get("wsgi.url_scheme") == "https"
