"""kill -9 of workers: whatever was acknowledged is in the audit trail, whether its entry was in its transaction or followed it."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Thread

import pytest

from tests.client import Answer, Client, Person
from tests.drills.ledger import Ledger
from tests.drills.scene import Launch, await_true

PAUSE_SECONDS = 0.4
Step = Callable[[], tuple[str, Answer]]


class Doer(Thread):
    """Does one thing after the other and notes the request ids of what was acknowledged; an answer that is lost is passed over."""

    def __init__(self, step: Step) -> None:
        super().__init__(daemon=True)
        self._step = step
        self.acknowledged: list[tuple[str, str]] = []
        self.lost = 0
        self.odd: list[str] = []
        self.is_stopped = False

    def run(self) -> None:
        """Go on until stopped."""
        while not self.is_stopped:
            try:
                operation, answer = self._step()
            except (OSError, http.client.HTTPException):
                self.lost += 1
                time.sleep(0.02)
                continue
            if answer.status < 300:
                self.acknowledged.append((operation, answer.headers["X-Request-Id"]))
            elif answer.status != 503:
                self.odd.append(f"{operation}: {answer.status} {answer.text}")


def test_no_entry_of_an_acknowledged_write_is_lost_when_workers_are_killed(launch: Launch) -> None:
    _kill_workers(launch, rounds=4)


@pytest.mark.long
def test_no_entry_of_an_acknowledged_write_is_lost_when_thirty_workers_are_killed(launch: Launch) -> None:
    _kill_workers(launch, rounds=30)


def _kill_workers(launch: Launch, *, rounds: int) -> None:
    live = launch(workers=2)
    people = live.people
    steps = [_maker(live.client, people.ada.by_token()) for _ in range(2)]
    steps += [_refresher(live.client, person.by_token()) for person in (people.ben, people.cyn)]
    doers = [Doer(step) for step in steps]
    for doer in doers:
        doer.start()
    for _ in range(rounds):
        time.sleep(PAUSE_SECONDS)
        live.server.kill_worker()
        await_true(lambda: len(live.server.workers()) == 2, "the worker was not replaced")
    time.sleep(PAUSE_SECONDS)
    for doer in doers:
        doer.is_stopped = True
        doer.join(60)
    acknowledged = [pair for doer in doers for pair in doer.acknowledged]
    ledger = Ledger(live.server.settings.database_url)
    missing = [pair for pair in acknowledged if ledger.count("audit_entries", "request_id", pair[1]) != 1]
    done, lost = Counter(operation for operation, _ in acknowledged), sum(doer.lost for doer in doers)
    print(f"\n{rounds} kills: acknowledged {dict(done)}, {lost} answers lost, {len(missing)} entries missing")
    assert [odd for doer in doers for odd in doer.odd] == []
    assert set(done) == {"conversations_create", "tokens_refresh"}
    assert missing == []


def _maker(client: Client, person: Person) -> Step:
    """Make conversations: an entry in the transaction of its effect."""
    return lambda: ("conversations_create", client.call("conversations_create", as_=person, body={"title": "Trail"}))


def _refresher(client: Client, person: Person) -> Step:
    """Refresh a token again and again: the operation commits by itself, and its entry follows."""
    holder = replace(person)

    def step() -> tuple[str, Answer]:
        answer = client.call("tokens_refresh", as_=holder)
        if answer.status == 200:
            holder.token = answer.json["access_token"]
        return "tokens_refresh", answer

    return step
