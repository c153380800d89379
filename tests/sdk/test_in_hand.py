"""What a person meets at a prompt and in a program: interrupts, cancelled tasks, several event loops, pickled errors, typing errors."""

from __future__ import annotations

import asyncio
import pickle
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.sdk.driving import KINDS, Driver, Script
from tests.sdk.scripted import Row, Scripted, scripted

CREATED = Row(201, {"conversation_id": str(uuid.UUID(int=7))})
SUCCESSOR = Row(200, {"access_token": "second", "token_type": "bearer", "expires_in": 1000, "scope": ""})
STREAM = {"Content-Type": "text/event-stream"}
END = "data: [DONE]\n\n"


def _chunk(text: str) -> str:
    choice = f'{{"index": 0, "delta": {{"content": "{text}"}}, "finish_reason": null}}'
    return (
        f'data: {{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{choice}]}}\n\n'
    )


def _text(chunk: Any) -> str:
    return str(chunk.choices[0].delta.content)


WHOLE = Row(200, f"{_chunk('a')}{_chunk('b')}{END}", STREAM)


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


@pytest.mark.parametrize("began", ["", _chunk("a")], ids=["before its first event", "in the middle"])
def test_a_stream_goes_on_after_a_step_was_cancelled(sdk: ModuleType, began: str) -> None:
    async def read(server: Scripted) -> str:
        async with sdk.AsyncClient(server.url, bearer="t") as client:
            stream = client.completions.create_stream(model="m", messages=[])
            found = _text(await anext(stream)) if began else ""
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.2)
            return found + "".join([_text(chunk) async for chunk in stream])

    with scripted(Row(200, f": open\n\n{began}", STREAM, is_held=True), WHOLE) as server:
        assert asyncio.run(read(server)) == "ab"


@pytest.mark.parametrize("began", ["", _chunk("a")], ids=["before its first event", "in the middle"])
def test_a_stream_goes_on_after_an_interrupt(sdk: ModuleType, began: str) -> None:
    with scripted(Row(200, f": open\n\n{began}", STREAM, is_held=True), WHOLE) as server:
        stream = sdk.Client(server.url, bearer="t").completions.create_stream(model="m", messages=[])
        found = _text(next(stream)) if began else ""
        with pytest.raises(KeyboardInterrupt), _interrupted_after(0.3):
            next(stream)
        assert found + "".join(_text(chunk) for chunk in stream) == "ab"


def test_an_interrupted_renewal_is_begun_anew_by_the_next_call(sdk: ModuleType) -> None:
    with scripted(Row(200, is_held=True), SUCCESSOR, CREATED) as server:
        client = sdk.Client(server.url, bearer=sdk.Token("first", expires_in_seconds=0))
        with pytest.raises(KeyboardInterrupt) as kept, _interrupted_after(0.3):
            client.conversations.create(title="x")
        client.conversations.create(title="x")
        assert kept.tb is not None, "as a prompt keeps it"
        assert [asked.headers["authorization"] for asked in server.asked] == [
            "Bearer first",
            "Bearer first",
            "Bearer second",
        ]


def test_one_async_client_serves_one_event_loop_after_another(sdk: ModuleType) -> None:
    with scripted(CREATED, CREATED, CREATED) as server:
        client = sdk.AsyncClient(server.url, bearer="t")

        async def create() -> uuid.UUID:
            made: uuid.UUID = (await client.conversations.create(title="x")).conversation_id
            return made

        assert {asyncio.run(create()) for _ in range(3)} == {uuid.UUID(int=7)}
        asyncio.run(client.close())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_given", [False, True], ids=["its own connections", "given ones"])
def test_a_closed_client_refuses_calls_instead_of_connecting_again(sdk: ModuleType, kind: str, is_given: bool) -> None:
    with scripted(CREATED) as server:
        given = (httpx.Client if kind == "sync" else httpx.AsyncClient)() if is_given else None
        driver = Driver(sdk, kind)
        client = driver.client(server.url, bearer="t", http_client=given)
        copy = client.with_options(max_retries=0)

        def script() -> Script:
            yield client.conversations.create(title="x")
            yield client.close()
            for closed in (client, copy):
                with pytest.raises(RuntimeError, match="closed"):
                    yield closed.conversations.create(title="x")

        driver.run(script())
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(Row(422, {"code": "invalid", "errors": [{"pointer": "/title", "message": "no"}]}), id="Invalid"),
        pytest.param(Row(0), id="ConnectionFailed"),
        pytest.param(Row(201, {"conversation_id": 5}), id="ResponseInvalid"),
    ],
)
def test_an_error_survives_a_pool_of_processes(sdk: ModuleType, row: Row) -> None:
    with scripted(row) as server, pytest.raises(sdk.APIError) as failed:
        sdk.Client(server.url, bearer="t", retry=sdk.Retry(max_retries=0)).conversations.create(title="x")
    copy = pickle.loads(pickle.dumps(failed.value))
    assert type(copy) is type(failed.value)
    assert (str(copy), copy.operation) == (str(failed.value), "conversations_create")
    assert vars(copy).keys() == vars(failed.value).keys()


def test_a_client_that_differs_in_one_thing_keeps_the_others(sdk: ModuleType) -> None:
    client = sdk.Client("http://127.0.0.1:9", timeout_seconds=5)
    assert client.with_options(max_retries=0).core.timeout_seconds == 5
    assert client.with_options(timeout_seconds=None).core.timeout_seconds is None


@pytest.mark.parametrize("credential", ["secret-1\n", "secret-1 ", "sec\rret-1"])
def test_a_credential_that_no_header_takes_is_refused_and_not_shown(sdk: ModuleType, credential: str) -> None:
    with scripted() as server, pytest.raises(ValueError, match="Authorization") as refused:
        sdk.Client(server.url, bearer=credential).conversations.create(title="x")
    assert "ret-1" not in str(refused.value)
    assert server.asked == []


def test_a_header_of_any_letters_travels_as_utf_8(sdk: ModuleType) -> None:
    with scripted(CREATED) as server:
        client = sdk.Client(server.url, bearer="t", headers={"X-Mark": "größe 日本"})
        client.conversations.create(title="x")
        assert server.asked[0].headers["x-mark"].encode("latin-1").decode() == "größe 日本"


@pytest.mark.parametrize("url", ["localhost:8080", "127.0.0.1", ""])
def test_an_address_without_its_scheme_is_refused_at_once(sdk: ModuleType, url: str) -> None:
    with pytest.raises(ValueError, match="http://"):
        sdk.Client(url)


def test_a_stream_that_another_thread_closes_ends_at_once(sdk: ModuleType) -> None:
    with scripted(Row(200, f": open\n\n{_chunk('a')}", STREAM, is_held=True)) as server:
        stream = sdk.Client(server.url, bearer="t").completions.create_stream(model="m", messages=[])
        assert _text(next(stream)) == "a"
        threading.Timer(0.2, stream.close).start()
        began = time.monotonic()
        assert list(stream) == []
        assert time.monotonic() - began < 5


def test_an_async_stream_that_another_task_closes_ends_at_once(sdk: ModuleType) -> None:
    async def read(server: Scripted) -> list[str]:
        async with sdk.AsyncClient(server.url, bearer="t") as client:
            stream = client.completions.create_stream(model="m", messages=[])
            found = [_text(await anext(stream))]
            rest = asyncio.create_task(_texts(stream))
            await asyncio.sleep(0.2)  # until it waits for bytes
            await stream.close()
            return found + await asyncio.wait_for(rest, 5)

    with scripted(Row(200, f": open\n\n{_chunk('a')}", STREAM, is_held=True)) as server:
        assert asyncio.run(read(server)) == ["a"]


async def _texts(stream: Any) -> list[str]:
    return [_text(chunk) async for chunk in stream]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", [{}, "no JSON", ["a list"]])
def test_a_renewal_that_gives_no_token_is_put_off(sdk: ModuleType, kind: str, answer: Any) -> None:
    driver = Driver(sdk, kind)
    with scripted(Row(200, answer), CREATED, CREATED) as server:
        client = driver.client(server.url, bearer=sdk.Token("first", expires_in_seconds=0))

        def script() -> Script:
            yield client.conversations.create(title="x")
            yield client.conversations.create(title="y")

        driver.run(script())
        assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer first"] * 3


def test_nothing_that_is_printed_shows_what_an_answer_or_a_request_keeps_secret(sdk: ModuleType) -> None:
    cookie = {"Set-Cookie": "SESSION=secret-cookie; Path=/"}
    with scripted(SUCCESSOR, Row(401, {"code": "x"}, cookie)) as server:
        client = sdk.Client(server.url, bearer="secret-bearer", retry=sdk.Retry(max_retries=0))
        made = client.tokens.create.raw(username="ada", password="secret-word")
        with pytest.raises(sdk.Unauthorized) as failed:
            client.conversations.create(title="x")
    frames, at = [], failed.tb
    while at is not None:
        frames.append(repr(at.tb_frame.f_locals.get("step")))
        at = at.tb_next
    shown = f"{made!r} {made.reply!r} {failed.value!r} {failed.value.reply!r} {frames}"
    assert "second" not in shown
    assert "secret" not in shown
    assert "conversations_create" in "".join(frames)


@pytest.mark.parametrize("options", [{"timeout": 5}, {"retries": 0}])
def test_an_option_that_there_is_not_is_refused(sdk: ModuleType, options: dict[str, int]) -> None:
    with scripted() as server, pytest.raises(TypeError, match=f"unknown option.*{next(iter(options))}"):
        sdk.Client(server.url, bearer="t").conversations.create(title="x", options=options)


def test_none_is_no_name_in_a_path(sdk: ModuleType) -> None:
    with scripted() as server, pytest.raises(ValueError, match="conversation_id must name something"):
        sdk.Client(server.url, bearer="t").conversations.get(None)
