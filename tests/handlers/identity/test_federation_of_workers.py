"""Logins by providers on running workers: others are served meanwhile, and of racing callbacks one wins."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests import provider_endpoint
from tests.client import Answer, Client
from tests.handlers.identity.conftest import NAME, definition
from tests.live import Live
from tests.provider_endpoint import ProviderEndpoint

TIMEOUT_SECONDS = 1.5


@pytest.fixture
def endpoint() -> Iterator[ProviderEndpoint]:
    """Give a provider."""
    with provider_endpoint.serving() as made:
        yield made


@pytest.fixture
def running(launch: Callable[..., Live], endpoint: ProviderEndpoint) -> Live:
    """Give a server of one worker that knows the provider."""
    live = launch(workers=1, provider_timeout_seconds=str(TIMEOUT_SECONDS))
    body = definition(issuer=endpoint.url, client_secret="s")
    answer = live.client.call("federation_put", path={"name": NAME}, body=body, as_=live.people.ada)
    assert answer.status == 200, answer.text
    return live


def _begin(client: Client) -> tuple[dict[str, str], str]:
    answer = client.call("federation_start", path={"provider": NAME})
    assert answer.status == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query)), answer.cookies["LOGIN-FLOW"]


def _finish(client: Client, state: str, cookie: str) -> Answer:
    headers = {"Cookie": f"LOGIN-FLOW={cookie}"}
    query = {"state": state, "code": "c-1"}
    return client.call("federation_callback", path={"provider": NAME}, query=query, headers=headers)


@pytest.mark.parametrize("steps", [[b"{", 6.0], [b"{"] + [0.2, b" "] * 60], ids=["silent", "dripping"])
def test_a_provider_that_is_slow_holds_up_nobody_else(
    running: Live, endpoint: ProviderEndpoint, steps: list[bytes | float]
) -> None:
    """A dripping provider is never silent for long: the whole answer has its deadline."""
    asked, cookie = _begin(running.client)
    endpoint.answers["/token"] = steps
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        waiting = pool.submit(_finish, running.client, asked["state"], cookie)
        served = 0
        while not waiting.done():
            assert running.client.call("tokens_get_me", as_=running.people.ben).status == 200
            served += 1
        answer = waiting.result()
    assert answer.status == 503
    assert TIMEOUT_SECONDS <= time.monotonic() - began < 5
    assert served > 10


def test_of_racing_callbacks_with_one_state_one_wins(running: Live, endpoint: ProviderEndpoint) -> None:
    asked, cookie = _begin(running.client)
    endpoint.give(endpoint.sign(endpoint.claims(nonce=asked["nonce"])))
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: _finish(running.client, asked["state"], cookie).status, range(16)))
    assert sorted(statuses) == [200] + [400] * 15
    assert [path for path, *_ in endpoint.asked].count("/token") == 1


def test_of_racing_first_logins_all_are_one_user(running: Live, endpoint: ProviderEndpoint) -> None:
    begun = [_begin(running.client) for _ in range(8)]
    tokens = {
        f"c-{number}": endpoint.sign(endpoint.claims(nonce=asked["nonce"])) for number, (asked, _) in enumerate(begun)
    }
    endpoint.answers["/token"] = lambda form: {
        "access_token": "at-1",
        "token_type": "Bearer",
        "id_token": tokens[form["code"]],
    }

    def finish(number: int) -> int:
        asked, cookie = begun[number]
        query = {"state": asked["state"], "code": f"c-{number}"}
        headers = {"Cookie": f"LOGIN-FLOW={cookie}"}
        return running.client.call("federation_callback", path={"provider": NAME}, query=query, headers=headers).status

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(finish, range(8))) == [200] * 8
    users = running.client.call("users_list", as_=running.people.ada).json
    assert [user["email"] for user in users].count("dora@example.com") == 1


def test_many_right_passwords_at_once_are_taken_or_told_when_to_come_again(running: Live) -> None:
    body = {"email": running.people.cyn.email, "password": running.people.cyn.password}
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda _: running.client.call("sessions_login", body=body), range(60)))
    assert {answer.status for answer in answers} <= {200, 503}
    assert sum(answer.status == 200 for answer in answers) >= 32
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers if answer.status == 503)
