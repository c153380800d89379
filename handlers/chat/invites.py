"""Invites to a conversation: create, accept, revoke."""

from __future__ import annotations

from core.chat import invites
from core.kernel.call import Call
from models.contract import chat
from models.contract.parameters.chat import InvitesCreateParameters, InvitesRevokeParameters


def invites_create(call: Call[InvitesCreateParameters, chat.InviteCreate]) -> chat.InviteCreated:
    """Create an invite token."""
    created = invites.do_create_invite(
        call.principal,
        call.parameters.conversation_id,
        email=call.body.email,
        role=call.body.role,
        ttl_seconds=call.body.ttl_seconds,
    )
    return chat.InviteCreated(token=created.token, expires_at=created.expires_at)


def invites_accept(call: Call[None, chat.InviteAccept]) -> chat.InviteAccepted:
    """Accept an invite."""
    return chat.InviteAccepted(conversation_id=invites.do_accept_invite(call.principal, call.body.token))


def invites_revoke(call: Call[InvitesRevokeParameters, None]) -> None:
    """Revoke an invite."""
    invites.do_revoke_invite(call.principal, call.parameters.token)
