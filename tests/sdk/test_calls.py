"""Every resource is called through the client, sync and async, on the running server."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from types import ModuleType
from typing import Any

import pytest

from codegen import ir
from codegen.bundle import bundle
from codegen.load import Sources
from codegen.sdk import samples, surface
from tests.conftest import ROOT
from tests.live import Live
from tests.sdk.driving import KINDS, Driver, Reading, Script

RESOURCES = sorted(
    {row["resource"] for row in json.loads((ROOT / "models/contract/operations.json").read_text())["operations"]}
)
CONTRACT = ir.build(bundle(Sources(ROOT, "spec/openapi.yaml")))
SURFACE = {resource.name: resource for resource in surface.resources(CONTRACT)}


@dataclass(frozen=True)
class Scene:
    """A client of ada's and one of ben's on the shared server."""

    sdk: ModuleType
    driver: Driver
    live: Live
    ada: Any
    ben: Any

    def stranger(self) -> Any:
        return self.driver.client(self.live.server.url)


@pytest.fixture(params=KINDS)
def scene(request: pytest.FixtureRequest, sdk: ModuleType, live: Live) -> Scene:
    driver = Driver(sdk, request.param)
    ada, ben = (driver.client(live.server.url, bearer=person.token) for person in (live.people.ada, live.people.ben))
    return Scene(sdk, driver, live, ada, ben)


def _conversations(s: Scene) -> Script:
    made = yield s.ben.conversations.create(title="Plans", is_group=True)
    shown = yield s.ben.conversations.get(made.conversation_id)
    assert shown.title == "Plans"
    assert isinstance(made.conversation_id, uuid.UUID)
    listed = yield s.ben.conversations.list(limit=1)
    assert made.conversation_id in [row.conversation_id for row in listed]
    assert all(row.created_at.tzinfo == UTC for row in listed)


def _threads_and_messages(s: Scene) -> Script:
    made = yield s.ben.conversations.create(title="Threads")
    thread = yield s.ben.threads.create(made.conversation_id, content="first", role="tool")
    assert thread.assistant_message_id is None
    for number in range(5):
        yield s.ben.messages.reply(thread.message_id, content=f"reply {number}", role="tool")
    tree = yield s.ben.threads.get_tree(thread.root_id, limit=2)
    assert [message.content for message in tree] == ["first", *(f"reply {number}" for number in range(5))]
    yield s.ben.messages.edit(tree[1].id, content="changed")
    yield s.ben.messages.delete(tree[2].id)
    yield s.ben.messages.restore(tree[2].id)
    assert (yield s.ben.messages.list_chunks(tree[0].id)) == []
    yield s.ben.threads.mark_read(thread.root_id)
    counts = yield s.ben.threads.list_unread(made.conversation_id)
    assert [count.unread for count in counts.threads] in ([], [0])
    with pytest.raises(s.sdk.BadRequest):
        yield s.ben.messages.cancel(tree[0].id)


def _participants_and_invites(s: Scene) -> Script:
    made = yield s.ben.conversations.create(title="Company", is_group=True)
    cyn = s.live.people.cyn
    yield s.ben.participants.add(made.conversation_id, user_id=cyn.user_id, role="member")
    yield s.ben.participants.remove(made.conversation_id, cyn.user_id)
    invite = yield s.ben.invites.create(made.conversation_id, email=cyn.email, role="member")
    guest = s.driver.client(s.live.server.url, bearer=cyn.token)
    accepted = yield guest.invites.accept(token=invite.token)
    assert accepted.conversation_id == made.conversation_id
    other = yield s.ben.invites.create(made.conversation_id, email=cyn.email, role="viewer")
    yield s.ben.invites.revoke(other.token)
    with pytest.raises((s.sdk.Gone, s.sdk.NotFound)):
        yield guest.invites.accept(token=other.token)


def _presence_and_streams(s: Scene) -> Script:
    made = yield s.ben.conversations.create(title="Live")
    driver = Driver(s.sdk, "sync")
    helper = driver.client(s.live.server.url, bearer=s.live.people.ben.token)
    roots = []

    def say() -> None:
        roots.append(helper.threads.create(made.conversation_id, content="hello there").root_id)
        helper.presence.set_typing(conversation_id=made.conversation_id, root_id=roots[0], seconds=1)

    stream = s.ben.streams.open_conversation(made.conversation_id)
    events = yield Reading(stream, lambda event: event.event == "message.done", say)
    names = [event.event for event in events]
    assert {"thread.new", "message.delta", "message.done"} <= set(names)
    text = "".join(
        e.data.payload.choices[0].delta.content or ""
        for e in events
        if e.event == "message.delta" and e.data.payload.choices[0].delta.content
    )
    assert text == "Echo: hello there"
    assert stream.last_event_id == events[-1].id
    yield s.ben.presence.send_heartbeat(status="away")


def _completions(s: Scene) -> Script:
    asked: dict[str, Any] = {"model": "gpt-4", "messages": [{"role": "user", "content": "one two three"}]}
    whole = yield s.ben.completions.create(**asked)
    assert whole.choices[0].message.content == "Echo: one two three"
    chunks = yield Reading(s.ben.completions.create_stream(**asked, stream_options={"include_usage": True}))
    text = "".join(
        c.choices[0].delta.content for c in chunks if c.choices and isinstance(c.choices[0].delta.content, str)
    )
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens
    assert (yield s.ben.models.list()).data[0].object == "model"


def _sessions(s: Scene) -> Script:
    browser = s.stranger()
    cyn = s.live.people.cyn
    begun = yield browser.sessions.login(email=cyn.email, password=cyn.password)
    assert begun.csrf_token == browser.cookies["CSRF-TOKEN"]
    yield browser.conversations.create(title="By cookie, with the CSRF header")
    former = dict(browser.cookies)
    yield browser.sessions.refresh()
    assert browser.cookies != former
    again = s.driver.client(s.live.server.url, cookies=browser.cookies)
    assert (yield again.sessions.get_me()).email == cyn.email
    yield browser.sessions.logout()
    assert browser.cookies == {}
    with pytest.raises(s.sdk.Unauthorized):
        yield browser.sessions.get_me()


def _tokens(s: Scene) -> Script:
    cyn = s.live.people.cyn
    client = s.stranger()
    made = yield client.tokens.create(username=cyn.email, password=cyn.password, scope="chat:read chat:write")
    changes: list[str] = []
    token = s.sdk.Token(made.access_token, expires_in_seconds=0.0, on_change=lambda value, _: changes.append(value))
    renewing = s.driver.client(s.live.server.url, bearer=token)
    me = yield renewing.tokens.get_me()
    assert str(me.user_id) == cyn.user_id
    assert [token.value] == changes
    assert token.value != made.access_token
    first = yield renewing.tokens.get_me.raw()
    with pytest.raises(s.sdk.NotModified):
        yield renewing.tokens.get_me(options={"if_none_match": first.etag})
    yield renewing.tokens.revoke()
    with pytest.raises(s.sdk.Unauthorized):
        yield renewing.tokens.get_me(options={"max_retries": 0})


def _users(s: Scene) -> Script:
    email = f"{uuid.uuid4().hex[:12]}@example.com"
    made = yield s.ada.users.create(email=email, password="correct horse battery", first_name="Dee")
    read = yield s.ada.users.get.raw(made.id)
    changed = yield s.ada.users.update(made.id, first_name=None, options={"if_match": read.etag})
    assert changed.first_name is None, "null was sent, not left out"
    assert changed.last_name == made.last_name, "what was left out stays"
    with pytest.raises(s.sdk.PreconditionFailed):
        yield s.ada.users.update(made.id, first_name="Eve", options={"if_match": read.etag})
    by_twos = yield s.ada.users.list(limit=2)
    at_once = yield s.ada.users.list(limit=100)
    assert [user.email for user in by_twos] == [user.email for user in at_once], "nothing is skipped or repeated"
    assert email in [user.email for user in by_twos]
    yield s.ada.users.delete(made.id)
    with pytest.raises(s.sdk.NotFound) as refused:
        yield s.ada.users.get(made.id)
    assert refused.value.request_id


def _api_keys(s: Scene) -> Script:
    me = yield s.ada.tokens.get_me.raw()
    assert me.status == 200
    tenant = "00000000-0000-0000-0000-000000000000"
    made = yield s.ada.api_keys.create(tenant, name="sdk", scopes=["model:*"])
    key = made.data.api_key
    by_key = s.driver.client(s.live.server.url, api_key=key)
    assert (yield by_key.models.list()).object == "list"
    assert made.data.id in [row.id for row in (yield s.ada.api_keys.list(tenant))]
    yield s.ada.api_keys.delete(tenant, made.data.id)
    with pytest.raises(s.sdk.Unauthorized):
        yield by_key.models.list()


def _plainly(resource: str) -> Callable[[Scene], Script]:
    """Call the first operation of a resource with the contract's examples: it succeeds, or is refused with a typed error."""

    def script(s: Scene) -> Script:
        method = min(SURFACE[resource].methods, key=lambda method: method.operation.method != "GET")
        call = getattr(getattr(s.ada, resource), method.name)
        given = samples.arguments(CONTRACT.bundle, method)
        refusal = None
        try:
            yield call(**given)
        except s.sdk.StatusError as error:
            refusal = error
        declared = {response.status for response in method.operation.responses}
        assert refusal is None or (refusal.request_id and str(refusal.status) in declared)

    return script


SCRIPTS = {
    "conversations": _conversations,
    "threads": _threads_and_messages,
    "messages": _threads_and_messages,
    "participants": _participants_and_invites,
    "invites": _participants_and_invites,
    "presence": _presence_and_streams,
    "streams": _presence_and_streams,
    "completions": _completions,
    "models": _completions,
    "sessions": _sessions,
    "tokens": _tokens,
    "users": _users,
    "api_keys": _api_keys,
}


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_resource_is_called(scene: Scene, resource: str) -> None:
    scene.driver.run(SCRIPTS.get(resource, _plainly(resource))(scene))


def test_a_refusal_names_every_violation(scene: Scene) -> None:
    def script() -> Script:
        with pytest.raises(scene.sdk.Invalid) as refused:
            yield scene.ben.conversations.create(title="", options={"body": {"colour": "red"}})
        error = refused.value
        assert {violation.pointer for violation in error.violations} == {"/title", ""}
        assert all("spec/schemas/chat/conversations.yaml" in (violation.source or "") for violation in error.violations)
        assert (error.code, error.status) == ("validation_failed", 422)
        assert error.request_id

    scene.driver.run(script())


def test_a_repeat_with_the_same_key_is_the_first_answer(scene: Scene) -> None:
    def script() -> Script:
        key = uuid.uuid4().hex
        first = yield scene.ben.conversations.create.raw(title="Once", options={"idempotency_key": key})
        second = yield scene.ben.conversations.create.raw(title="Once", options={"idempotency_key": key})
        assert first.data == second.data
        assert (first.is_replayed, second.is_replayed) == (False, True)
        assert first.idempotency_key == key

    scene.driver.run(script())


def test_a_printed_answer_shows_no_secret(scene: Scene) -> None:
    def script() -> Script:
        cyn = scene.live.people.cyn
        made = yield scene.stranger().tokens.create(username=cyn.email, password=cyn.password)
        assert made.access_token not in f"{made} {made!r}"
        assert repr(made).startswith("Token(access_token=***, token_type='bearer', expires_in=")
        shown = repr((yield scene.ada.users.get(cyn.user_id)))
        assert cyn.email in shown

    scene.driver.run(script())
