"""What one person may be shown in the matrix: objects made as that person, through the contract where it has a way."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.identity import api_keys, roles, users
from core.kernel.principal import ROOT_TENANT_ID
from models.database import read
from models.tables.identity import Membership
from tests.client import Answer, Client, Person
from tests.factories import conversations
from tests.isolation.side import Side

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Scene:
    """A person's corner. administrator: superadmin of the installation, for what only that one makes."""

    client: Client
    person: Person
    side: Side
    administrator: Person

    def call(self, operation_id: str, *, as_: Person | None = None, **parts: Any) -> Answer:
        """Call an operation as the person of the scene, who must be served."""
        answer = self.client.call(operation_id, as_=as_ or self.person.by_token(), **parts)
        assert answer.status < 400, f"{operation_id}: {answer.status} {answer.text}"
        return answer

    def word(self) -> str:
        """Return a text that occurs nowhere else and tells the side."""
        return f"{self.side.mark}{next(_numbers)}"

    def address(self) -> str:
        """Return an e-mail address that nobody has."""
        return f"{self.word()}@{self.side.domain}"

    def user(self) -> str:
        """Make a member of the scene's tenant and return the id."""
        return str(users.do_create_user(users.NewUser(email=self.address()), self.side.tenant_id).id)

    def role(self) -> str:
        """Make a role and return its id; roles belong to the installation."""
        return str(roles.do_create_role(roles.NewRole(name=self.word())).role.id)

    def account(self) -> str:
        """Make a member of the scene's tenant and return the id of the membership."""
        with read():
            mine = Membership.of_tenant(self.side.tenant_id)
            return str(mine.where(Membership.user == self.user()).get().id)

    def key(self) -> str:
        """Make an API key that acts for the person and return its id."""
        new = api_keys.NewKey(name=self.word())
        maker = UUID(self.person.user_id)
        return str(api_keys.do_store_key(self.side.tenant_id, maker, new, frozenset({"apikey:create"})).key.id)

    def conversation(self) -> str:
        """Make a conversation of the person's."""
        return conversations.make_conversation(self.client, self.person.by_token(), title=self.word())

    def thread(self, conversation_id: str | None = None) -> str:
        """Make a thread and return the id of its first message."""
        conversation_id = conversation_id or self.conversation()
        return conversations.make_thread(self.client, self.person.by_token(), conversation_id, self.word())

    def participant(self, conversation_id: str) -> str:
        """Make a user of the tenant who takes part, and return the id."""
        user_id = self.user()
        body = {"user_id": user_id, "role": "member"}
        self.call("participants_add", path={"conversation_id": conversation_id}, body=body)
        return user_id

    def invite(self) -> str:
        """Make an invite and return its token."""
        body = {"email": self.address(), "role": "member"}
        return str(self.call("invites_create", path={"conversation_id": self.conversation()}, body=body).json["token"])

    def generated(self) -> str:
        """Make a message that asks for an answer and return the answer's id."""
        path, body = {"conversation_id": self.conversation()}, {"content": self.word()}
        return str(self.call("threads_create", path=path, body=body).json["assistant_message_id"])

    @property
    def is_home(self) -> bool:
        """Say whether this is the root workspace."""
        return self.side.tenant_id == ROOT_TENANT_ID
