"""Clears a conversation that everyone has left: nobody can see it any more, and nobody can come back.

A job does it, in small transactions, since a conversation may hold very many messages; it goes on where a dead worker stopped.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import gevent
import msgspec

from core.chat.announcements import channel_of
from core.chat.posting import subject_of
from core.kernel import clock
from core.kernel.durable import Job
from core.system import jobs
from models.database import write
from models.tables.chat import Conversation, Invite, Message, Participant, Thread
from models.tables.events import Channel, EventRow

CLEARING_JOB = "chat.clear"
_BATCH = 500
_ANSWER_SECONDS = 0.5


def clear_if_left(conversation_id: UUID) -> None:
    """End the invites of a conversation that has no participant left and have it cleared; inside its lock."""
    if Participant.select().where(Participant.conversation == conversation_id).exists():
        return
    open_ = Invite.revoked_at.is_null() & Invite.accepted_at.is_null()
    Invite.update(revoked_at=clock.now()).where(Invite.conversation == conversation_id, open_).execute()
    jobs.enqueue(CLEARING_JOB, msgspec.json.encode(conversation_id), subject=channel_of(conversation_id))


def run(job: Job) -> None:
    """Delete what a chat.clear job names, the conversation itself last.

    Raises:
        LeaseLost: another worker has the job.
    """
    conversation_id = msgspec.json.decode(job.payload, type=UUID)
    while _stop_answers(job, conversation_id):
        gevent.sleep(_ANSWER_SECONDS)
    while _delete_some(job, conversation_id):
        gevent.sleep(0)
    with write():
        Channel.delete().where(Channel.name == channel_of(conversation_id)).execute()
        Conversation.delete().where(Conversation.id == conversation_id).execute()
        jobs.finish(job)


def _stop_answers(job: Job, conversation_id: UUID) -> bool:
    """Ask the answers that are being written to end; says whether there are any."""
    with write():
        running: Any = Message.select(Message.id).where(Message.conversation == conversation_id, Message.is_streaming)
        asked = jobs.request_cancel([subject_of(message.id) for message in running.limit(_BATCH)])
        _check_lease(job)  # behind them: jobs are locked in the order of their ids, and this one is younger
        return asked > 0


def _delete_some(job: Job, conversation_id: UUID) -> int:
    """Delete a batch of what makes the conversation large; 0 when nothing of it is left."""
    here: tuple[tuple[Any, Any], ...] = (
        (Message.id, Message.conversation == conversation_id),
        (Thread.root_id, Thread.conversation == conversation_id),
        (EventRow.seq, EventRow.channel == channel_of(conversation_id)),
    )
    with write():
        _check_lease(job)
        for key, mine in here:
            some = key.model.select(key).where(mine).limit(_BATCH)
            if count := key.model.delete().where(mine, key.in_(some)).execute():
                return int(count)
    return 0


def _check_lease(job: Job) -> None:
    if job.id not in jobs.check_leases([job]).held:
        raise jobs.LeaseLost(job.id)
