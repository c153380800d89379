"""The asset password: every unmet rule named, kept as a hash, five tries in a quarter of an hour."""

from __future__ import annotations

from uuid import uuid4

import pytest

from core.identity.passwords import verify_password
from models.database import read
from models.tables.identity import AssetPassword
from tests.client import Answer, Client, Person
from tests.conftest import FrozenClock
from tests.databases import UNLIMITED
from tests.factories.api_keys import ROOT, make_key
from tests.factories.people import People
from tests.factories.tenants import register

GOOD = "Tr0ub4dor&3"


def _set(client: Client, as_: Person | None, password: str, confirmation: str | None = None, **more: object) -> Answer:
    body = {"newPassword": password, "confirmPassword": password if confirmation is None else confirmation}
    parts = {"path": {"tenantId": ROOT}, "body": body, "as_": as_, **more}
    return client.call("asset_auth_set_password", **parts)


def _stored() -> list[str]:
    with read():
        return [row.password_hash for row in AssetPassword.select()]


def test_password_is_kept_as_a_hash_and_replaced(client: Client, people: People) -> None:
    assert _set(client, people.ben, GOOD).json == {"success": True}
    first = _stored()
    assert _set(client, people.ben, GOOD + "!").status == 200
    (second,) = _stored()
    assert GOOD not in second
    assert first != [second]
    assert verify_password(second, GOOD + "!")
    assert not verify_password(second, GOOD)


@pytest.mark.settings(rate_profiles=UNLIMITED)
@pytest.mark.parametrize(
    ("password", "rules"),
    [
        ("", {"length", "upper_case", "lower_case", "digit", "symbol"}),
        ("Aa1!Aa1", {"length"}),
        ("Aa1!" * 32 + "A", {"length"}),
        ("aa1!aa1!", {"upper_case"}),
        ("AA1!AA1!", {"lower_case"}),
        ("Aab!Aab!", {"digit"}),
        ("Aa1bAa1b", {"symbol"}),
        ("Ää١?Ää١?", {"upper_case", "lower_case", "digit", "symbol"}),
    ],
)
def test_refusal_names_every_unmet_rule(client: Client, people: People, password: str, rules: set[str]) -> None:
    answer = _set(client, people.ben, password)
    assert (answer.status, answer.json["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert {row["rule"] for row in answer.json["error"]["details"]} == rules
    assert _stored() == []


@pytest.mark.settings(rate_profiles=UNLIMITED)
@pytest.mark.parametrize("password", ["Aa1!Aa1!", "Aa1!" * 32, "!1aAAAAA"])
def test_every_password_that_meets_the_rules_is_taken(client: Client, people: People, password: str) -> None:
    assert _set(client, people.ben, password).status == 200


def test_fields_that_differ_are_400_beside_the_other_rules(client: Client, people: People) -> None:
    answer = _set(client, people.ben, "short", "other")
    details = {row["rule"]: row["pointer"] for row in answer.json["error"]["details"]}
    assert (answer.status, details["equal"], details["length"]) == (400, "/confirmPassword", "/newPassword")


@pytest.mark.settings(profile="production")
def test_common_password_is_400(client: Client, people: People) -> None:
    answer = _set(client, people.ben, "P@ssw0rd")
    details = [(row["pointer"], row["rule"]) for row in answer.json["error"]["details"]]
    assert (answer.status, details) == (400, [("/newPassword", "common_password")])


def test_sixth_try_in_a_quarter_of_an_hour_is_429_for_the_whole_tenant(
    client: Client, people: People, frozen_clock: FrozenClock
) -> None:
    frozen_clock.advance(900 - frozen_clock.seconds % 900)
    assert [_set(client, people.ben, "short").status for _ in range(5)] == [400] * 5
    refused = _set(client, people.cyn, GOOD)
    assert (refused.status, refused.json["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    other = register(client)
    body = {"newPassword": GOOD, "confirmPassword": GOOD}
    path = {"tenantId": other.id}
    assert client.call("asset_auth_set_password", path=path, body=body, as_=other.admin).status == 200


def test_key_needs_its_scope_and_a_foreign_tenant_is_like_a_missing_one(client: Client, people: People) -> None:
    key = make_key(client, people.ada, scopes=["asset:manage"]).holder
    assert _set(client, key, GOOD).status == 200
    assert _set(client, make_key(client, people.ada).holder, GOOD).status == 403
    assert _set(client, None, GOOD).status == 401
    foreign = [register(client).id, str(uuid4())]
    answers = [_set(client, key, GOOD, path={"tenantId": tenant_id}) for tenant_id in foreign]
    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
