"""Participants of a conversation: add, remove."""

from __future__ import annotations

from core.chat import participants
from core.kernel.call import Call
from models.contract import chat
from models.contract.parameters.chat import ParticipantsAddParameters, ParticipantsRemoveParameters


def participants_add(call: Call[ParticipantsAddParameters, chat.ParticipantAdd]) -> None:
    """Add a participant, or change a participant's role."""
    participants.do_add_participant(
        call.principal, call.parameters.conversation_id, user_id=call.body.user_id, role=call.body.role
    )


def participants_remove(call: Call[ParticipantsRemoveParameters, None]) -> None:
    """Remove a participant."""
    participants.do_remove_participant(call.principal, call.parameters.conversation_id, call.parameters.user_id)
