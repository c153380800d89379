"""A conversation's stream: where it begins, and how long it lasts."""

from __future__ import annotations

from uuid import UUID

from core.chat.access import access_conversation, is_participant
from core.chat.announcements import channel_of, encode, event_id
from core.kernel.call import EventStream
from core.kernel.principal import Principal
from models.contract import chat


def open_conversation(
    principal: Principal, conversation_id: UUID, *, since: int | None, last_event_id: str | None
) -> EventStream:
    """Return the stream behind `since`, else behind the clock of `last_event_id`, else from now on.

    Raises:
        NotFound: there is no such conversation for the caller.
    """
    access_conversation(principal, conversation_id)
    after = since
    if after is None and last_event_id is not None:
        after = int(last_event_id.rpartition(":")[2])
    return EventStream(
        channel=channel_of(conversation_id),
        after=after,
        id_at=event_id,
        is_current=lambda: is_participant(conversation_id, principal.user_id),
        reset_event=encode(chat.StreamResetPayload(conversation_id=conversation_id)),
        failure_event=encode(
            chat.StreamErrorPayload(
                code="response_mismatch", message="An event could not be sent; read the thread anew."
            )
        ),
    )
