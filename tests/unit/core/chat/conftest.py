"""People inside core: principals with their rows, and what they told each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest

from core.ai import registry
from core.ai.echo import EchoProvider
from core.chat import background, conversations, participants, posting
from core.chat.announcements import channel_of
from core.kernel import clock, ids
from core.kernel.call import Event
from core.kernel.principal import ROOT_TENANT_ID, Principal
from core.system import events, jobs
from models.database import write
from models.tables.identity import Membership, User

MakePerson = Callable[[str], Principal]


@pytest.fixture(autouse=True)
def _jobs(database: object) -> None:
    background.register_jobs()


@pytest.fixture
def person(database: object) -> MakePerson:
    """Give a function that makes a user of the root workspace and returns the principal."""

    def make(name: str) -> Principal:
        user_id, now = ids.new_uuid(), clock.now()
        with write():
            User.create(id=user_id, email=f"{name}@example.com", created_at=now)
            Membership.create(tenant=ROOT_TENANT_ID, user=user_id, created_at=now)
        return Principal(
            kind="token", user_id=user_id, tenant_id=ROOT_TENANT_ID, credential_id=name, scopes=frozenset()
        )

    return make


@pytest.fixture
def ada(person: MakePerson) -> Principal:
    return person("ada")


@pytest.fixture
def ben(person: MakePerson) -> Principal:
    return person("ben")


@pytest.fixture
def eve(person: MakePerson) -> Principal:
    """Give somebody who takes part in nothing."""
    return person("eve")


@pytest.fixture
def conversation_id(ada: Principal) -> UUID:
    """Give a conversation that Ada owns."""
    return conversations.do_create_conversation(ada, "Plans", is_group=False)


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve the assistant's model by an echo without pauses."""
    monkeypatch.setattr(registry, "_providers", {"gpt-4": EchoProvider()})


def add(owner: Principal, conversation_id: UUID, user: Principal, role: Any = "member") -> None:
    """Have `owner` add a participant."""
    participants.do_add_participant(owner, conversation_id, user_id=user.user_id, role=role)


def say(principal: Principal, conversation_id: UUID, content: str = "Hello", role: Any = "system") -> UUID:
    """Begin a thread, by default one that starts no answer, and return its root's id."""
    message_id: UUID = posting.do_create_thread(principal, conversation_id, content, role).message.id
    return message_id


def reply(principal: Principal, parent_id: UUID, content: str = "Hello", role: Any = "system") -> UUID:
    """Answer a message, by default without starting an answer, and return the new one's id."""
    message_id: UUID = posting.do_reply(principal, parent_id, content, role).message.id
    return message_id


def told(conversation_id: UUID) -> list[Event]:
    """Return every event of a conversation."""
    return events.SqlEventLog().read({channel_of(conversation_id): 0}, 100_000)


def payloads(conversation_id: UUID, type: str) -> list[dict[str, Any]]:
    """Return the payloads of a conversation's events of one type."""
    found = [event for event in told(conversation_id) if event.type == type]
    return [msgspec.json.decode(event.data)["payload"] for event in found]


def work(worker: str = "worker") -> int:
    """Run every job that is due, one after the other, and return how many there were."""
    queue, done = jobs.SqlJobQueue(), 0
    while claimed := queue.claim(worker, 10):
        for job in claimed:
            queue.run(job)
            done += 1
    return done
