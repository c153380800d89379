"""What travels: an operation, a call of it as a request, and the reply; free of any HTTP library."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET

from .errors import ResponseInvalid
from .files import File, Part, file_of, parts
from .options import Options
from .styles import aware, fields, joined, one_text, pair, pairs, path_segment

T = TypeVar("T")
_NO_OPTIONS: Options = {}


class Parameter(NamedTuple):
    """One parameter: its argument's name, its name in the contract and how a list or an object is written."""

    argument: str
    name: str
    location: Literal["path", "query", "header", "cookie"]
    style: str = "form"
    explode: bool = True
    is_json: bool = False


class Body(NamedTuple):
    """A request's body. members: argument → name in the body; empty when `body` is the whole of it.

    constants: members that this way of calling fixes. files: names of the members that are files. separators: field of a form
    that is a list → what stands between its items, where they are one text.
    """

    content_type: str
    members: Mapping[str, str] = {}
    constants: Mapping[str, Any] = {}
    files: frozenset[str] = frozenset()
    is_required: bool = True
    separators: Mapping[str, str] = {}


class Answer(NamedTuple):
    """One success: what its body becomes. type: None for no body, str or bytes for bodies that are not JSON."""

    status: int
    content_type: str
    type: Any


class Events(NamedTuple):
    """A stream's events. types: event name → type of its data; empty where the contract names none: then any event is read.

    is_plain: there are only unnamed events, or any, and a reader gets their data alone. cursor: the header that resumes;
    without one a cut stream is asked for again with its Idempotency-Key, and what was read is passed over.
    start: the query parameter that sets the first position, left out once there is a cursor.
    """

    types: Mapping[str, Any]
    is_plain: bool
    cursor: str | None
    start: str | None = None


class Operation:
    """One operation of the contract, with all that a call of it needs."""

    __slots__ = (
        "_decoders",
        "answers",
        "body",
        "deprecated",
        "events",
        "id",
        "is_idempotent",
        "method",
        "parameters",
        "path",
        "security",
        "server",
    )

    def __init__(
        self,
        id: str,
        method: str,
        path: str,
        *,
        parameters: Sequence[Parameter] = (),
        body: Body | None = None,
        answers: Sequence[Answer] = (),
        events: Events | None = None,
        security: Sequence[Sequence[str]] = (),
        is_idempotent: bool = False,
        deprecated: str | None = None,
        server: str = "",
    ) -> None:
        self.id = id
        self.method = method
        self.path = path
        self.parameters = parameters
        self.body = body
        self.answers = answers
        self.events = events
        self.security = security
        self.is_idempotent = is_idempotent
        self.deprecated = deprecated
        self.server = server
        self._decoders: dict[Any, Callable[[bytes], Any]] = {}

    @property
    def is_repeatable(self) -> bool:
        """Say whether a second try does no harm when the first may have arrived."""
        return self.is_idempotent or self.method in {"GET", "HEAD", "PUT", "OPTIONS"}

    def declares(self, status: int) -> bool:
        """Say whether the contract calls this status a success, as it does a redirect that begins a log-in."""
        return any(answer.status == status for answer in self.answers)

    def decode(self, reply: Reply) -> Any:
        """Return the typed value of a success.

        Raises:
            ResponseInvalid: the body is not what the contract says.
        """
        type_ = self._type(reply)
        if type_ is None:
            return None
        if type_ is str:
            return reply.text
        return reply.content if type_ is bytes else self.decode_json(type_, reply.content, reply)

    def decode_json(self, type_: Any, content: bytes, reply: Reply) -> Any:
        """Return JSON text as a value of a type.

        Raises:
            ResponseInvalid: it is none.
        """
        decode = self._decoders.get(type_)
        if decode is None:
            decode = self._decoders[type_] = msgspec.json.Decoder(type_).decode
        try:
            return decode(content)
        except (msgspec.DecodeError, ValueError) as error:
            raise ResponseInvalid(
                f"{self.id} answered {reply.status}: {error}", operation=self.id, reply=reply
            ) from error

    def _type(self, reply: Reply) -> Any:
        content_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        matching = [answer for answer in self.answers if answer.status == reply.status] or list(self.answers)
        exact = [answer for answer in matching if answer.content_type == content_type]
        chosen = (exact or matching)[0] if matching else None
        return None if chosen is None or not reply.content else chosen.type


class Prepared(NamedTuple):
    """A request, ready to be sent; url lacks the client's base, headers lack its credentials."""

    operation: Operation
    url: str
    headers: dict[str, str]
    content: bytes | File
    parts: tuple[Part, ...]
    idempotency_key: str | None
    options: Options

    def __repr__(self) -> str:
        """Return it without what a traceback that shows variables should not show."""
        return f"Prepared({self.operation.id})"


class Reply(NamedTuple):
    """An answer as it came; header names are lower-case.

    cookies: its Set-Cookie lines. stream: the HTTP library's response while it is open; content is empty then.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    cookies: Sequence[str] = ()
    stream: Any = None

    def __repr__(self) -> str:
        """Return it without headers and content, which may be secret."""
        return f"Reply(status={self.status}, {len(self.content)} bytes, request_id={self.request_id!r})"

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.content.decode("utf-8", "replace")

    @property
    def request_id(self) -> str | None:
        """Return what the server's log calls the request."""
        return self.headers.get("x-request-id")

    def json(self) -> Any:
        """Return the body as plain data, members that no type names included."""
        return json.loads(self.content)

    def retry_after_seconds(self) -> float | None:
        """Return how long the server asks to stay away, by Retry-After or an exhausted RateLimit; None: it does not."""
        after = self.headers.get("retry-after")
        if after is None and self.status == 429 and self.headers.get("ratelimit-remaining") == "0":
            after = self.headers.get("ratelimit-reset")
        if after is None:
            return None
        return float(after) if after.isdigit() else _seconds_until(after)


class Response(Generic[T]):
    """A success with all that came with it: `data` typed, `reply` as it was."""

    def __init__(self, operation: Operation, reply: Reply, idempotency_key: str | None) -> None:
        self._operation = operation
        self.reply = reply
        self.status = reply.status
        self.headers = reply.headers
        self.request_id = reply.request_id
        self.idempotency_key = idempotency_key

    @property
    def data(self) -> T:
        """Return the typed value."""
        value: T = self._operation.decode(self.reply)
        return value

    @property
    def etag(self) -> str | None:
        """Return the validator of what was read, for `if_match` and `if_none_match`."""
        return self.headers.get("etag")

    @property
    def is_replayed(self) -> bool:
        """Say whether this is the stored answer to an earlier request with the same Idempotency-Key."""
        return self.headers.get("idempotency-replayed") == "true"


def prepare(
    operation: Operation, arguments: Mapping[str, Any], options: Options | None, new_key: Callable[[], str]
) -> Prepared:
    """Write a call as a request.

    Raises:
        ValueError: a time without a zone, or nothing that could stand in the path.
        TypeError: an option that there is not.
    """
    options = options or _NO_OPTIONS
    if unknown := options.keys() - Options.__annotations__.keys():
        raise TypeError(f"unknown option {', '.join(sorted(unknown))}: there are {', '.join(Options.__annotations__)}")
    path, query, headers = _place(operation, arguments)
    query += [pair(name, value) for name, value in options.get("query", {}).items()]
    key = options.get("idempotency_key") or (new_key() if operation.is_idempotent else None)
    if key is not None:
        headers["Idempotency-Key"] = key
    for option, name in (("if_match", "If-Match"), ("if_none_match", "If-None-Match")):
        if option in options:
            headers[name] = str(options[option])  # type: ignore[literal-required]  # one of the two names above
    content, form = _write_body(operation, arguments, options, headers)
    headers.update(options.get("headers", {}))
    url = f"{path}?{'&'.join(query)}" if query else path
    return Prepared(operation, url, headers, content, form, key, options)


def _place(operation: Operation, arguments: Mapping[str, Any]) -> tuple[str, list[str], dict[str, str]]:
    """Return path, pairs of the query and headers."""
    path, query = operation.path, list[str]()
    headers = {
        "Accept": ", ".join({answer.content_type: None for answer in operation.answers if answer.content_type}) or "*/*"
    }
    if operation.events is not None:
        headers["Accept"] = "text/event-stream"
    for parameter in operation.parameters:
        value = arguments.get(parameter.argument, UNSET)
        if value is UNSET:
            continue
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", path_segment(parameter, value))
        elif parameter.location == "query":
            query += pairs(parameter, value)
        elif parameter.location == "header":
            headers[parameter.name] = joined(parameter, value)
        else:
            cookie = f"{parameter.name}={quote(joined(parameter, value))}"
            headers["Cookie"] = f"{headers['Cookie']}; {cookie}" if "Cookie" in headers else cookie
    return path, query, headers


def _write_body(
    operation: Operation, arguments: Mapping[str, Any], options: Options, headers: dict[str, str]
) -> tuple[bytes | File, tuple[Part, ...]]:
    body = operation.body
    if body is None:
        return b"", ()
    value = _body_value(body, arguments, options)
    if value is UNSET:
        return b"", ()
    if body.separators:
        value = {name: one_text(name, item, body.separators.get(name)) for name, item in value.items()}
    if body.content_type == "multipart/form-data":
        return b"", tuple(part for name, item in value.items() for part in parts(name, item))
    headers["Content-Type"] = body.content_type
    if body.content_type == "application/x-www-form-urlencoded":
        return urlencode(fields(value)).encode(), ()
    if "json" in body.content_type:
        return msgspec.json.encode(value), ()
    content = _as_it_is(operation, value)
    if "*" in body.content_type:
        told = content.content_type if isinstance(content, File) else None
        headers["Content-Type"] = told or "application/octet-stream"
    return content, ()


def _as_it_is(operation: Operation, value: Any) -> bytes | File:
    """Return a body that is not JSON."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    file = file_of(value)
    if file is None:
        raise TypeError(f"{operation.id} sends text, bytes or a file, not {type(value).__name__}")
    return file


def _body_value(body: Body, arguments: Mapping[str, Any], options: Options) -> Any:
    if not body.members and not body.constants:
        return arguments.get("body", UNSET)
    named = ((name, arguments.get(argument, UNSET)) for argument, name in body.members.items())
    value = {name: _checked(item) for name, item in named if item is not UNSET}
    value |= {**body.constants, **options.get("body", {})}
    return value if value or body.is_required else UNSET


def _checked(value: Any) -> Any:
    return aware(value) if isinstance(value, datetime) else value


def _seconds_until(moment: str) -> float | None:
    """Return the seconds until an HTTP date; None when it is none."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  (rare, and slow to load)

    try:
        until = parsedate_to_datetime(moment)
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(until.tzinfo)).total_seconds())
