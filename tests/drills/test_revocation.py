"""What is revoked is refused by the next request on every worker, under traffic, and its streams end within a second."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.client import Answer, Client, Person
from tests.drills.revocation import Taken, Tally, attempt
from tests.drills.scene import Launch
from tests.factories.api_keys import ROOT, make_key
from tests.factories.conversations import add_participant, make_conversation
from tests.live import Live

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STREAMS_END_SECONDS = 1.0
SIDE_BY_SIDE = 2
STREAM_EVERY = 4
TRIES = 50
REPORT_EVERY = 100
TRIAL_SECONDS = 6.0
"""What a trial may take on the average of two side by side on a crowded machine; then the drill has failed, and stops."""
_numbers = itertools.count(1)


class Insistent(Client):
    """A client that asks again where it is told to come back: a machine under load refuses what it cannot judge."""

    def call(self, operation_id: str, **parts: Any) -> Answer:
        """Call an operation until it is not 503."""
        for _ in range(TRIES):
            answer = super().call(operation_id, **parts)
            if answer.status != 503:
                break
            time.sleep(0.2)
        return answer


def test_nothing_is_accepted_after_a_revocation(launch: Launch) -> None:
    _revoke_under_traffic(launch, trials=40)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_nothing_is_accepted_after_two_thousand_revocations(launch: Launch) -> None:
    _revoke_under_traffic(launch, trials=2000)


def _revoke_under_traffic(launch: Launch, *, trials: int) -> None:
    live = launch(workers=2)
    live = replace(live, client=Insistent(live.client.transport, live.client.oracle))
    began = time.monotonic()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        rounds = [pool.submit(_trials, live, number, trials // SIDE_BY_SIDE) for number in range(SIDE_BY_SIDE)]
        tally = Tally()
        for done in rounds:
            tally.add(done.result())
    lags = sorted(tally.lags)
    print(
        f"\n{tally.trials} revocations, {tally.asked} requests, {tally.asked_after} of them sent after the answer, "
        f"{len(tally.late)} accepted; {len(lags)} streams ended: p50 {lags[len(lags) // 2]:.2f} s, p99 {lags[len(lags) * 99 // 100]:.2f} s, max {lags[-1]:.2f} s "
        f"({time.monotonic() - began:.0f} s)"
    )
    assert tally.trials == trials
    assert tally.asked_after >= 3 * trials
    assert not tally.late, tally.late[:20]
    assert len(lags) >= trials // 10
    assert lags[-1] < STREAMS_END_SECONDS


def _trials(live: Live, seed: int, count: int) -> Tally:
    chance, tally = random.Random(seed), Tally()
    makers = [_token, _session, _key, _membership, _password]
    user = _make_user(live)
    deadline = time.monotonic() + 60 + count * TRIAL_SECONDS
    for number in range(count):
        assert time.monotonic() < deadline, f"{number} of {count} trials were made in time"
        if tally.trials and tally.trials % REPORT_EVERY == 0:
            print(f"{tally.trials} trials, {tally.asked_after} requests after, {len(tally.late)} accepted", flush=True)
        taken = makers[number % len(makers)](live, user)
        if number // len(makers) % STREAM_EVERY == 0:  # a stream may take its second to end; most trials do without
            taken = _with_stream(live, user, taken)
        tally.add(attempt(live.client, taken, chance))
    return tally


def _make_user(live: Live) -> Person:
    """Make a user of this thread's own, whose password trials may change."""
    email, password = f"user{next(_numbers)}@example.com", "a password at first"
    body = {"email": email, "password": password}
    made = live.client.call("users_create", body=body, as_=live.people.ada.by_token())
    assert made.status == 201, made.text
    return Person(user_id=made.json["id"], name=email, email=email, password=password)


def _token(live: Live, user: Person) -> Taken:
    """Have the holder log out."""
    headers = {"Authorization": f"Bearer {_sign_in(live.client, user)}"}
    revoke = _calling(live.client, "tokens_revoke", headers=headers)
    return Taken("token", "/auth/me", headers, revoke)


def _session(live: Live, user: Person) -> Taken:
    """Have the browser log out."""
    login = live.client.call("sessions_login", body={"email": user.email, "password": user.password})
    assert login.status == 200, login.text
    browser = Person(user.user_id, user.name, user.email, user.password, None, login.cookies["SESSION_ID"])
    browser.csrf = login.json["csrf_token"]
    revoke = _calling(live.client, "sessions_logout", as_=browser)
    return Taken("session", "/api/auth/me", browser.headers("GET"), revoke)


def _key(live: Live, user: Person) -> Taken:
    """Delete an API key."""
    ada = live.people.ada.by_token()
    key = make_key(live.client, ada)
    revoke = _calling(live.client, "api_keys_delete", path={"tenantId": ROOT, "keyId": key.id}, as_=ada)
    return Taken("key", "/v1/models", {"x-api-key": key.secret}, revoke)


def _membership(live: Live, user: Person) -> Taken:
    """Take the user out of a conversation."""
    ben = live.people.ben.by_token()
    conversation_id = make_conversation(live.client, ben)
    add_participant(live.client, ben, conversation_id, user)
    path = {"conversation_id": conversation_id, "user_id": user.user_id}
    headers = {"Authorization": f"Bearer {_sign_in(live.client, user)}"}
    revoke = _calling(live.client, "participants_remove", path=path, as_=ben)
    return Taken("membership", f"/api/conversations/{conversation_id}", headers, revoke)


def _password(live: Live, user: Person) -> Taken:
    """Give the user another password."""
    headers = {"Authorization": f"Bearer {_sign_in(live.client, user)}"}
    path, body = {"id": user.user_id}, {"password": f"a password of trial {next(_numbers)}"}
    change = _calling(live.client, "users_update", path=path, body=body, as_=live.people.ada.by_token())

    def revoke() -> None:
        change()
        user.password = body["password"]

    return Taken("password", "/auth/me", headers, revoke)


def _with_stream(live: Live, user: Person, taken: Taken) -> Taken:
    """Have the credential hold a conversation's stream open, too; an API key opens none."""
    if taken.kind == "key":
        return taken
    if taken.kind == "membership":
        return replace(taken, stream=taken.target.replace("/api/", "/api/stream/"))
    ben = live.people.ben.by_token()
    conversation_id = make_conversation(live.client, ben)
    add_participant(live.client, ben, conversation_id, user)
    return replace(taken, stream=f"/api/stream/conversations/{conversation_id}")


def _sign_in(client: Client, user: Person) -> str:
    form = urlencode({"username": user.email, "password": user.password}).encode()
    answer = client.call("tokens_create", data=form, headers=FORM)
    assert answer.status == 200, answer.text
    return str(answer.json["access_token"])


def _calling(client: Client, operation_id: str, **parts: object) -> Callable[[], None]:
    def call() -> None:
        answer: Answer = client.call(operation_id, **parts)
        assert answer.status < 300, answer.text

    return call
