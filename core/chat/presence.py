"""What people see of each other: who is there, and who is typing."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import gevent

from core.chat.access import WRITERS, access_conversation
from core.chat.announcements import announcing
from core.kernel import clock
from core.kernel.principal import Principal
from core.kernel.problems import NotFound
from models.contract import chat
from models.database import read, write
from models.tables.chat import Conversation, Participant, Presence, Thread, Typing

SILENCE = timedelta(seconds=60)
"""Whoever was not heard of for so long is offline."""
_BATCH = 100


class _HeardOf(Exception):
    """The user was heard of meanwhile, or another worker has noted the silence."""


def do_send_heartbeat(principal: Principal, status: chat.PresenceStatus) -> None:
    """Note that the caller is there; tell all the caller's conversations of a change, or after a minute's silence."""
    now = clock.now()
    with write():
        known = Presence.get_or_none(Presence.user == principal.user_id)
        if known is None or known.status != status or now - known.last_seen_at > SILENCE:
            payload = chat.PresenceUpdatePayload(user_id=principal.user_id, status=status, last_seen_at=now)
            for conversation_id in _conversations(principal.user_id, principal.tenant_id):
                with announcing(conversation_id) as announcements:
                    announcements.add(payload)
        seen = {"tenant_id": principal.tenant_id, "status": status, "last_seen_at": now}
        Presence.insert(user=principal.user_id, **seen).on_conflict(  # behind the conversations, as everywhere
            conflict_target=[Presence.user], update=seen
        ).execute()


def do_note_silence() -> int:
    """Take a batch of those who were not heard of for a minute for offline, tell it, and return how many there were."""
    with read():
        found = list(_silent())
    for presence in found:
        with suppress(_HeardOf):
            _go_offline(presence)
        gevent.sleep(0)
    return len(found)


def _silent() -> Any:
    """Select them, longest silent first."""
    silent = Presence.select().where(Presence.status != "offline", Presence.last_seen_at <= clock.now() - SILENCE)
    return silent.order_by(Presence.last_seen_at).limit(_BATCH)


def _go_offline(presence: Presence) -> None:
    seen = presence.last_seen_at
    payload = chat.PresenceUpdatePayload(user_id=presence.user_id, status="offline", last_seen_at=seen)
    with write():
        for conversation_id in _conversations(presence.user_id, presence.tenant_id):
            with announcing(conversation_id) as announcements:
                announcements.add(payload)
        unheard = (Presence.user == presence.user_id) & (Presence.last_seen_at == seen) & (Presence.status != "offline")
        if not Presence.update(status="offline").where(unheard).execute():
            raise _HeardOf


def do_set_typing(principal: Principal, conversation_id: UUID, root_id: UUID, *, seconds: int) -> None:
    """Note that the caller is typing in a thread, or with zero or less that it has ended.

    Raises:
        NotFound: there is no such conversation for the caller, or no such thread in it.
        Forbidden: the caller is a viewer.
    """
    with announcing(conversation_id) as announcements:
        access_conversation(principal, conversation_id, WRITERS)
        here = (Thread.root_id == root_id) & (Thread.conversation == conversation_id)
        if not Thread.select().where(here, Thread.tenant_id == principal.tenant_id).exists():
            raise NotFound
        if seconds <= 0:
            Typing.delete().where(Typing.root == root_id, Typing.user == principal.user_id).execute()
            return
        expires_at = clock.now() + timedelta(seconds=seconds)
        Typing.insert(
            root=root_id, user=principal.user_id, tenant_id=principal.tenant_id, expires_at=expires_at
        ).on_conflict(conflict_target=[Typing.root, Typing.user], update={Typing.expires_at: expires_at}).execute()
        payload = chat.TypingUpdatePayload(
            conversation_id=conversation_id, root_id=root_id, user_id=principal.user_id, expires_at=expires_at
        )
        announcements.add(payload, root=root_id)


def _conversations(user_id: UUID, tenant_id: UUID) -> list[UUID]:
    """Return the user's conversations in the order in which their locks are taken."""
    with read():
        mine = (
            Participant.select(Participant.conversation)
            .join(Conversation)
            .where(Participant.user == user_id, Conversation.tenant_id == tenant_id)
        )
        return sorted((row.conversation_id for row in mine), key=str)
