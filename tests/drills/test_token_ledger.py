"""kill -9 while answers are written: the ledger of LLM tokens equals the work that was done, to the token."""

from __future__ import annotations

import random
import time

import pytest

from tests.drills.insistence import insist
from tests.drills.scene import Launch, Scene, await_true, question, set_scene

WORDS = 60


def test_the_ledger_equals_the_work_when_a_worker_is_killed(launch: Launch) -> None:
    _reckon(launch, rounds=1)


@pytest.mark.long
def test_the_ledger_equals_the_work_when_twelve_workers_are_killed(launch: Launch) -> None:
    _reckon(launch, rounds=12)


def _reckon(launch: Launch, *, rounds: int) -> None:
    scene = set_scene(launch)
    chance = random.Random(0)
    asked: list[str] = []
    for _ in range(rounds):
        batch = [scene.ask(WORDS) for _ in range(4)]
        asked += batch
        time.sleep(chance.uniform(0.1, 0.5))
        path = {"message_id": batch[0]}
        cancelled = insist(scene.client, "messages_cancel", as_=scene.ada, path=path)
        assert cancelled.status < 300, cancelled.text
        scene.live.server.kill_worker()
        await_true(lambda: len(scene.live.server.workers()) == 2, "the worker was not replaced")
    for message_id in asked:
        scene.await_answer(message_id)
    await_true(lambda: scene.ledger.unfinished_jobs() == 0, "jobs are left")
    _check(scene, asked)


def _check(scene: Scene, asked: list[str]) -> None:
    """An answer costs the words of the messages above it and its own; one that brought nothing costs nothing."""
    answers = [scene.ledger.answer(message_id) for message_id in asked]
    above = len(scene.ledger.content(scene.root_id).split()) + len(question(WORDS).split())
    expected = sorted((above, len(answer.content.split())) for answer in answers if answer.content)
    entered = sorted(scene.ledger.usage())
    reasons = [answer.finish_reason for answer in answers]
    total = sum(map(sum, expected))
    print(
        f"\n{len(asked)} answers ({reasons.count('cancelled')} cancelled): {total} tokens of work, {sum(map(sum, entered))} entered"
    )
    assert entered == expected
    used = scene.client.call("usage_get", as_=scene.ada).json["data"]["tokens"]["used"]
    assert used == total
    assert scene.ledger.reservations() == 0
