"""A client whose every exchange is judged by the oracle, in process or over HTTP.

answer = client.call("conversations_create", body={"title": "Plans"}, as_=ada)
assert answer.status == 201
client.request("GET", "/api/nowhere").status == 404
with client.stream("streams_open_conversation", path={"conversation_id": id}, as_=ada) as stream:
    event = stream.next_event()
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import quote, unquote_to_bytes, urlencode, urlsplit

import gevent
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from tests.oracle import EVENT_STREAM, Answered, Asked, Oracle, SentEvent, parse_events

UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass
class Person:
    """A user and the credentials that a test holds of it.

    `token` is a bearer, `session` and `csrf` a browser's, `api_key` a key that the user made; the first that is there is sent:
    key, bearer, session.
    """

    user_id: str
    name: str
    email: str
    password: str
    token: str | None = None
    session: str | None = None
    csrf: str | None = None
    api_key: str | None = None

    def in_browser(self) -> Person:
        """Return the same person with the session alone."""
        return replace(self, token=None)

    def by_token(self) -> Person:
        """Return the same person with the bearer alone."""
        return replace(self, session=None, csrf=None)

    def headers(self, method: str) -> dict[str, str]:
        """Return the headers that authenticate a request of this method."""
        if self.api_key is not None:
            return {"x-api-key": self.api_key}
        if self.token is not None:
            return {"Authorization": f"Bearer {self.token}"}
        if self.session is None:
            return {}
        headers = {"Cookie": f"SESSION_ID={self.session}; CSRF-TOKEN={self.csrf}"}
        if method.upper() in UNSAFE_METHODS:
            headers["X-CSRF-TOKEN"] = self.csrf or ""
        return headers


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    headers: Headers
    content: bytes
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.content.decode()

    @property
    def json(self) -> Any:
        """Return the body as JSON data."""
        return json.loads(self.content)

    @property
    def code(self) -> str:
        """Return the code of a problem."""
        return str(self.json["code"])


class Transport(Protocol):
    """How a request reaches the server."""

    @contextmanager
    def exchange(self, asked: Asked, timeout_seconds: float) -> Iterator[Opened]:
        """Send a request and give the reply with its body still to be read."""


@dataclass
class Opened:
    """A reply whose status and headers are known; chunks ends when the body does."""

    status: int
    headers: Headers
    chunks: Iterator[bytes]


class StreamSilent(AssertionError):
    """No event came in time."""


class StreamEnded(Exception):
    """The server ended the stream."""


class InProcess:
    """Call a WSGI application in this process."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    @contextmanager
    def exchange(self, asked: Asked, timeout_seconds: float) -> Iterator[Opened]:
        """Run the application; chunks time out by a gevent timer, since the application waits in gevent."""
        started: list[tuple[int, Headers]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _failure: object = None) -> None:
            started.append((int(status.split(maxsplit=1)[0]), Headers(headers)))

        body = self._application(environ_of(asked), start_response)
        try:
            status, headers = started[-1]
            yield Opened(status, headers, _timed(body, timeout_seconds))
        finally:
            if (close := getattr(body, "close", None)) is not None:
                close()


class OverHttp:
    """Call a running server; every exchange has its own connection unless one is kept."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    @contextmanager
    def exchange(self, asked: Asked, timeout_seconds: float) -> Iterator[Opened]:
        """Send the request over a new connection."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout_seconds)
        try:
            connection.putrequest(asked.method, asked.target, skip_accept_encoding=True)
            for name, value in asked.headers:
                connection.putheader(name, value)
            if asked.body or asked.method.upper() in UNSAFE_METHODS:
                connection.putheader("Content-Length", str(len(asked.body)))
            connection.endheaders(asked.body)
            with connection.getresponse() as response:  # a stream's socket is the response's, not the connection's
                yield Opened(response.status, Headers(response.getheaders()), _read_available(response))
        finally:
            connection.close()


def environ_of(asked: Asked) -> dict[str, Any]:
    """Return the WSGI environ of a request, as a server on the loopback interface would make it."""
    url = urlsplit(asked.target)
    environ = EnvironBuilder(method=asked.method, headers=asked.headers, data=asked.body).get_environ()
    environ |= {"PATH_INFO": _unquoted(url.path), "QUERY_STRING": url.query, "REMOTE_ADDR": "127.0.0.1"}
    return environ | {"REQUEST_URI": asked.target, "RAW_URI": asked.target}


def _unquoted(path: str) -> str:
    """Undo the percent encoding as a WSGI server does: bytes in latin-1."""
    return unquote_to_bytes(path).decode("latin-1")


def _timed(chunks: Iterable[bytes], timeout_seconds: float) -> Iterator[bytes]:
    iterator = iter(chunks)
    while True:
        with gevent.Timeout(timeout_seconds, StreamSilent(f"nothing came in {timeout_seconds} s")):
            chunk = next(iterator, None)
        if chunk is None:
            return
        yield chunk


def _read_available(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := response.read1(65_536):
            yield chunk
    except TimeoutError as error:
        raise StreamSilent("nothing came in time") from error


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode()


class Stream:
    """An open event stream; every event is judged as it is read."""

    def __init__(self, oracle: Oracle, operation_id: str, opened: Opened) -> None:
        self.status = opened.status
        self.headers = opened.headers
        self.comments: list[str] = []
        self.opened_at: str | None = None
        self._check = lambda event: oracle.check_event(operation_id, opened.status, event)
        self._frames = parse_events(_lines(opened.chunks))

    def next_event(self) -> SentEvent:
        """Return the next event; comments on the way are kept in `comments`.

        Raises:
            StreamEnded: the server ended the stream.
            StreamSilent: nothing came within the stream's timeout.
            ContractBroken: the event is not one that the contract declares.
        """
        for frame in self._frames:
            if isinstance(frame, str):
                self.comments.append(frame)
                continue
            if frame.data is None:
                self.opened_at = frame.id
                continue
            self._check(frame)
            return frame
        raise StreamEnded

    def events_until(self, *types: str) -> list[SentEvent]:
        """Return the events up to the first of one of these types, which is the last returned."""
        events = [self.next_event()]
        while events[-1].event not in types:
            events.append(self.next_event())
        return events

    def rest(self) -> list[SentEvent]:
        """Return every event until the server ends the stream."""
        events: list[SentEvent] = []
        while True:
            try:
                events.append(self.next_event())
            except StreamEnded:
                return events


class Client:
    """Call operations by name, or any path, and have every exchange judged."""

    def __init__(self, transport: Transport, oracle: Oracle) -> None:
        self.transport = transport
        self.oracle = oracle

    def call(
        self, operation_id: str, *, as_: Person | None = None, timeout_seconds: float = 30, **parts: Any
    ) -> Answer:
        """Call an operation: path, query, headers (dicts), body (JSON data) or data (bytes), as a person or nobody."""
        asked = self.asked(operation_id, as_=as_, **parts)
        return self._exchange(asked, operation_id, timeout_seconds)

    def request(
        self,
        method: str,
        target: str,
        *,
        as_: Person | None = None,
        headers: Mapping[str, str] | None = None,
        data: bytes = b"",
        timeout_seconds: float = 30,
    ) -> Answer:
        """Send any request; target is the raw path with its query."""
        return self._exchange(Asked(method, target, _headers(method, headers, as_), data), None, timeout_seconds)

    @contextmanager
    def stream(
        self, operation_id: str, *, as_: Person | None = None, timeout_seconds: float = 10, **parts: Any
    ) -> Iterator[Stream]:
        """Open an event stream; the block's end disconnects. timeout_seconds bounds the wait for each event.

        Raises:
            AssertionError: the answer is not an event stream.
        """
        asked = self.asked(operation_id, as_=as_, **parts)
        with self.transport.exchange(asked, timeout_seconds) as opened:
            head = Answered(opened.status, opened.headers, b"")
            if head.media_type != EVENT_STREAM:
                body = b"".join(opened.chunks)
                raise AssertionError(f"{operation_id}: {opened.status} {head.media_type}: {body[:600]!r}")
            self.oracle.check(asked, head, operation_id)
            yield Stream(self.oracle, operation_id, opened)

    def asked(
        self,
        operation_id: str,
        *,
        as_: Person | None = None,
        path: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        data: bytes | None = None,
    ) -> Asked:
        """Build the request of an operation without sending it."""
        operation = self.oracle.operations[operation_id]
        target = operation.path
        for name, value in (path or {}).items():
            target = target.replace(f"{{{name}}}", quote(str(value), safe=""))
        if query:
            target += "?" + urlencode(_query_pairs(query))
        method = operation.method.upper()
        sent = _headers(method, headers, as_)
        content = b"" if data is None else data
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        return Asked(method, target, sent, content)

    def _exchange(self, asked: Asked, operation_id: str | None, timeout_seconds: float) -> Answer:
        with self.transport.exchange(asked, timeout_seconds) as opened:
            content = b"".join(opened.chunks)
        self.oracle.check(asked, Answered(opened.status, opened.headers, content), operation_id)
        return Answer(opened.status, opened.headers, content, _cookies(opened.headers))


def _query_pairs(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        for item in value if isinstance(value, list | tuple) else [value]:
            pairs.append((name, str(item).lower() if isinstance(item, bool) else str(item)))
    return pairs


def _headers(method: str, headers: Mapping[str, str] | None, person: Person | None) -> Headers:
    sent = Headers(person.headers(method) if person else {})
    sent.update(headers or {})
    return sent


def _cookies(headers: Headers) -> dict[str, str]:
    cookies = {}
    for line in headers.getlist("Set-Cookie"):
        name, _, rest = line.partition("=")
        cookies[name] = rest.partition(";")[0]
    return cookies
