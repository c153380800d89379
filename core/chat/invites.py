"""Invites: secret tokens that let their holder join a conversation, once, for a while."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from core.chat.access import MANAGERS, access_conversation
from core.chat.announcements import announcing
from core.chat.participants import check_ownership, find_participant, join
from core.kernel import clock, ids
from core.kernel.principal import Principal
from core.kernel.problems import Gone, NotFound
from models.contract import chat
from models.database import read
from models.tables.chat import Invite


class NewInvite(NamedTuple):
    """A token, shown once, and its end."""

    token: str
    expires_at: datetime


def do_create_invite(
    principal: Principal, conversation_id: UUID, *, email: str, role: chat.Role, ttl_seconds: int
) -> NewInvite:
    """Make an invite; the live one for the same address and role is revoked.

    Raises:
        NotFound: there is no such conversation for the caller.
        Forbidden: the caller does not manage it, or invites an owner without being one.
    """
    now, token = clock.now(), ids.new_secret()
    with announcing(conversation_id):
        access = access_conversation(principal, conversation_id, MANAGERS)
        check_ownership(access, role)
        same = (Invite.conversation == conversation_id) & (Invite.email == email.lower()) & (Invite.role == role)
        Invite.update(revoked_at=now).where(same, Invite.revoked_at.is_null(), Invite.accepted_at.is_null()).execute()
        invite = Invite.create(
            tenant_id=principal.tenant_id,
            conversation=conversation_id,
            email=email.lower(),
            role=role,
            token_hash=_hashed(token),
            created_by=principal.user_id,
            created_at=now,
            expires_at=now + timedelta(seconds=ttl_seconds),
        )
    return NewInvite(token, invite.expires_at)


def do_accept_invite(principal: Principal, token: str) -> UUID:
    """Join the invite's conversation and return its id; a repeat by the same user changes nothing.

    Raises:
        NotFound: no such token in the caller's tenant.
        Gone: it is revoked or expired, or somebody else has used it.
        ConversationFull: there is no place left.
    """
    conversation_id: UUID = _get_invite(principal, token).conversation_id
    with announcing(conversation_id) as announcements:
        invite = _get_invite(principal, token)
        if invite.accepted_by == principal.user_id:
            return conversation_id
        if invite.accepted_at or invite.revoked_at or invite.expires_at <= clock.now():
            raise Gone("The invite is used, revoked or expired.")
        Invite.update(accepted_at=clock.now(), accepted_by=principal.user_id).where(Invite.id == invite.id).execute()
        if find_participant(conversation_id, principal.user_id) is None:
            join(conversation_id, principal.user_id, invite.tenant_id, role=invite.role, announcements=announcements)
    return conversation_id


def do_revoke_invite(principal: Principal, token: str) -> None:
    """End an invite; one that has ended stays as it is.

    Raises:
        NotFound: no such token in a conversation of the caller's.
        Forbidden: the caller does not manage the conversation.
    """
    with announcing(_get_invite(principal, token).conversation_id):  # its lock, so that accept sees the end of it
        invite = _get_invite(principal, token)
        access_conversation(principal, invite.conversation_id, MANAGERS)
        live = (Invite.id == invite.id) & Invite.revoked_at.is_null() & Invite.accepted_at.is_null()
        Invite.update(revoked_at=clock.now()).where(live).execute()


def _get_invite(principal: Principal, token: str) -> Invite:
    with read():
        invite = Invite.get_or_none(Invite.token_hash == _hashed(token), Invite.tenant_id == principal.tenant_id)
    if invite is None:
        raise NotFound
    assert isinstance(invite, Invite)
    return invite


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
