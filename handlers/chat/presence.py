"""Presence: typing and heartbeats."""

from __future__ import annotations

from core.chat import presence
from core.kernel.call import Call
from models.contract import chat


def presence_set_typing(call: Call[None, chat.TypingSet]) -> None:
    """Say that the caller is typing."""
    body = call.body
    presence.do_set_typing(call.principal, body.conversation_id, body.root_id, seconds=body.seconds)


def presence_send_heartbeat(call: Call[None, chat.PresenceHeartbeat | None]) -> None:
    """Say that the caller is there."""
    presence.do_send_heartbeat(call.principal, call.body.status if call.body else "online")
