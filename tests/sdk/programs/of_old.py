"""What a caller wrote against the client of the first contract: it must go on working against every later server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import uuid
from collections.abc import Callable
from typing import Any
from uuid import UUID

from accord_client import (
    APIError,
    AsyncClient,
    BadRequest,
    Client,
    Conflict,
    Invalid,
    NotFound,
    NotModified,
    PreconditionFailed,
    Token,
    Unauthorized,
)

URL, EMAIL, PASSWORD = (os.environ[name] for name in ("BASE_URL", "EMAIL", "PASSWORD"))
WORDS = "one two three four five six seven"
ASKED: dict[str, Any] = {"model": "gpt-4", "messages": [{"role": "user", "content": WORDS}]}
ROLE = UUID("00000000-0000-4000-8000-000000000003")


def sign_in() -> Client:
    """Take a token by password and renew it."""
    stranger = Client(URL)
    refuses(Unauthorized, lambda: stranger.tokens.create(username=EMAIL, password="wrong password"))
    made = stranger.tokens.create(username=EMAIL, password=PASSWORD)
    client = Client(URL, bearer=Token(made.access_token, expires_in_seconds=made.expires_in))
    renewed = client.tokens.refresh()
    return Client(URL, bearer=renewed.access_token)


def browse() -> None:
    """Begin, rotate and end a session."""
    held: dict[str, str] = {}
    browser = Client(URL, csrf=lambda: held["csrf"])
    held["csrf"] = browser.sessions.login(email=EMAIL, password=PASSWORD).csrf_token
    browser.conversations.create(title="By cookie")
    former = browser.cookies
    held["csrf"] = browser.sessions.refresh().csrf_token
    assert browser.cookies != former
    assert browser.sessions.get_me().email == EMAIL
    browser.sessions.logout()
    refuses(Unauthorized, browser.sessions.get_me)


def look_around(client: Client) -> None:
    """Ask what needs no rights, and knock at doors that are closed."""
    assert client.health.check_liveness().status
    assert client.health.report().uptime >= 0
    client.health.check_readiness()
    client.health.check_dependencies()
    assert "accord" in client.metrics.get()
    assert b"openapi:" in client.contract.get_yaml()
    assert client.contract.get_json()
    assert "<html" in client.contract.show_redoc().lower()
    assert "<html" in client.contract.show_swagger().lower()
    assert client.setup.get().is_setup
    person = {"email": "eve@example.com", "password": PASSWORD}
    refuses(APIError, lambda: client.setup.create(username="eve", **person))
    refuses(APIError, lambda: client.setup.bootstrap(**person))
    refuses(NotFound, lambda: client.well_known.get("no-such-entry"))
    assert client.tokens.get_me().scopes
    known = client.sessions.get_me.raw()
    assert known.etag is None or refuses(
        NotModified, lambda: client.sessions.get_me(options={"if_none_match": str(known.etag)})
    )


def administer(client: Client) -> Any:
    """Make, read, list, change and delete users."""
    users = [client.users.create(email=f"{uuid.uuid4().hex}@example.com", password=PASSWORD) for _ in range(3)]
    first = users[0]
    refuses(Conflict, lambda: client.users.create(email=first.email, password=PASSWORD))
    read = client.users.get.raw(first.id)
    changed = client.users.update(first.id, first_name="Dee", options={"if_match": read.etag or ""})
    assert changed.first_name == "Dee"
    refuses(
        PreconditionFailed,
        lambda: client.users.update(first.id, first_name="Eve", options={"if_match": read.etag or ""}),
    )
    client.users.assign_role(first.id, ROLE)
    client.users.remove_role(first.id, ROLE)
    by_twos = [user.id for user in client.users.list(limit=2)]
    assert {user.id for user in users} <= set(by_twos)
    assert len(by_twos) == len(set(by_twos))
    client.users.delete(users[1].id)
    refuses(NotFound, lambda: client.users.get(users[1].id))
    return users[2]


def talk(client: Client, company: Any) -> UUID:
    """Hold a conversation with threads, messages, people and invites."""
    made = client.conversations.create(title="Plans", is_group=True, options={"idempotency_key": uuid.uuid4().hex})
    conversation: UUID = made.conversation_id
    assert client.conversations.get(conversation).title == "Plans"
    assert conversation in [row.conversation_id for row in client.conversations.list(limit=1)]
    client.participants.add(conversation, user_id=company.id, role="member")
    client.participants.remove(conversation, company.id)
    invite = client.invites.create(conversation, email=company.email, role="viewer")
    guest_token = Client(URL).tokens.create(username=company.email, password=PASSWORD)
    Client(URL, bearer=guest_token.access_token).invites.accept(token=invite.token)
    client.invites.revoke(client.invites.create(conversation, email="zoe@example.com", role="member").token)
    thread = client.threads.create(conversation, content="first", role="tool")
    replies = [client.messages.reply(thread.message_id, content=f"reply {n}", role="tool") for n in range(5)]
    client.messages.edit(replies[0].message_id, content="changed")
    client.messages.delete(replies[1].message_id, reason="by mistake")
    client.messages.restore(replies[1].message_id)
    tree = [message.content for message in client.threads.get_tree(thread.root_id, limit=2)]
    assert tree == ["first", "changed", *(f"reply {n}" for n in range(1, 5))]
    assert [len(page.threads) for page in client.threads.list(conversation).pages()] == [1]
    client.threads.list_unread(conversation)
    client.threads.mark_read(thread.root_id)
    client.presence.send_heartbeat(status="online")
    client.presence.set_typing(conversation_id=conversation, root_id=thread.root_id, seconds=1)
    refuses(BadRequest, lambda: client.messages.cancel(thread.message_id))
    wrong = refuses(Invalid, lambda: client.conversations.create(title=""))
    assert {violation.pointer for violation in wrong.violations} == {"/title"}, wrong.violations
    assert wrong.request_id
    return conversation


def listen(client: Client, conversation: UUID) -> None:
    """Hear an answer piece by piece, then read its stored chunks."""
    names, text, answer = [], "", None
    with client.streams.open_conversation(conversation) as stream:
        thread = client.threads.create(conversation, content=WORDS)
        for event in stream:
            names.append(event.event)
            if event.event == "message.delta" and isinstance(event.data.payload.choices[0].delta.content, str):
                text += event.data.payload.choices[0].delta.content
            if event.event == "message.done":
                answer = thread.assistant_message_id
                break
    assert text == f"Echo: {WORDS}", names
    assert [chunk.idx for chunk in client.messages.list_chunks(answer, limit=2)]


def complete(client: Client) -> None:
    """Complete, whole and in pieces."""
    assert "gpt-4" in [model.id for model in client.models.list().data]
    whole = client.completions.create(**ASKED)
    assert whole.choices[0].message.content == f"Echo: {WORDS}"
    pieces = [chunk.choices[0].delta.content for chunk in client.completions.create_stream(**ASKED) if chunk.choices]
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == f"Echo: {WORDS}"


async def all_again(token: str) -> None:
    """The same kinds of call, awaited."""
    async with AsyncClient(URL, bearer=token) as client:
        made = await client.conversations.create(title="Awaited")
        thread = await client.threads.create(made.conversation_id, content="first", role="tool")
        await client.messages.reply(thread.message_id, content="second", role="tool")
        assert [m.content async for m in client.threads.get_tree(thread.root_id, limit=1)] == ["first", "second"]
        async with client.streams.open_conversation(made.conversation_id, since=1) as stream:
            assert (await anext(stream)).event == "thread.new"
        pieces = [chunk async for chunk in client.completions.create_stream(**ASKED)]
        assert len(pieces) > 1
        with contextlib.suppress(NotFound):
            await client.conversations.get(UUID(int=1))
            raise AssertionError("there is no such conversation")


def refuses(kind: type[Any], call: Callable[[], Any]) -> Any:
    """Return the error that a call ends with."""
    try:
        value = call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected, not {value!r}")


def main() -> None:
    """Do everything."""
    client = sign_in()
    browse()
    look_around(client)
    listen(client, talk(client, administer(client)))
    complete(client)
    asyncio.run(all_again(Client(URL).tokens.create(username=EMAIL, password=PASSWORD).access_token))
    client.tokens.revoke()
    refuses(Unauthorized, client.tokens.get_me)
    print(json.dumps({"done": True}))


if __name__ == "__main__":
    main()
