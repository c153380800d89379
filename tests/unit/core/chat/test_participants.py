"""Participants: what becomes of one who is deleted in the instant of being added."""

from __future__ import annotations

from uuid import UUID

import gevent
import pytest

from core.chat import participants
from core.kernel.principal import Principal
from core.kernel.problems import NotFound
from models.database import is_sqlite, write
from models.tables.identity import Membership, User


def test_no_one_is_added_who_is_deleted_in_this_instant(ada: Principal, ben: Principal, conversation_id: UUID) -> None:
    def delete() -> None:
        with write():
            Membership.delete().where(Membership.user == ben.user_id).execute()
            User.delete().where(User.id == ben.user_id).execute()
            if not is_sqlite():  # its writers follow each other: nothing can come between
                gevent.sleep(0.5)

    deletion = gevent.spawn(delete)
    gevent.sleep(0.2)
    with gevent.Timeout(10), pytest.raises(NotFound):
        participants.do_add_participant(ada, conversation_id, user_id=ben.user_id, role="member")
    deletion.get()
    assert participants.find_participant(conversation_id, ben.user_id) is None
