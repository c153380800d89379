"""Headers as bytes: what may begin another header, or is no text, is refused however often it comes."""

from __future__ import annotations

from typing import Any

import pytest

from server import headerbytes


@pytest.mark.parametrize("name", ["Cache-Control", "X-Request-Id"])
@pytest.mark.parametrize("value", ["no\nSet-Cookie: a=b", "no\r", "\N{SNOWMAN}", b"no-store", 1])
def test_a_bad_value_is_refused_each_time(name: str, value: Any) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match=r"."):
            headerbytes.encode_all([(name, value)])


def test_a_bad_name_is_refused() -> None:
    with pytest.raises(ValueError, match="line's end"):
        headerbytes.encode_all([("X-A\r\nX-B", "1")])


def test_headers_keep_their_order_and_repeats() -> None:
    headers = [("Set-Cookie", "a=1"), ("Cache-Control", "no-store"), ("Set-Cookie", "b=\xe9"), ("Content-Length", "0")]
    encoded, varying = headerbytes.encode_all(headers)
    assert encoded == [(name.encode(), value.encode("latin-1")) for name, value in headers]
    assert varying["content-length"] == "0"


def test_secrets_are_not_kept() -> None:
    before = headerbytes.encode_once.cache_info().currsize
    headerbytes.encode_all([("Set-Cookie", "secret=1"), ("X-Request-Id", "never seen before")])
    assert headerbytes.encode_once.cache_info().currsize == before
