"""A tenant's usage over the whole product: counted requests, entered tokens, quotas that are used up, and when they reset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.kernel import clock
from core.kernel.principal import ROOT_TENANT_ID
from models.database import write
from models.tables.identity import Tenant
from tests.client import Answer, Client, Person
from tests.conftest import FrozenClock
from tests.factories.people import People

NEWCOMER = {"email": "owner@example.org", "organizationName": "Example Ltd"}
PLANS = '{"free": {"requests_per_day": 5, "requests_per_month": 8, "tokens_per_month": 40}}'
SHIPPED_RATES = '{"conversation.post": {"limit": 1000000, "window_seconds": 1}}'


@pytest.fixture
def owner(client: Client, people: People) -> Person:
    """Register a tenant and give its first key as a person."""
    answer = client.call("tenants_register", body=NEWCOMER)
    key = answer.json["data"]["apiKey"]
    return replace(people.ben, user_id="", token=None, session=None, csrf=None, api_key=key)


def _used(client: Client, person: Person) -> dict[str, Any]:
    return client.call("usage_get", as_=person).json["data"]


def _headers(answer: Answer) -> tuple[int, int, int, int]:
    names = ("Requests-Remaining", "Requests-Percent", "Tokens-Remaining", "Tokens-Percent")
    requests, requests_percent, tokens, tokens_percent = (int(answer.headers[f"X-Usage-{name}"]) for name in names)
    return requests, requests_percent, tokens, tokens_percent


def _complete(client: Client, person: Person, words: int, **more: Any) -> Answer:
    content = " ".join(["word"] * words)
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": content}], **more}
    return client.call("completions_create", as_=person, body=body)


def test_requests_are_counted_and_told_with_every_reply(client: Client, owner: Person) -> None:
    first = client.call("tenants_get_own", as_=owner)
    assert _headers(first) == (99_999, 0, 10_000_000, 0)
    used = _used(client, owner)
    assert used["plan"] == "free"
    assert used["requests"] == {"used": 2, "limit": 100_000, "remaining": 99_998, "percentUsed": 0}
    assert used["tokens"] == {"used": 0, "limit": 10_000_000, "remaining": 10_000_000, "percentUsed": 0}
    assert (used["daily"]["used"], used["daily"]["limit"]) == (2, 10_000)


def test_registration_tells_the_new_tenants_usage(client: Client, people: People) -> None:
    answer = client.call("tenants_register", body=NEWCOMER)
    assert (answer.status, _headers(answer)) == (201, (100_000, 0, 10_000_000, 0))


def test_a_refusal_tells_the_usage_and_is_not_counted(client: Client, owner: Person) -> None:
    body = {"name": "Other"}
    refused = client.call("tenants_create", as_=owner, body=body)
    assert (refused.status, _headers(refused)[0]) == (403, 100_000)
    broken = client.call("accounts_list", as_=owner, path={"tenantId": "x"})
    assert (broken.status, _headers(broken)[0]) == (400, 99_999)


def test_nobody_is_told_anything(client: Client, people: People) -> None:
    answer = client.call("usage_get")
    assert answer.status == 401
    assert not [name for name, _ in answer.headers.items() if name.lower().startswith("x-usage")]


@pytest.mark.settings(usage_plans=PLANS)
def test_a_day_is_used_up_until_midnight(client: Client, owner: Person, frozen_clock: FrozenClock) -> None:
    frozen_clock.seconds = datetime(2026, 5, 17, 23, 59, 0, tzinfo=UTC).timestamp()
    statuses = [client.call("tenants_get_own", as_=owner).status for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    refused = client.call("usage_get", as_=owner)
    assert refused.json["error"]["code"] == "DAILY_LIMIT_EXCEEDED"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert _headers(refused)[0] == 3
    frozen_clock.advance(60)
    used = _used(client, owner)
    assert (used["daily"]["used"], used["requests"]["used"]) == (1, 6)
    assert used["daily"]["resetAt"] == "2026-05-19T00:00:00Z"


@pytest.mark.settings(usage_plans=PLANS)
def test_a_month_is_used_up_until_the_billing_anchor_day(
    client: Client, owner: Person, frozen_clock: FrozenClock
) -> None:
    with write():
        Tenant.update(billing_anchor_day=31).where(Tenant.id != ROOT_TENANT_ID).execute()
    frozen_clock.seconds = datetime(2026, 2, 26, 12, 0, 0, tzinfo=UTC).timestamp()
    assert [client.call("tenants_get_own", as_=owner).status for _ in range(5)] == [200] * 5
    frozen_clock.seconds = datetime(2026, 2, 27, 12, 0, 0, tzinfo=UTC).timestamp()
    assert [client.call("tenants_get_own", as_=owner).status for _ in range(4)] == [200, 200, 200, 429]
    refused = client.call("tenants_get_own", as_=owner)
    assert (refused.json["error"]["code"], refused.headers["Retry-After"]) == ("QUOTA_EXCEEDED", str(12 * 3600))
    assert _headers(refused)[:2] == (0, 100)
    frozen_clock.seconds = datetime(2026, 2, 28, 0, 0, 0, tzinfo=UTC).timestamp()
    used = _used(client, owner)
    assert (used["periodStart"], used["resetAt"]) == ("2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z")
    assert used["requests"]["used"] == 1


@pytest.mark.settings(rate_profiles=SHIPPED_RATES)
def test_a_minute_of_the_tenant_surface_admits_a_hundred(client: Client, owner: Person) -> None:
    answers = [client.call("tenants_get_own", as_=owner) for _ in range(101)]
    assert [answer.status for answer in answers] == [200] * 100 + [429]
    refused = answers[-1]
    assert (refused.json["error"]["code"], refused.headers["Retry-After"]) == ("RATE_LIMIT_EXCEEDED", "60")
    assert (refused.headers["X-RateLimit-Profile"], refused.headers["RateLimit-Limit"]) == ("tenant.minute", "100")
    assert _headers(refused)[0] == 100_000 - 100


def test_the_minute_is_shown(client: Client, owner: Person) -> None:
    client.call("tenants_get_own", as_=owner)
    rate = _used(client, owner)["rateLimit"]
    assert (rate["limit"], rate["limit"] - rate["remaining"]) == (1_000_000, rate["used"])
    assert datetime.fromisoformat(rate["resetAt"]) <= datetime.fromtimestamp(clock.now_ms() / 1000 + 60, UTC)


def test_the_root_workspace_is_unlimited(client: Client, people: People) -> None:
    used = _used(client, people.ada)
    assert (used["plan"], used["requests"]["limit"]) == ("unlimited", 2**53 - 1)


def test_tokens_of_a_whole_answer_are_entered(client: Client, people: People) -> None:
    usage = _complete(client, people.ben, 7).json["usage"]
    assert _used(client, people.ben)["tokens"]["used"] == usage["total_tokens"] == 7 + 8


def test_tokens_of_a_conversations_answer_are_entered_once(
    client: Client, people: People, run_jobs: Callable[[], int]
) -> None:
    body: dict[str, Any] = {"title": "Talk"}
    talk = client.call("conversations_create", as_=people.ben, body=body).json["conversation_id"]
    body = {"content": "one two three"}
    client.call("threads_create", as_=people.ben, path={"conversation_id": talk}, body=body)
    assert _used(client, people.ben)["tokens"]["used"] == 0
    assert run_jobs() == 1
    assert _used(client, people.ben)["tokens"]["used"] == 3 + 4


def test_usage_needs_its_scope(client: Client, people: People) -> None:
    answer = client.call("usage_get", as_=people.ben.in_browser())
    assert answer.status == 200


@pytest.mark.settings(usage_plans='{"unlimited": {"tokens_per_month": 60}}')
def test_tokens_that_are_used_up_refuse_the_work_before_it_begins(
    client: Client, people: People, run_jobs: Callable[[], int]
) -> None:
    assert _complete(client, people.ben, 20, max_tokens=30).status == 200
    refused = _complete(client, people.ben, 10, max_tokens=10)
    assert (refused.status, refused.json["error"]["code"]) == (429, "quota_exceeded")
    assert int(refused.headers["Retry-After"]) > 0
    streamed = _complete(client, people.ben, 10, max_tokens=10, stream=True)
    assert (streamed.status, run_jobs()) == (429, 0)
    body: dict[str, Any] = {"title": "Talk"}
    talk = client.call("conversations_create", as_=people.ben, body=body).json["conversation_id"]
    body = {"content": "one two three"}
    asked = client.call("threads_create", as_=people.ben, path={"conversation_id": talk}, body=body)
    assert (asked.status, asked.code, run_jobs()) == (429, "quota_exceeded", 0)
    assert _used(client, people.ben)["tokens"] == {"used": 41, "limit": 60, "remaining": 19, "percentUsed": 68}


def test_tokens_of_a_streamed_answer_are_entered_once(
    client: Client, people: People, run_jobs: Callable[[], int]
) -> None:
    key = {"Idempotency-Key": "stream"}
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "one two three"}], "stream": True}
    for _ in range(2):
        with client.stream("completions_create", as_=people.ben, body=body, headers=key):
            run_jobs()
    assert _used(client, people.ben)["tokens"]["used"] == 3 + 4


def test_a_repeated_whole_answer_is_entered_once(client: Client, people: People) -> None:
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "one two three"}]}
    for _ in range(2):
        key = {"Idempotency-Key": "whole"}
        assert client.call("completions_create", as_=people.ben, body=body, headers=key).status == 200
    assert _used(client, people.ben)["tokens"]["used"] == 3 + 4
