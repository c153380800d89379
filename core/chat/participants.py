"""The people of a conversation: owners and admins manage them, and there is always an owner."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import peewee

from core.chat.access import MANAGERS, Access, access_conversation
from core.chat.announcements import Announcements, announcing
from core.chat.clearing import clear_if_left
from core.kernel import clock
from core.kernel.principal import Principal
from core.kernel.problems import Conflict, Forbidden, NotFound
from core.system import epoch
from models.contract import chat
from models.tables.chat import Participant
from models.tables.identity import Membership

MAX_PARTICIPANTS = 1000
_SUCCESSION: tuple[chat.Role, ...] = ("owner", "admin", "member", "viewer")


class LastOwner(Conflict):
    code, title = "last_owner", "The last owner of a conversation stays its owner"


class ConversationFull(Conflict):
    code, title = "conversation_full", "The conversation has as many participants as it may have"


def do_add_participant(principal: Principal, conversation_id: UUID, *, user_id: UUID, role: chat.Role) -> None:
    """Add a user of the same tenant, or change a participant's role.

    Raises:
        NotFound: there is no such conversation, or no such user in its tenant.
        Forbidden: the caller does not manage it, or is not an owner and makes or unmakes one.
        LastOwner, ConversationFull: see the classes.
    """
    with announcing(conversation_id) as announcements:
        access = access_conversation(principal, conversation_id, MANAGERS)
        present = find_participant(conversation_id, user_id)
        check_ownership(access, role, present.role if present else None)
        if present is None:
            _check_user(user_id, principal.tenant_id)
            join(access.conversation.id, user_id, principal.tenant_id, role=role, announcements=announcements)
        elif present.role != role:
            _change_role(present, role, announcements)


def do_remove_participant(principal: Principal, conversation_id: UUID, user_id: UUID) -> None:
    """Take a user out of a conversation and end that user's streams of it; everybody may leave.

    Raises:
        NotFound: there is no such conversation or participant.
        Forbidden: the caller does not manage the conversation, or is not an owner and removes one.
        LastOwner: nobody else owns it.
    """
    with announcing(conversation_id) as announcements:
        access = access_conversation(principal, conversation_id)
        if user_id != principal.user_id:
            access.check_role(MANAGERS)
        present = find_participant(conversation_id, user_id)
        if present is None:
            raise NotFound
        if user_id != principal.user_id:
            check_ownership(access, None, present.role)
        _check_other_owner(present)
        _take_out(present, announcements)
        epoch.bump()


def leave_all(user_id: UUID) -> None:
    """Take a user out of every conversation, inside the write transaction that deletes the user.

    Where nobody else owns one, whoever may do most there, and of those the first who joined, becomes its owner. A
    conversation that is left empty is cleared.
    """
    mine: Any = Participant.select(Participant.conversation).where(Participant.user == user_id)
    for (conversation_id,) in list(mine.order_by(Participant.conversation).tuples()):
        with announcing(conversation_id) as announcements:
            present = find_participant(conversation_id, user_id)
            if present is None:
                continue
            _hand_over(present, announcements)
            _take_out(present, announcements)
            clear_if_left(conversation_id)


def find_participant(conversation_id: UUID, user_id: UUID) -> Participant | None:
    """Return the user's place in the conversation, or None."""
    return Participant.get_or_none(Participant.conversation == conversation_id, Participant.user == user_id)


def check_ownership(access: Access, *roles: chat.Role | None) -> None:
    """Refuse whoever is not an owner where one of `roles` is owner.

    Raises:
        Forbidden: the caller is not an owner.
    """
    if "owner" in roles and access.role != "owner":
        raise Forbidden("Only an owner makes, invites or removes owners.")


def join(
    conversation_id: UUID, user_id: UUID, tenant_id: UUID, *, role: chat.Role, announcements: Announcements
) -> None:
    """Write a new participant, inside the conversation's lock, and announce it.

    Raises:
        ConversationFull: there is no place left.
        NotFound: the user was deleted in this instant.
    """
    if Participant.select().where(Participant.conversation == conversation_id).count() >= MAX_PARTICIPANTS:
        raise ConversationFull
    try:
        Participant.create(
            conversation=conversation_id, user=user_id, tenant_id=tenant_id, role=role, joined_at=clock.now()
        )
    except peewee.IntegrityError as error:  # under the conversation's lock the user's row is all that can be missing
        raise NotFound from error
    _announce(announcements, conversation_id, user_id, role=role)


def _hand_over(present: Participant, announcements: Announcements) -> None:
    others = Participant.select().where(Participant.conversation == present.conversation_id)
    others = others.where(Participant.user != present.user_id).order_by(Participant.joined_at, Participant.user)
    heir = min(others, key=lambda other: _SUCCESSION.index(other.role), default=None)
    if present.role == "owner" and heir is not None and heir.role != "owner":
        _change_role(heir, "owner", announcements)


def _take_out(present: Participant, announcements: Announcements) -> None:
    Participant.delete().where(_is(present)).execute()
    _announce(announcements, present.conversation_id, present.user_id, role=None)


def _check_user(user_id: UUID, tenant_id: UUID) -> None:
    member = (Membership.user == user_id) & (Membership.tenant == tenant_id)
    if not Membership.select().where(member).exists():
        raise NotFound


def _change_role(present: Participant, role: chat.Role, announcements: Announcements) -> None:
    if role != "owner":
        _check_other_owner(present)
    Participant.update(role=role).where(_is(present)).execute()
    announcements.add(
        chat.MembershipChangedPayload(
            conversation_id=present.conversation_id, user_id=present.user_id, role=role, action="role_updated"
        )
    )


def _is(present: Participant) -> peewee.Expression:
    return (Participant.conversation == present.conversation_id) & (Participant.user == present.user_id)


def _check_other_owner(present: Participant) -> None:
    owners = (Participant.conversation == present.conversation_id) & (Participant.role == "owner")
    if present.role == "owner" and Participant.select().where(owners).count() == 1:
        raise LastOwner


def _announce(announcements: Announcements, conversation_id: UUID, user_id: UUID, *, role: chat.Role | None) -> None:
    is_added = role is not None
    announcements.add(
        chat.MembershipChangedPayload(
            conversation_id=conversation_id, user_id=user_id, role=role, action="added" if is_added else "removed"
        )
    )
    announcements.add(
        chat.PresenceUpdatePayload(
            user_id=user_id, status="online" if is_added else "offline", last_seen_at=clock.now()
        )
    )
