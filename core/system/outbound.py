"""Which addresses that others gave may be called: https to public addresses alone."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from core.kernel import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_TRANSLATED = ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "::ffff:0:0:0/96")
"""IPv6 that leads to an IPv4 address inside it: NAT64, 6to4, Teredo, IPv4-compatible (RFC 4291), SIIT (RFC 2765)."""
_SPECIAL = ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "5f00::/16")
"""What IANA lists as of special purpose, or once did, and not every Python knows; a cloud's metadata are at 192.0.0.192."""
_NOT_PUBLIC = tuple(ipaddress.ip_network(network) for network in (*_TRANSLATED, *_SPECIAL))


class OutboundRefused(Exception):
    """The address may not be called; the message says why."""


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


def resolve(host: str, port: int) -> list[Address]:
    """Return the addresses of a name, all of which must be fit to be called.

    Raises:
        OutboundRefused: one is not public.
        OSError: the name cannot be resolved.
    """
    literal = _literal(host)
    if literal is not None:
        found = [literal]
    else:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(ipaddress.ip_address(row[4][0]) for row in rows))
    if not all(_may_reach(address) for address in found):
        raise OutboundRefused("its name leads to an address that is not public")
    return found


def _may_reach(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    configured = settings.current()
    if any(address in ipaddress.ip_network(network) for network in configured.outbound_networks):
        return True
    if address.is_loopback:
        return configured.is_dev
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_PUBLIC)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_own_machine(host: str) -> bool:
    literal = _literal(host)
    return host == "localhost" or (literal is not None and literal.is_loopback)
