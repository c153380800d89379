"""Who may see and do what in a conversation.

A conversation that is not the caller's is answered exactly like one that does not exist.
"""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

import msgspec
import peewee

from core.kernel.principal import Principal
from core.kernel.problems import Forbidden, NotFound
from models.contract.chat import Role
from models.database import locked, read
from models.tables.chat import Conversation, Message, Participant, Thread

MANAGERS: frozenset[Role] = frozenset({"owner", "admin"})
WRITERS: frozenset[Role] = frozenset({"owner", "admin", "member"})
EVERYONE: frozenset[Role] = frozenset({"owner", "admin", "member", "viewer"})
_Part = TypeVar("_Part", Thread, Message)


class Access(msgspec.Struct, frozen=True):
    """A caller inside a conversation."""

    conversation: Conversation
    user_id: UUID
    role: Role

    def check_role(self, roles: frozenset[Role]) -> None:
        """Refuse roles other than these.

        Raises:
            Forbidden: the caller's role may not do this.
        """
        check_role(self.role, roles)


def check_role(role: Role, roles: frozenset[Role]) -> None:
    """Refuse roles other than these.

    Raises:
        Forbidden: the caller's role may not do this.
    """
    if role not in roles:
        raise Forbidden(f"A conversation's {role} may not do this.")


def access_conversation(principal: Principal, conversation_id: UUID, roles: frozenset[Role] = EVERYONE) -> Access:
    """Return the caller's access to a conversation.

    Raises:
        NotFound: there is none, or the caller takes no part in it.
        Forbidden: the caller's role is not among `roles`.
    """
    with read():
        found = (
            Participant.select(Participant, Conversation)
            .join(Conversation)
            .where(
                Participant.conversation == conversation_id,
                Participant.user == principal.user_id,
                Conversation.tenant_id == principal.tenant_id,
            )
            .first()
        )
    if found is None:
        raise NotFound
    access = Access(found.conversation, principal.user_id, found.role)
    access.check_role(roles)
    return access


def access_thread(principal: Principal, root_id: UUID, roles: frozenset[Role] = EVERYONE) -> tuple[Access, Thread]:
    """Return a thread with the caller's access to its conversation.

    Raises:
        NotFound: there is none that the caller may see.
        Forbidden: the caller's role is not among `roles`.
    """
    return _access_part(principal, Thread, Thread.root_id == root_id, roles)


def access_message(principal: Principal, message_id: UUID, roles: frozenset[Role] = EVERYONE) -> tuple[Access, Message]:
    """Return a message with the caller's access to its conversation.

    Raises:
        NotFound: there is none that the caller may see.
        Forbidden: the caller's role is not among `roles`.
    """
    return _access_part(principal, Message, Message.id == message_id, roles)


def _access_part(
    principal: Principal, table: type[_Part], here: peewee.Expression, roles: frozenset[Role]
) -> tuple[Access, _Part]:
    with read():
        part = table.get_or_none(here, table.tenant_id == principal.tenant_id)
    if part is None:
        raise NotFound
    return access_conversation(principal, part.conversation_id, roles), part


def is_participant(conversation_id: UUID, user_id: UUID) -> bool:
    """Say whether the user takes part in the conversation."""
    with read():
        here = (Participant.conversation == conversation_id) & (Participant.user == user_id)
        return bool(Participant.select().where(here).exists())


def reread(message: Message) -> Message:
    """Return the message as it stands, its row locked until the write transaction ends."""
    found = locked(Message.select().where(Message.id == message.id)).first()
    if found is None:
        raise NotFound
    assert isinstance(found, Message)
    return found
