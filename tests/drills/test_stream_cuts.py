"""Two clients follow generated answers on two workers and lose the line at random: each assembles the whole history."""

from __future__ import annotations

import time

import pytest

from tests.drills.scene import Launch, await_true, set_scene

WORDS = 60


def test_histories_equal_the_table_when_streams_are_cut(launch: Launch) -> None:
    _cut_streams(launch, cuts=15)


@pytest.mark.long
def test_histories_equal_the_table_over_five_hundred_cuts(launch: Launch) -> None:
    _cut_streams(launch, cuts=500)


def _cut_streams(launch: Launch, *, cuts: int) -> None:
    """Ask while both clients are cut `cuts` times each, then reckon."""
    scene = set_scene(launch)
    began = time.monotonic()
    readers = scene.readers(cuts=cuts)
    asked = [scene.ask(WORDS)]
    while any(reader.cuts > 0 for reader in readers):
        assert all(reader.is_alive() for reader in readers), "a reader has died"
        scene.await_answer(asked[-1])
        asked.append(scene.ask(WORDS))
    for message_id in asked:
        scene.await_answer(message_id)
    events = scene.check_histories(readers)
    scene.check_answers(asked, words=WORDS)
    await_true(lambda: scene.ledger.unfinished_jobs() == 0, "jobs are left")
    lost = sum(reader.lost for reader in readers)
    assert lost == 0, f"the server ended {lost} streams by itself"
    print(
        f"\n{2 * cuts} cuts, {len(asked)} answers, {events} events: both histories equal the table"
        f" ({time.monotonic() - began:.1f} s)"
    )
