"""A conversation of Ada's with Ben in it; Cyn takes part in nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.client import Answer, Client, Person
from tests.factories.people import People

MISSING = str(uuid4())


@dataclass
class Room:
    """client calls as a person; id is the conversation; root the thread that Ada began, reply Ben's answer to it."""

    client: Client
    people: People
    id: str
    root: str
    reply: str

    def call(self, operation_id: str, person: Person | None = None, **options: Any) -> Answer:
        """Call an operation as `person`, by default as Ada."""
        return self.client.call(operation_id, as_=person or self.people.ada, **options)

    def add(self, person: Person, role: str) -> Answer:
        """Have Ada add a participant."""
        body = {"user_id": person.user_id, "role": role}
        return self.call("participants_add", path={"conversation_id": self.id}, body=body)

    def say(self, person: Person, content: str, *, role: str | None = "system", parent: str | None = None) -> Any:
        """Begin a thread or answer a message; without a role an answer is started."""
        body = {"content": content} | ({"role": role} if role else {})
        if parent is None:
            return self.call("threads_create", person, path={"conversation_id": self.id}, body=body).json
        return self.call("messages_reply", person, path={"parent_id": parent}, body=body).json

    def shown(self, root: str | None = None) -> list[dict[str, Any]]:
        """Return the messages of a thread."""
        found: list[dict[str, Any]] = self.call("threads_get_tree", path={"root_id": root or self.root}).json[
            "messages"
        ]
        return found


@pytest.fixture
def room(client: Client, people: People) -> Room:
    """Give the conversation with a thread of two messages."""
    made = client.call("conversations_create", body={"title": "Plans"}, as_=people.ada)
    room = Room(client, people, made.json["conversation_id"], "", "")
    assert room.add(people.ben, "member").status == 204
    room.root = room.say(people.ada, "When do we ship?")["root_id"]
    room.reply = room.say(people.ben, "On Friday.", parent=room.root)["message_id"]
    return room
