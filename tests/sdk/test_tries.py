"""When a client tries again, when it does not, and what it makes of answers that are not as usual."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from datetime import datetime
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.sdk.driving import KINDS, Driver, Reading, Script
from tests.sdk.scripted import Row, Scripted, scripted

CREATED = Row(201, {"conversation_id": str(uuid.UUID(int=7))})
LIVENESS = Row(200, {"status": "live"})
IN_PROGRESS = Row(409, {"code": "request_in_progress", "title": "Still running", "status": 409})
LOST = Row(0)


@pytest.fixture(params=KINDS)
def driver(request: pytest.FixtureRequest, sdk: ModuleType) -> Driver:
    return Driver(sdk, request.param)


def _client(driver: Driver, server: Scripted, **told: Any) -> Any:
    retry = driver.sdk.Retry(max_retries=3, first_seconds=0.01)
    return driver.client(server.url, **{"bearer": "token", "retry": retry, **told})


def _hasty(driver: Driver, server: Scripted) -> Any:
    return _client(driver, server, retry=driver.sdk.Retry(first_seconds=0.01, longest_seconds=0.02))


def _create(client: Any, **options: Any) -> Script:
    return (yield client.conversations.create(title="x", options=options))


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([LOST, CREATED], id="no answer"),
        pytest.param([Row(201, CREATED.body, is_cut=True), CREATED], id="half an answer"),
        pytest.param([Row(503, {}), Row(500, {}), Row(502, "bad gateway"), CREATED], id="5xx"),
        pytest.param([Row(408, {}), CREATED], id="408"),
        pytest.param([Row(507, {}), Row(524, "a proxy's"), CREATED], id="5xx of proxies"),
        pytest.param([Row(409, {}, {"Retry-After": "0"}), CREATED], id="409 that says when to come back"),
        pytest.param([Row(429, {}, {"Retry-After": "0"}), CREATED], id="429"),
        pytest.param([IN_PROGRESS, CREATED], id="409 while the first try runs"),
        pytest.param(
            [LOST, Row(409, {"error": {"code": "CONFLICT", "message": "busy"}}), CREATED], id="409 after a lost answer"
        ),
    ],
)
def test_a_safe_call_is_tried_again_with_one_key(driver: Driver, rows: list[Row]) -> None:
    with scripted(*rows) as server:
        made = driver.run(_create(_client(driver, server)))
        assert made.conversation_id == uuid.UUID(int=7)
        assert len(server.asked) == len(rows)
        assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 1
        assert len({asked.body for asked in server.asked}) == 1


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        pytest.param([Row(409, {"code": "conflict"})], "Conflict", id="a real conflict"),
        pytest.param([Row(400, {})], "BadRequest", id="400"),
        pytest.param([Row(423, {})], "Locked", id="423"),
        pytest.param([Row(429, {}, {"Retry-After": "3600"})], "RateLimited", id="asked to stay away for an hour"),
        pytest.param([Row(503, {})] * 4, "Unavailable", id="every try fails"),
        pytest.param([LOST] * 4, "ConnectionFailed", id="no answer to any try"),
        pytest.param([Row(302, {}, {"Location": "/"})], "StatusError", id="redirect"),
        pytest.param(
            [Row(201, {"conversation_id": "no uuid"})], "ResponseInvalid", id="an answer that breaks the contract"
        ),
    ],
)
def test_a_call_fails_with_its_own_class(driver: Driver, rows: list[Row], name: str) -> None:
    with scripted(*rows) as server:
        with pytest.raises(driver.sdk.APIError) as failed:
            driver.run(_create(_client(driver, server)))
        assert type(failed.value).__name__ == name
        assert len(server.asked) == len(rows)
        assert failed.value.operation == "conversations_create"
        if name != "ResponseInvalid":
            assert failed.value.idempotency_key == server.asked[0].headers["idempotency-key"]


def test_a_call_that_is_not_safe_is_not_repeated(driver: Driver) -> None:
    def login(client: Any) -> Script:
        yield client.sessions.login(email="ada@example.com", password="correct horse battery")

    with scripted(LOST) as server:
        with pytest.raises(driver.sdk.ConnectionFailed) as failed:
            driver.run(login(_client(driver, server)))
        assert failed.value.was_sent
        assert "idempotency-key" not in server.asked[0].headers


def test_a_call_that_reached_nobody_is_repeated_though_unsafe(driver: Driver) -> None:
    with scripted() as server:
        url = server.url
    began = time.monotonic()
    with pytest.raises(driver.sdk.ConnectionFailed) as failed:
        driver.run(_login(driver.client(url, retry=driver.sdk.Retry(max_retries=2, first_seconds=0.2))))
    assert not failed.value.was_sent
    assert time.monotonic() - began > 0.2, "no second try was waited for"


def _login(client: Any) -> Script:
    yield client.sessions.login(email="ada@example.com", password="correct horse battery")


@pytest.mark.parametrize("headers", [{"Retry-After": "1"}, {"RateLimit-Remaining": "0", "RateLimit-Reset": "1"}])
def test_what_the_server_asks_for_is_waited(driver: Driver, headers: dict[str, str]) -> None:
    with scripted(Row(429, {}, headers), CREATED) as server:
        began = time.monotonic()
        driver.run(_create(_client(driver, server)))
        assert time.monotonic() - began >= 1.0


def test_options_of_one_call(driver: Driver) -> None:
    told = {"headers": {"X-Mark": "1"}, "query": {"q": "a b"}, "idempotency_key": "mine", "body": {"extra": None}}

    def script(client: Any) -> Script:
        with pytest.raises(driver.sdk.Unavailable):
            yield from _create(client, max_retries=0)
        yield from _create(client, **told)
        other = client.with_options(headers={"X-All": "1"})
        assert other.core.credentials is client.core.credentials
        yield from _create(other)

    with scripted(Row(503, {}), CREATED, CREATED) as server:
        driver.run(script(_client(driver, server)))
        sent = server.asked[1]
        assert sent.path == "/api/conversations?q=a%20b"
        assert (sent.headers["x-mark"], sent.headers["idempotency-key"]) == ("1", "mine")
        assert sent.body == b'{"title":"x","extra":null}'
        assert server.asked[2].headers["x-all"] == "1"


def test_a_slow_answer_times_out(driver: Driver, sdk: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = driver.client(f"http://127.0.0.1:{silent.getsockname()[1]}", bearer="t")
        with pytest.raises(sdk.TimedOut):
            driver.run(_create(client, timeout_seconds=0.1, max_retries=1))


def test_a_list_that_leads_to_itself_is_refused_instead_of_cut(driver: Driver) -> None:
    page = Row(200, {"threads": [], "next_after": "1.1"})

    def script(client: Any) -> Script:
        yield client.threads.list(uuid.UUID(int=0))

    with scripted(page, page) as server:
        with pytest.raises(driver.sdk.ResponseInvalid, match="threads_list answered with a page behind itself"):
            driver.run(script(_client(driver, server)))
        assert not server.rows


def test_a_credential_is_asked_for_once_a_try(driver: Driver) -> None:
    asked = iter("abc")
    with scripted(Row(503, {}), CREATED) as server:
        driver.run(_create(_client(driver, server, bearer=lambda: next(asked))))
        assert [sent.headers["authorization"] for sent in server.asked] == ["Bearer a", "Bearer b"]


def test_a_session_sends_the_cookie_that_its_header_repeats(driver: Driver) -> None:
    cookies = {"SESSION_ID": "s", "CSRF-TOKEN": "c"}
    with scripted(CREATED) as server:
        driver.run(_create(_client(driver, server, bearer=None, cookies=cookies)))
        sent = server.asked[0].headers
        assert (sent["cookie"], sent["x-csrf-token"]) == ("SESSION_ID=s; CSRF-TOKEN=c", "c")


def test_an_older_client_takes_what_it_does_not_know(driver: Driver) -> None:
    memory = {"heapUsed": 1, "heapTotal": 2, "added_later": 3}
    report = {"status": "half-alive", "uptime": 1.5, "version": "9", "memory": memory, "added_later": {"x": 1}}

    def script(client: Any) -> Script:
        answer = yield client.health.report.raw()
        assert answer.reply.json()["added_later"] == {"x": 1}
        assert (answer.data.status, answer.data.memory.heap_total) == ("half-alive", 2.0)

    with scripted(Row(200, report)) as server:
        driver.run(script(_client(driver, server)))


def test_no_call_changes_its_path_or_sends_a_time_without_zone(driver: Driver) -> None:
    with scripted() as server:
        client = _client(driver, server)

        def dots() -> Script:
            yield client.invites.revoke("..")

        def naive() -> Script:
            yield client.api_keys.create(uuid.UUID(int=0), name="x", expires_at=datetime(2030, 1, 1))

        for script in (dots, naive):
            with pytest.raises(ValueError, match=r"path|time zone"):
                driver.run(script())
        assert not server.asked


EVENT_ID = f"{uuid.UUID(int=0)}:{uuid.UUID(int=0)}:-1:%d"
STREAM = {"Content-Type": "text/event-stream"}


def _frame(number: int) -> str:
    data = f'{{"type": "thread.activity", "payload": {{"root_id": "{uuid.UUID(int=number)}", "last_activity_at": "2026-11-22T09:31:00Z"}}}}'
    return f"event: thread.activity\nid: {EVENT_ID % number}\ndata: {data}\n\n"


def test_a_cut_stream_goes_on_where_it_was(driver: Driver) -> None:
    unknown = 'event: invented.later\nid: x\ndata: {"a": 1}\n\n'
    half = _frame(3)[:-20]
    with scripted(
        Row(200, f"retry: 1\n\n{_frame(1)}{_frame(2)}{half}", STREAM, is_cut=True),
        Row(503, {}),
        Row(200, f"{_frame(3)}{unknown}{_frame(4)}", STREAM),
        Row(204),
    ) as server:
        stream = _client(driver, server).streams.open_conversation(uuid.UUID(int=9), since=5)
        events = driver.run(_read(stream))
        assert [event.data.payload.root_id.int for event in events] == [1, 2, 3, 4]
        assert ["since=5" in asked.path for asked in server.asked] == [True, False, False, False]
        assert [asked.headers.get("last-event-id") for asked in server.asked] == [
            None,
            EVENT_ID % 2,
            EVENT_ID % 2,
            EVENT_ID % 4,
        ]


def test_a_stream_cut_before_its_first_event_goes_on_from_its_position(driver: Driver) -> None:
    half = f"event: thread.activity\nid: {EVENT_ID % 8}\n"
    with scripted(
        Row(200, f"retry: 1\n\nid: {EVENT_ID % 7}\n\n{half}", STREAM, is_cut=True),
        Row(200, _frame(8), STREAM),
        Row(204),
    ) as server:
        events = driver.run(_read(_client(driver, server).streams.open_conversation(uuid.UUID(int=9))))
        assert [event.data.payload.root_id.int for event in events] == [8]
        assert [asked.headers.get("last-event-id") for asked in server.asked] == [None, EVENT_ID % 7, EVENT_ID % 8]


def test_a_silent_stream_is_resumed_however_often_it_is_cut(driver: Driver) -> None:
    silence = Row(200, ": nothing yet\n\n", STREAM, is_cut=True)
    with scripted(*[silence] * 12, Row(200, _frame(1), STREAM), Row(204)) as server:
        stream = _hasty(driver, server).streams.open_conversation(uuid.UUID(int=9))
        assert [event.data.payload.root_id.int for event in driver.run(_read(stream))] == [1]


def test_a_stream_that_was_open_is_asked_for_until_the_server_is_back(driver: Driver) -> None:
    away = [LOST, Row(503, {}), Row(502, "bad gateway")] * 3
    with scripted(Row(200, _frame(1), STREAM, is_cut=True), *away, Row(200, _frame(2), STREAM), Row(204)) as server:
        stream = _hasty(driver, server).streams.open_conversation(uuid.UUID(int=9))
        assert [event.data.payload.root_id.int for event in driver.run(_read(stream))] == [1, 2]


def test_a_stream_that_never_opened_is_given_up(driver: Driver) -> None:
    with scripted(*[Row(503, {})] * 5) as server:
        with pytest.raises(driver.sdk.APIError):
            driver.run(_read(_hasty(driver, server).streams.open_conversation(uuid.UUID(int=9))))
        assert not server.rows


def test_a_stream_that_is_closed_while_the_server_is_away_ends(sdk: ModuleType) -> None:
    with scripted(Row(200, _frame(1), STREAM, is_cut=True), *[Row(503, {})] * 1000) as server:
        retry = sdk.Retry(first_seconds=0.01, longest_seconds=0.02)
        with sdk.Client(server.url, bearer="token", retry=retry) as client:
            stream = client.streams.open_conversation(uuid.UUID(int=9))
            threading.Timer(0.5, stream.close).start()
            assert [event.data.payload.root_id.int for event in stream] == [1]
        assert server.rows


def test_a_completion_that_gains_nothing_is_given_up(driver: Driver) -> None:
    with scripted(*[Row(200, _chunk("Hel")[:-20], STREAM, is_cut=True)] * 9) as server:
        with pytest.raises(driver.sdk.ConnectionFailed):
            driver.run(_read(_hasty(driver, server).completions.create_stream(model="m", messages=[])))
        assert not server.rows


def test_waits_stay_bounded_after_any_number_of_cuts(sdk: ModuleType) -> None:
    assert sdk.Retry().wait_seconds(5_000, None) <= sdk.Retry().longest_seconds * 1.5


def test_a_stream_that_is_refused_says_so(driver: Driver) -> None:
    with scripted(Row(200, _frame(1), STREAM), Row(404, {"code": "RGP.NOT_FOUND"})) as server:
        with pytest.raises(driver.sdk.NotFound) as refused:
            driver.run(_read(_client(driver, server).streams.open_conversation(uuid.UUID(int=9))))
        assert refused.value.code == "RGP.NOT_FOUND"


def _chunk(text: str) -> str:
    choice = f'{{"index": 0, "delta": {{"content": "{text}"}}, "finish_reason": null}}'
    return (
        f'data: {{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{choice}]}}\n\n'
    )


def test_a_cut_completion_is_replayed_and_passed_over(driver: Driver) -> None:
    whole = f"{_chunk('a')}{_chunk('b')}{_chunk('c')}data: [DONE]\n\n"
    with scripted(Row(200, whole[:300], STREAM, is_cut=True), Row(200, whole, STREAM)) as server:
        stream = _client(driver, server).completions.create_stream(model="m", messages=[])
        chunks = driver.run(_read(stream))
        assert "".join(chunk.choices[0].delta.content for chunk in chunks) == "abc"
        assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 1
        assert b'"stream":true' in server.asked[0].body


def test_a_completion_that_breaks_off_cleanly_is_replayed_until_it_is_whole(driver: Driver) -> None:
    """A server that goes away ends an answer as if it were whole: before the first chunk, or sooner than the time before."""
    whole = f"{_chunk('a')}{_chunk('b')}{_chunk('c')}data: [DONE]\n\n"
    parts = (":\n\n", f"{_chunk('a')}{_chunk('b')}", _chunk("a"), whole)
    with scripted(*(Row(200, part, STREAM) for part in parts)) as server:
        chunks = driver.run(_read(_client(driver, server).completions.create_stream(model="m", messages=[])))
        assert "".join(chunk.choices[0].delta.content for chunk in chunks) == "abc"


def test_a_completion_that_fails_midway_raises(driver: Driver) -> None:
    error = '{"message": "provider gone", "type": "server_error", "param": null, "code": null}'
    last = f'data: {{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "error": {error}}}\n\n'
    with (
        scripted(Row(200, f"{_chunk('a')}{last}data: [DONE]\n\n", STREAM)) as server,
        pytest.raises(driver.sdk.StreamFailed, match="provider gone"),
    ):
        driver.run(_read(_client(driver, server).completions.create_stream(model="m", messages=[])))


def _read(stream: Any) -> Script:
    return (yield Reading(stream))


SUCCESSOR = Row(200, {"access_token": "second", "token_type": "bearer", "expires_in": 1000, "scope": ""})


@pytest.mark.parametrize(
    ("rows", "bearers"),
    [
        pytest.param([SUCCESSOR, CREATED, CREATED], ["first", "second", "second"], id="renewed once"),
        pytest.param(
            [LOST, SUCCESSOR, CREATED, CREATED], ["first", "first", "second", "second"], id="its answer was lost"
        ),
        pytest.param([Row(403, {}), CREATED, CREATED], ["first", "first", "first"], id="refused"),
    ],
)
def test_a_token_is_renewed_before_it_ends(driver: Driver, rows: list[Row], bearers: list[str]) -> None:
    with scripted(*rows) as server:
        client = _client(driver, server, bearer=driver.sdk.Token("first", expires_in_seconds=0))

        def script() -> Script:
            yield client.conversations.create(title="x")
            yield client.conversations.create(title="y")

        driver.run(script())
        assert [asked.headers["authorization"] for asked in server.asked] == [f"Bearer {bearer}" for bearer in bearers]
        assert server.asked[0].path == "/auth/refresh"


def test_a_call_that_met_a_renewal_is_sent_again(sdk: ModuleType) -> None:
    token = sdk.Token("first")
    with scripted(Row(401, {}), CREATED) as server:
        client = sdk.Client(server.url, bearer=token, http_client=_Renewing(token))
        client.conversations.create(title="x")
        assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer first", "Bearer second"]


class _Renewing(httpx.Client):
    """An HTTP client beside which another caller renews the token while a request is under way."""

    def __init__(self, token: Any) -> None:
        super().__init__()
        self._token = token

    def send(self, request: httpx.Request, **told: Any) -> httpx.Response:
        answer = super().send(request, **told)
        self._token.replace("second", None)
        return answer
