"""What a change tells the people of its conversation: events with four-part ids, in the change's own transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import msgspec

from core.kernel.principal import NIL_UUID
from core.system import events
from models.contract import chat
from models.database import write_joined
from models.statements import Bound

Payload = (
    chat.ThreadNewPayload
    | chat.ThreadActivityPayload
    | chat.MessageDeltaPayload
    | chat.MessageDonePayload
    | chat.PresenceUpdatePayload
    | chat.TypingUpdatePayload
    | chat.UnreadUpdatePayload
    | chat.MembershipChangedPayload
    | chat.StreamErrorPayload
    | chat.StreamResetPayload
)
_TYPES: dict[type, str] = {
    chat.ThreadNewPayload: "thread.new",
    chat.ThreadActivityPayload: "thread.activity",
    chat.MessageDeltaPayload: "message.delta",
    chat.MessageDonePayload: "message.done",
    chat.PresenceUpdatePayload: "presence.update",
    chat.TypingUpdatePayload: "typing.update",
    chat.UnreadUpdatePayload: "unread.update",
    chat.MembershipChangedPayload: "membership.changed",
    chat.StreamErrorPayload: "error",
    chat.StreamResetPayload: "reset",
}
_encoder = msgspec.json.Encoder()


class Tagged(msgspec.Struct, frozen=True):
    """The data of every event of a conversation."""

    type: str
    payload: Payload


def channel_of(conversation_id: UUID) -> str:
    """Return the name of the conversation's channel."""
    return f"conversation:{conversation_id}"


def event_id(clock: int, root: UUID = NIL_UUID, message: UUID = NIL_UUID, chunk: int = -1) -> str:
    """Return the SSE id of a position in a conversation; the clock alone counts when a stream is resumed."""
    return f"{root}:{message}:{chunk}:{clock}"


def encode(payload: Payload) -> tuple[str, bytes]:
    """Return an event's name and data."""
    name = _TYPES[type(payload)]
    return name, _encoder.encode(Tagged(name, payload))


class Announcements:
    """The events of one change; clock is the change's own position in the conversation, in milliseconds.

    taken: how many positions, from `clock` on, are the change's already; those of further events are taken by `flush`.
    """

    def __init__(self, first: int, taken: int = 1) -> None:
        self.clock = first
        self._taken = taken
        self._events: list[events.NewEvent] = []
        self._writes: list[Bound] = []

    def add(self, payload: Payload, *, root: UUID = NIL_UUID, message: UUID = NIL_UUID, chunk: int = -1) -> None:
        """Announce a payload behind those before."""
        name, data = encode(payload)
        self._events.append(events.NewEvent(name, data, lambda seq: event_id(seq, root, message, chunk)))

    def write(self, *statements: Bound) -> None:
        """Have statements run right before the events, in one round trip with them; nothing may wait for their rows."""
        self._writes += statements

    def flush(self, channel: str) -> None:
        """Write what was added, the first event at `clock`."""
        events.insert(channel, self._events[: self._taken], first=self.clock, before=self._writes)
        if self._events[self._taken :]:
            events.append_all(channel, self._events[self._taken :], clock=True)


@contextmanager
def announcing(conversation_id: UUID, expected: int = 1) -> Iterator[Announcements]:
    """Hold a write transaction and the conversation's lock; what is announced is written at the end of the block.

    Taking the lock first makes the order of commits the order of clocks, and keeps two changes of one conversation from
    waiting for each other. Locks are taken in this order everywhere: jobs, the conversation's channel, its messages and
    threads, presence, the security epoch.

    expected: how many events will be announced at least; their positions are taken together with the lock.
    """
    channel = channel_of(conversation_id)
    with write_joined():
        announcements = Announcements(events.advance(channel, expected, clock=True), expected)
        yield announcements
        announcements.flush(channel)
