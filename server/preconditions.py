"""ETags and conditional requests (RFC 9110, 8.8 and 13): validators are hashes of the encoded representation."""

from __future__ import annotations

import hashlib
import re

from core.kernel.problems import PreconditionFailed
from server.answer import Answer

_TAG = re.compile(r'(W/)?"([!#-~\x80-\xff]*)"')


def etag(body: bytes) -> str:
    """Return the strong validator of a representation."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def validated(answer: Answer, if_none_match: str | None) -> Answer:
    """Give a 200 its ETag unless its handler did, or turn it into 304 when the caller has this representation."""
    made = next((value for name, value in answer.headers if name == "ETag"), None)
    tag = made or etag(answer.body)
    if if_none_match is not None and _matches(if_none_match, tag, weak=True):
        kept = [pair for pair in answer.headers if pair[0] not in {"Content-Type", "ETag"}]
        return Answer(304, [*kept, ("ETag", tag)])
    if made is None:
        answer.headers.append(("ETag", tag))
    return answer


def check_match(if_match: str, body: bytes) -> None:
    """Compare If-Match with the current representation.

    Raises:
        PreconditionFailed: it is another one.
    """
    if not _matches(if_match, etag(body), weak=False):
        raise PreconditionFailed("The resource has changed since that ETag.")


def _matches(header: str, tag: str, *, weak: bool) -> bool:
    if header.strip() == "*":
        return True
    return any(f'"{opaque}"' == tag and (weak or not prefix) for prefix, opaque in _TAG.findall(header))
