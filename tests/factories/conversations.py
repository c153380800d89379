"""Conversations to test with, made as a caller makes them: through the contract."""

from __future__ import annotations

from dataclasses import dataclass

from tests.client import Client, Person


@dataclass(frozen=True)
class Talk:
    """A conversation with one thread: its id, and the id of the thread's first message."""

    conversation_id: str
    root_id: str


def make_conversation(client: Client, owner: Person, *members: Person, title: str = "Plans") -> str:
    """Create a conversation, add members, and return its id."""
    answer = client.call("conversations_create", body={"title": title}, as_=owner)
    assert answer.status == 201, answer.text
    conversation_id = str(answer.json["conversation_id"])
    for member in members:
        add_participant(client, owner, conversation_id, member)
    return conversation_id


def add_participant(
    client: Client, owner: Person, conversation_id: str, member: Person, *, role: str = "member"
) -> None:
    """Add a participant."""
    answer = client.call(
        "participants_add",
        path={"conversation_id": conversation_id},
        body={"user_id": member.user_id, "role": role},
        as_=owner,
    )
    assert answer.status == 204, answer.text


def make_thread(client: Client, author: Person, conversation_id: str, content: str = "Hello") -> str:
    """Start a thread without a generated answer and return the id of its first message."""
    answer = client.call(
        "threads_create",
        path={"conversation_id": conversation_id},
        body={"content": content, "role": "system"},
        as_=author,
    )
    assert answer.status == 201, answer.text
    return str(answer.json["root_id"])


def make_talk(client: Client, owner: Person, *members: Person) -> Talk:
    """Create a conversation with one thread."""
    conversation_id = make_conversation(client, owner, *members)
    return Talk(conversation_id, make_thread(client, owner, conversation_id))


def reply(client: Client, author: Person, parent_id: str, content: str, *, role: str = "system") -> dict[str, str]:
    """Reply to a message and return what the server says of it; the role system starts no generated answer."""
    answer = client.call(
        "messages_reply", path={"parent_id": parent_id}, body={"content": content, "role": role}, as_=author
    )
    assert answer.status == 201, answer.text
    return dict(answer.json)
