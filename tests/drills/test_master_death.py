"""kill -9 of the master: its workers end, and behind a new start everything acknowledged is there."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.drills.insistence import Writer
from tests.drills.scene import Launch, await_true, set_scene

WORDS = 120
ORPHANS_SECONDS = 10.0


@pytest.mark.long
def test_nothing_is_lost_when_the_master_is_killed(launch: Launch) -> None:
    scene = set_scene(launch)
    readers = scene.readers()
    writer = Writer(scene.client, scene.ada, scene.root_id, label="a")
    writer.start()
    asked = []
    for _ in range(3):
        asked.append(scene.ask(WORDS))
        await_true(lambda: bool(readers[0].arrivals(asked[-1])), "no delta arrived")
        orphans = scene.live.server.kill()
        ended = max(_await_end(pid) for pid in orphans)
        began = time.monotonic()
        scene.live.server.start()
        scene.await_answer(asked[-1])
        print(
            f"\nthe workers ended after {ended:.1f} s, the answer {time.monotonic() - began:.1f} s after the new start"
        )
    writer.stop()
    scene.check_answers(asked, words=WORDS)
    scene.check_histories(readers)
    assert writer.doubts == []
    assert writer.acknowledged
    assert all(scene.ledger.count("messages", "content", content) == 1 for content in writer.acknowledged)


def _await_end(pid: int) -> float:
    return await_true(lambda: not _runs(pid), "the worker goes on", seconds=ORPHANS_SECONDS)


def _runs(pid: int) -> bool:
    """Say whether a process is there and has not ended unwaited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
