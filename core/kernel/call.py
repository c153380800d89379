"""What a handler is given and what it may answer: plain data, free of any web framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from core.kernel.principal import Principal

ParametersT = TypeVar("ParametersT", covariant=True)
BodyT = TypeVar("BodyT", covariant=True)
StatusT = TypeVar("StatusT", bound=int, covariant=True)


class RequestContext(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of the request that are not in its contract.

    client_address: the peer, or the first untrusted hop when trusted proxies are configured.
    credentials: scheme name of the contract → raw value, for operations that revoke or rotate what they were called with.
    prepared: what the operation's `prepare_` step returned (slow work done before the transaction), or None.
    """

    request_id: str
    operation_id: str
    path: str
    client_address: str
    user_agent: str
    is_secure: bool
    host: str
    credentials: Mapping[str, str]
    idempotency_key: str | None = None
    prepared: object = None


class Call(msgspec.Struct, Generic[ParametersT, BodyT], frozen=True, kw_only=True):
    """One decoded, validated, authorised request.

    parameters: the operation's generated parameter Struct (None when it declares none).
    body: the generated body type (None when the operation has none).
    """

    principal: Principal
    parameters: ParametersT
    body: BodyT
    context: RequestContext


class Cookie(msgspec.Struct, frozen=True, kw_only=True):
    """One Set-Cookie; max_age_seconds 0 deletes it."""

    name: str
    value: str
    max_age_seconds: int | None = None
    http_only: bool = True
    same_site: str = "Lax"
    secure: bool = False
    path: str = "/"


class Reply(msgspec.Struct, Generic[BodyT, StatusT], frozen=True):
    """An answer with more than a body: another status, headers or cookies.

    A handler whose operation has a single success status may return the body alone. `raw` bytes with `media_type`
    replace an encoded body where the contract declares a non-JSON media type. admitted: the user whom a login let in, where
    the body does not say so.
    """

    body: BodyT
    status: StatusT
    headers: Mapping[str, str] = {}
    cookies: tuple[Cookie, ...] = ()
    raw: bytes | None = None
    media_type: str | None = None
    admitted: UUID | None = None


class Event(msgspec.Struct, frozen=True):
    """One durable event of a channel.

    seq: position in the channel; grows in commit order. type: the SSE event name. id: the SSE id. data: JSON bytes.
    """

    channel: str
    seq: int
    type: str
    id: str
    data: bytes


class EventStream(msgspec.Struct, frozen=True, kw_only=True):
    """A server-sent event stream over a durable channel.

    after: deliver events with a greater seq; None begins with the events that come after opening.
    is_current: asked again whenever the security epoch moves; False ends the stream (membership removed).
    named: True writes event and id fields; False writes data-only frames (the OpenAI style).
    last_types: an event of one of these types is the stream's last.
    closing: bytes sent behind the last event (`data: [DONE]`).
    preamble: frames to send before the first event, already encoded.
    id_at: seq → the SSE id of that position. A named stream that has it begins with its position, so that a client which is cut
    before its first event knows where to go on.
    reset_event: (type, data) sent when `after` is older than what is kept; None for a channel that keeps everything.
    failure_event: (type, data) sent, as the last, in place of an event that breaks the contract; None ends without one.
    """

    channel: str
    after: int | None
    is_current: Callable[[], bool]
    named: bool = True
    last_types: frozenset[str] = frozenset()
    closing: bytes = b""
    preamble: bytes = b""
    id_at: Callable[[int], str] | None = None
    reset_event: tuple[str, bytes] | None = None
    failure_event: tuple[str, bytes] | None = None
    headers: Mapping[str, str] = {}
