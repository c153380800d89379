"""Reading a body: what is over the cap is refused before a byte of it is read."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from core.kernel.problems import PayloadTooLarge
from server.bodies import read_body
from server.request import Request


class Untouchable(BytesIO):
    """A body that nobody may read."""

    def read(self, size: int | None = -1) -> bytes:
        raise AssertionError(f"{size} bytes were read")


def _request(body: BytesIO, length: int) -> Request:
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(length), "wsgi.input": body}
    return Request(environ, "127.0.0.1", False)


@pytest.mark.parametrize("length", [11, 10**17, 10**30])
def test_a_body_over_the_cap_is_refused_unread(length: int) -> None:
    with pytest.raises(PayloadTooLarge):
        read_body(_request(Untouchable(), length), 10)


def test_a_body_as_long_as_the_cap_is_read() -> None:
    assert read_body(_request(BytesIO(b"0123456789"), 10), 10) == b"0123456789"
