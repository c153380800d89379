"""Headers as bytes: what may begin another header, or is no text, is refused."""

from __future__ import annotations

from typing import Any

import pytest

from server import headerbytes


@pytest.mark.parametrize("name", ["Cache-Control", "X-Request-Id"])
@pytest.mark.parametrize("value", ["no\nSet-Cookie: a=b", "no\r", "\r\n", "\N{SNOWMAN}", b"no-store", 1])
def test_a_bad_value_is_refused(name: str, value: Any) -> None:
    for rest in ([], [("Vary", "Origin")]):
        with pytest.raises((ValueError, TypeError), match=r"."):
            headerbytes.lines([(name, value), *rest])


def test_a_bad_name_is_refused() -> None:
    with pytest.raises(ValueError, match="line's end"):
        headerbytes.lines([("X-A\r\nX-B", "1")])


def test_headers_keep_their_order_and_repeats() -> None:
    headers = [("Set-Cookie", "a=1"), ("Cache-Control", "no-store"), ("Set-Cookie", "b=\xe9"), ("Content-Length", "0")]
    lines, framing = headerbytes.lines(headers)
    assert lines == "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")
    assert framing == {"content-length": "0"}


def test_the_connection_header_is_left_to_the_connection() -> None:
    lines, framing = headerbytes.lines([("Connection", "close"), ("Vary", "Origin")])
    assert lines == b"Vary: Origin\r\n"
    assert framing == {"connection": "close"}


def test_a_status_with_a_line_end_is_refused() -> None:
    with pytest.raises(ValueError, match="line's end"):
        headerbytes.status_line("200 OK\r\nX-A: 1")
