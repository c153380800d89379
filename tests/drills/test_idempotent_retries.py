"""Workers die while writes are under way, and every client repeats its own: each has exactly one effect."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.client import Answer
from tests.drills.insistence import insist
from tests.drills.scene import Launch, Scene, await_true, set_scene
from tests.factories.conversations import reply


@dataclass(frozen=True)
class Write:
    """One operation's write with a mark of its own: what is sent, and where its only effect shows."""

    operation_id: str
    parts: Callable[[Scene, str], dict[str, Any]]
    table: str
    column: str


def _in_conversation(scene: Scene, body: Any) -> dict[str, Any]:
    return {"path": {"conversation_id": scene.conversation_id}, "body": body}


def _edited(scene: Scene, mark: str) -> dict[str, Any]:
    message = reply(scene.client, scene.ada, scene.root_id, f"before {mark}")
    return {"path": {"message_id": message["message_id"]}, "body": {"content": "after", "reason": mark}}


WRITES = (
    Write("conversations_create", lambda _, mark: {"body": {"title": mark}}, "conversations", "title"),
    Write("threads_create", lambda scene, mark: _in_conversation(scene, {"content": mark}), "messages", "content"),
    Write(
        "messages_reply",
        lambda scene, mark: {"path": {"parent_id": scene.root_id}, "body": {"content": mark}},
        "messages",
        "content",
    ),
    Write("messages_edit", _edited, "message_edits", "reason"),
    Write(
        "invites_create",
        lambda scene, mark: _in_conversation(scene, {"email": f"{mark}@example.com", "role": "member"}),
        "invites",
        "email",
    ),
)


def test_a_repeated_write_has_one_effect_when_its_worker_is_killed(launch: Launch) -> None:
    _kill_under_writes(launch, rounds=2)


@pytest.mark.long
def test_repeated_writes_have_one_effect_each_over_many_kills(launch: Launch) -> None:
    _kill_under_writes(launch, rounds=20)


def _kill_under_writes(launch: Launch, *, rounds: int) -> None:
    scene = set_scene(launch, ai_echo_delay_ms="0")
    chance = random.Random(0)
    replayed = 0
    with ThreadPoolExecutor(len(WRITES)) as pool:
        for _ in range(rounds):
            prepared = [(write, mark := uuid.uuid4().hex, write.parts(scene, mark)) for write in WRITES]
            sent = [pool.submit(_twice, scene, write, mark, parts) for write, mark, parts in prepared]
            time.sleep(chance.uniform(0.0, 0.08))
            scene.live.server.kill_worker(chance.choice(scene.live.server.workers()))
            answers = [future.result() for future in sent]
            replayed += _check_replays(answers)
            for write, mark, _ in prepared:
                value = f"{mark}@example.com" if write.column == "email" else mark
                assert scene.ledger.count(write.table, write.column, value) == 1, write.operation_id
            await_true(lambda: len(scene.live.server.workers()) == 2, "the worker was not replaced")
    await_true(lambda: scene.ledger.unfinished_jobs() == 0, "jobs are left")
    print(
        f"\n{rounds} kills under {rounds * len(WRITES)} writes: one effect each, {replayed} answers were replays at once"
    )


def _twice(scene: Scene, write: Write, mark: str, parts: dict[str, Any]) -> tuple[Answer, Answer]:
    """Send a write until it is answered, then once more with the same key."""
    first, second = (insist(scene.client, write.operation_id, as_=scene.ada, key=mark, **parts) for _ in range(2))
    return first, second


def _check_replays(answers: Sequence[tuple[Answer, Answer]]) -> int:
    """Compare first and repeated answers; returns how many of the first were replays of an answer that got lost."""
    for first, second in answers:
        assert first.status in {200, 201, 204}, first.text
        assert (second.status, second.content) == (first.status, first.content)
        assert second.headers["Idempotency-Replayed"] == "true"
    return sum("Idempotency-Replayed" in first.headers for first, _ in answers)
