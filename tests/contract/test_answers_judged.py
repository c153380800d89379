"""The product's own answers and events, judged before they leave: refused in dev, reported in production, rolled back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import msgspec
import pytest
from werkzeug.test import Client as Caller

from core.chat.announcements import channel_of
from core.kernel.settings import Settings
from core.system import events
from handlers.service import build
from models.database import read, write
from models.tables.chat import Conversation
from models.tables.jobs import JobRow
from server import metrics
from server.runtime import Runtime
from server.service import Service
from tests.factories.people import People
from tests.handlers.chat import conftest as chat
from tests.handlers.chat.conftest import Room

room = chat.room
PRODUCTION = pytest.mark.settings(profile="production")
ENFORCED = pytest.mark.settings(profile="production", response_check="enforce")
CLAUSE = "spec/schemas/chat/conversations.yaml"


@pytest.fixture
def service(database: Settings) -> Service:
    """Give a product whose handlers do their work and then answer wrongly."""
    good = build(database)

    def broken(name: str) -> Any:
        def handler(call: Any) -> Any:
            good.handlers[name](call)
            return {"unheard": "secret"}

        return handler

    names = ("conversations_create", "sessions_login", "users_list")
    return msgspec.structs.replace(good, handlers={**good.handlers, **{name: broken(name) for name in names}})


def _post(runtime: Runtime, path: str, body: Any, headers: dict[str, str]) -> Any:
    return Caller(runtime.wsgi).post(path, json=body, headers=headers)


def _conversations() -> int:
    with read():
        return int(Conversation.select().count())


def _create(runtime: Runtime, people: People, **headers: str) -> Any:
    return _post(runtime, "/api/conversations", {"title": "Plans"}, people.ada.headers("POST") | headers)


def _log_in(runtime: Runtime, people: People) -> Any:
    return _post(runtime, "/api/auth/login", {"email": people.ben.email, "password": people.ben.password}, {})


@PRODUCTION
def test_production_reports_each_broken_clause_and_sends_the_answer(
    runtime: Runtime, people: People, database: Settings
) -> None:
    answer = _create(runtime, people)
    assert answer.status_code in {200, 201}
    assert answer.json == {"unheard": "secret"}
    assert _conversations() == 1
    lines = (Path(database.data_dir) / "test.log").read_text().splitlines()
    log = [json.loads(line) for line in lines if "response_mismatched" in line]
    assert {(row["operation"], row["rule"]) for row in log} >= {("conversations_create", "required")}
    assert all(row["clause"].startswith(CLAUSE) for row in log)
    assert not any("secret" in json.dumps(row) for row in log)
    counted = [line for line in metrics.render().decode().splitlines() if 'operation="conversations_create"' in line]
    assert any(f'clause="{CLAUSE}' in line for line in counted)


@ENFORCED
def test_enforced_answer_takes_its_effect_back_when_it_breaks_the_contract(runtime: Runtime, people: People) -> None:
    for _ in range(2):
        answer = _create(runtime, people, **{"Idempotency-Key": "one"})
        assert (answer.status_code, answer.json["code"], answer.json["effect"]) == (500, "response_mismatch", "none")
        assert "Idempotency-Replayed" not in answer.headers
    assert _conversations() == 0


@ENFORCED
def test_enforced_answer_says_that_its_effect_is_unknown_when_it_cannot_be_taken_back(
    runtime: Runtime, people: People
) -> None:
    answer = _log_in(runtime, people)
    assert (answer.status_code, answer.json["code"], answer.json["effect"]) == (500, "response_mismatch", "unknown")


@ENFORCED
def test_enforced_answer_of_a_get_has_no_effect_to_speak_of(runtime: Runtime, people: People) -> None:
    answer = Caller(runtime.wsgi).get("/auth/admin/users", headers=people.ada.headers("GET"))
    assert (answer.status_code, answer.json["error"]["details"]["code"]) == (500, "response_mismatch")


class TestEvents:
    """A bad event in the middle of a stream of the real contract."""

    @pytest.fixture
    def service(self, database: Settings) -> Service:
        """Give the product as it is."""
        return build(database)

    @pytest.fixture
    def broken(self, room: Room) -> Iterator[Room]:
        """Give a room whose stream has an event that breaks the contract, with a good one behind it."""
        with write():
            events.append(
                channel_of(room.id),
                "message.done",
                b'{"type":"message.done","payload":{}}',
                id=lambda seq: f"{room.root}:{room.reply}:-1:{seq}",
                clock=True,
            )
        room.say(room.people.ada, "behind")
        return room

    def test_stream_ends_with_a_declared_error_event_and_can_be_resumed_behind_it(self, broken: Room) -> None:
        options: dict[str, Any] = {"path": {"conversation_id": broken.id}, "as_": broken.people.ada}
        with broken.client.stream("streams_open_conversation", query={"since": 0}, **options) as stream:
            found = stream.rest()  # every event is judged by the oracle
        assert found[-1].event == "error"
        assert json.loads(found[-1].data)["payload"]["code"] == "response_mismatch"
        with broken.client.stream(
            "streams_open_conversation", headers={"Last-Event-ID": found[-1].id}, **options
        ) as stream:
            assert stream.next_event().event == "thread.new"

    @PRODUCTION
    def test_production_sends_the_event_and_counts_the_clause(self, broken: Room, runtime: Runtime) -> None:
        headers = broken.people.ada.headers("GET")
        answer = Caller(runtime.wsgi).get(f"/api/stream/conversations/{broken.id}?since=0", headers=headers)
        text, chunks = "", iter(answer.response)
        with gevent.Timeout(20):
            while "behind" not in text:
                text += next(chunks).decode()
        answer.close()
        assert 'data: {"type":"message.done","payload":{}}' in text
        assert "event: error" not in text
        counted = [line for line in metrics.render().decode().splitlines() if "streams_open_conversation" in line]
        assert any("spec/schemas/chat/streams.yaml" in line for line in counted)

    def test_completion_ends_with_a_declared_error_chunk(self, people: People, room: Room) -> None:
        body = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        with room.client.stream("completions_create", body=body, as_=people.ben) as stream:
            with read():
                channel = JobRow.get().subject
            with write():
                events.append(channel, "chunk", b'{"id":5}')
            found = stream.rest()
        (only,) = found
        assert json.loads(only.data)["error"]["code"] == "response_mismatch"
