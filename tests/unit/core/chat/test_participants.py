"""Participants: what becomes of one who is deleted in the instant of being added."""

from __future__ import annotations

from uuid import UUID

import gevent
import pytest

from core.chat import conversations, participants
from core.chat.announcements import announcing
from core.kernel.principal import Principal
from core.kernel.problems import NotFound
from core.system import epoch
from models.database import is_sqlite, write
from models.tables.identity import Membership, User
from tests.unit.core.chat.conftest import add


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


def test_one_who_leaves_everything_waits_for_no_conversation_while_holding_what_others_need(
    ada: Principal, ben: Principal
) -> None:
    """All who take somebody out meet at the security epoch: it is taken behind conversations, or two wait for each other."""
    if is_sqlite():
        pytest.skip("SQLite has one writer")
    first, second = sorted(conversations.do_create_conversation(ada, name, is_group=True) for name in "ab")
    for conversation_id in (first, second):
        add(ada, conversation_id, ben)

    def leave() -> None:
        with write():
            participants.leave_all(ben.user_id)

    with announcing(second):
        leaving = gevent.spawn(leave)
        gevent.sleep(0.3)  # it has left the first and waits for the second
        with gevent.Timeout(5):
            epoch.bump()
    leaving.get(timeout=5)
    for conversation_id in (first, second):
        assert participants.find_participant(conversation_id, ben.user_id) is None
