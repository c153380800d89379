"""Streams: follow a conversation."""

from __future__ import annotations

from msgspec import UNSET

from core.chat import streams
from core.kernel.call import Call, EventStream
from models.contract.parameters.chat import StreamsOpenConversationParameters


def streams_open_conversation(call: Call[StreamsOpenConversationParameters, None]) -> EventStream:
    """Follow a conversation."""
    wanted = call.parameters
    return streams.open_conversation(
        call.principal,
        wanted.conversation_id,
        since=None if wanted.since is UNSET else wanted.since,
        last_event_id=None if wanted.last_event_id is UNSET else wanted.last_event_id,
    )
