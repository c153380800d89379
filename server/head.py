"""The head of an HTTP/1.1 request (RFC 9112): its lines → what WSGI calls them, refusing what a proxy may read otherwise."""

from __future__ import annotations

import re
from http import HTTPStatus

REQUEST_LINE = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([^\x00-\x20\x7f]+) HTTP/1\.([01])")
_ABSOLUTE = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[^/?#]*")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ALLOWED = bytes(code for code in range(256) if code == 0x09 or (code >= 0x20 and code != 0x7F))
"""What a header may consist of (RFC 9110, 5.5): all but control characters."""
_ONCE = frozenset({"CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_HOST", "HTTP_TRANSFER_ENCODING", "HTTP_AUTHORIZATION"})
_names: dict[str, str] = {}


class Refused(Exception):
    """What came is no request that may be answered by the application; the connection ends."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def read_headers(lines: list[str]) -> dict[str, str]:
    """Return the headers of a head, whose first line is the request's, by their WSGI names.

    Raises:
        Refused: one is malformed, or occurs twice and may not.
    """
    fields = lines[1:]
    if "".join(fields).encode("latin-1").translate(None, _ALLOWED):
        raise Refused(HTTPStatus.BAD_REQUEST, "A header is malformed.")
    headers: dict[str, str] = {}
    for line in fields:
        name, separator, value = line.partition(":")
        key = _names.get(name) or _environ_key(name)
        value = value.strip(" \t")
        if not separator:
            raise Refused(HTTPStatus.BAD_REQUEST, "A header is malformed.")
        if key not in headers:
            headers[key] = value
        elif key in _ONCE:
            raise Refused(HTTPStatus.BAD_REQUEST, "A header that may occur once occurs twice.")
        else:
            headers[key] += ("; " if key == "HTTP_COOKIE" else ",") + value
    return headers


def _environ_key(name: str) -> str:
    """Return a header's WSGI name; "" for one with an underscore, which is dropped."""
    if not _TOKEN.fullmatch(name):
        raise Refused(HTTPStatus.BAD_REQUEST, "A header's name is malformed.")
    key = name.upper().replace("-", "_")
    if "_" in name:
        key = ""
    elif key not in {"CONTENT_LENGTH", "CONTENT_TYPE"}:
        key = f"HTTP_{key}"
    if len(_names) < 1000 and key:
        _names[name] = key
    return key


def read_target(target: str, method: str) -> str:
    """Return the path and query of a request's target (RFC 9112, 3.2).

    Raises:
        Refused: it is of a form that no request of this server has.
    """
    if target.startswith("/"):
        return target
    if match := _ABSOLUTE.match(target):
        rest = target[match.end() :]
        return rest if rest.startswith("/") else f"/{rest}"
    if target == "*" and method == "OPTIONS":
        return target
    raise Refused(HTTPStatus.BAD_REQUEST, "The request target is malformed.")


def read_content_length(headers: dict[str, str], version: str) -> int | None:
    """Return the length of the body in bytes; None when there is none, or when it comes in chunks (RFC 9112, 6.3).

    Raises:
        Refused: the length is no number, or there are two answers to it, or the request has no Host.
    """
    if version == "HTTP/1.1" and "HTTP_HOST" not in headers:
        raise Refused(HTTPStatus.BAD_REQUEST, "The Host header is missing.")
    encoding = headers.get("HTTP_TRANSFER_ENCODING")
    length = headers.get("CONTENT_LENGTH")
    if encoding is not None:
        if encoding.lower() != "chunked" or length is not None or version == "HTTP/1.0":
            raise Refused(HTTPStatus.BAD_REQUEST, "The body's length is ambiguous.")
        return None
    if length is None:
        return None
    if not (length.isascii() and length.isdigit()) or len(length) > 18:
        raise Refused(HTTPStatus.BAD_REQUEST, "The Content-Length is malformed.")
    return int(length)
