"""Samples of the chat area."""

from __future__ import annotations

from collections.abc import Callable

from tests.isolation.sample import Sample
from tests.isolation.scene import Scene

SAY = {"content": "said", "role": "system"}
ASK = {"model": "gpt-4", "messages": [{"role": "user", "content": "asked"}]}


def _plain(_scene: Scene) -> Sample:
    return Sample()


def _conversation(s: Scene) -> Sample:
    return Sample(path={"conversation_id": s.conversation()})


def _message(s: Scene) -> Sample:
    return Sample(path={"message_id": s.thread()})


def _participant(s: Scene) -> Sample:
    conversation_id = s.conversation()
    return Sample(path={"conversation_id": conversation_id, "user_id": s.participant(conversation_id)})


def _newcomer(s: Scene) -> Sample:
    path, body = {"conversation_id": s.conversation()}, {"user_id": s.user(), "role": "member"}
    return Sample(path=path, body=body, names=("conversation_id", "user_id"))


def _typing(s: Scene) -> Sample:
    conversation_id = s.conversation()
    body = {"conversation_id": conversation_id, "root_id": s.thread(conversation_id), "seconds": 5}
    return Sample(body=body, names=("conversation_id", "root_id"))


def _invited(s: Scene) -> Sample:
    path, body = {"conversation_id": s.conversation()}, {"email": s.address(), "role": "member"}
    return Sample(path=path, body=body)


SAMPLES: dict[str, Callable[[Scene], Sample]] = {
    "conversations_create": lambda s: Sample(body={"title": s.word()}),
    "conversations_list": _plain,
    "conversations_get": _conversation,
    "participants_add": _newcomer,
    "participants_remove": _participant,
    "invites_create": _invited,
    "invites_accept": lambda s: Sample(body={"token": s.invite()}, names=("token",)),
    "invites_revoke": lambda s: Sample(path={"token": s.invite()}),
    "threads_list": _conversation,
    "threads_list_unread": _conversation,
    "threads_get_tree": lambda s: Sample(path={"root_id": s.thread()}),
    "threads_create": lambda s: Sample(path={"conversation_id": s.conversation()}, body=SAY),
    "threads_mark_read": lambda s: Sample(path={"root_id": s.thread()}, body={}),
    "messages_reply": lambda s: Sample(path={"parent_id": s.thread()}, body=SAY),
    "messages_list_chunks": lambda s: Sample(path={"message_id": s.generated()}),
    "messages_delete": lambda s: Sample(path={"message_id": s.thread()}, body={}),
    "messages_restore": _message,
    "messages_edit": lambda s: Sample(path={"message_id": s.thread()}, body={"content": s.word()}),
    "messages_cancel": lambda s: Sample(path={"message_id": s.generated()}),
    "presence_set_typing": _typing,
    "presence_send_heartbeat": lambda _: Sample(body={"status": "away"}),
    "streams_open_conversation": _conversation,
    "models_list": _plain,
    "completions_create": lambda _: Sample(body=ASK),
}
