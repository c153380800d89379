"""Providers that lie, break, or are impersonated: what they say is believed only as far as it is proven."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from core.system import outbound_calls
from tests import provider_endpoint
from tests.client import Answer, Client
from tests.factories.people import People
from tests.handlers.identity.conftest import NAME, definition
from tests.provider_endpoint import ProviderEndpoint, confused, half_hash, unsigned


@dataclass
class Scene:
    """A service that knows the endpoint, and a browser that has begun a login by it."""

    client: Client
    people: People
    endpoint: ProviderEndpoint
    asked: dict[str, str]
    cookie: str

    def begin(self) -> None:
        """Begin a login."""
        answer = self.client.call("federation_start", path={"provider": NAME})
        assert answer.status == 302, answer.text
        self.asked = {name: value for name, [value] in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
        self.cookie = answer.cookies["LOGIN-FLOW"]

    def finish(self) -> Answer:
        """Come back with a code."""
        query = {"state": self.asked["state"], "code": "c-1"}
        headers = {"Cookie": f"LOGIN-FLOW={self.cookie}"}
        return self.client.call("federation_callback", path={"provider": NAME}, query=query, headers=headers)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return good claims for the login that was begun, with changes."""
        return self.endpoint.claims(**{"nonce": self.asked["nonce"], **changes})

    def put(self, **spec: Any) -> None:
        """Store the endpoint as a provider."""
        body = definition(**{"issuer": self.endpoint.url, "client_secret": "s", **spec})
        answer = self.client.call("federation_put", path={"name": NAME}, body=body, as_=self.people.ada)
        assert answer.status == 200, answer.text


@pytest.fixture
def scene(client: Client, people: People) -> Iterator[Scene]:
    """Give a scene whose login was begun."""
    with provider_endpoint.serving() as endpoint:
        made = Scene(client, people, endpoint, {}, "")
        made.put()
        made.begin()
        yield made


def _code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["error"]["details"]["code"] if answer.status >= 400 else ""


def test_a_good_id_token_is_believed(scene: Scene) -> None:
    scene.endpoint.give(scene.endpoint.sign(scene.claims(at_hash=half_hash("at-1"))))
    assert _code(scene.finish()) == (200, "")
    path, form, _ = next(row for row in scene.endpoint.asked if row[0] == "/token")
    assert (path, form["code"], form["client_id"], form["client_secret"]) == ("/token", "c-1", "accord", "s")
    assert len(form["code_verifier"]) >= 43


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": "another", "azp": "accord"},
        {"aud": ["another", "third"], "azp": "accord"},
        {"aud": ["accord", "another"]},
        {"aud": ["accord", "another"], "azp": "another"},
        {"iss": "https://accounts.google.com"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"iat": 4_000_000_000},
        {"iat": None},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "s" * 256},
        {"at_hash": half_hash("another")},
    ],
    ids=str,
)
def test_claims_that_do_not_hold_are_401(scene: Scene, changes: dict[str, Any]) -> None:
    scene.endpoint.give(scene.endpoint.sign(scene.claims(**changes)))
    assert _code(scene.finish()) == (401, "login_not_proven")


def test_a_token_that_ended_two_minutes_ago_is_401_and_one_minute_is_forgiven(scene: Scene) -> None:
    now = int(time.time())
    scene.endpoint.give(scene.endpoint.sign(scene.claims(exp=now - 120)))
    assert scene.finish().status == 401
    scene.begin()
    scene.endpoint.give(scene.endpoint.sign(scene.claims(exp=now - 30)))
    assert scene.finish().status == 200


def test_signatures_that_prove_nothing_are_401(scene: Scene) -> None:
    """Take none, another key, another key under the known id, and our public key as a shared secret (key confusion)."""
    other = RSAKey.generate_key(2048)
    forged = [
        lambda: unsigned(scene.claims()),
        lambda: scene.endpoint.sign(scene.claims(), key=other),
        lambda: scene.endpoint.sign(scene.claims(), key=other, kid="two"),
        lambda: confused(scene.claims(), scene.endpoint.key.as_pem(private=False)),
        lambda: scene.endpoint.sign(scene.claims(), key=OctKey.import_key("s" * 32), alg="HS256"),
        lambda: scene.endpoint.sign(scene.claims(), key=ECKey.generate_key("P-256")),
        lambda: scene.endpoint.sign(scene.claims()).rpartition(".")[0] + ".",
        lambda: "not.a.token",
        lambda: "x" * 200_000,
    ]
    for make in forged:
        scene.begin()
        scene.endpoint.give(make())
        assert _code(scene.finish()) == (401, "login_not_proven")
    scene.begin()
    scene.endpoint.give(None)
    assert _code(scene.finish()) == (401, "login_not_proven")


def test_a_shared_secret_among_the_keys_verifies_nothing(scene: Scene) -> None:
    secret = OctKey.import_key("k" * 32, {"kid": "one"})
    scene.endpoint.answers["/keys"] = {
        "keys": [secret.as_dict(private=True), scene.endpoint.key.as_dict(private=False)]
    }
    scene.endpoint.give(scene.endpoint.sign(scene.claims(), key=secret, alg="HS256"))
    assert _code(scene.finish()) == (401, "login_not_proven")


def test_keys_are_fetched_anew_once_when_one_is_missing(scene: Scene) -> None:
    scene.endpoint.give(scene.endpoint.sign(scene.claims()))
    assert scene.finish().status == 200
    scene.endpoint.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    scene.begin()
    scene.endpoint.give(scene.endpoint.sign(scene.claims(), kid="two"))
    assert scene.finish().status == 200
    fetched = [path for path, *_ in scene.endpoint.asked].count("/keys")
    scene.begin()
    scene.endpoint.give(scene.endpoint.sign(scene.claims(), key=RSAKey.generate_key(2048), kid="three"))
    assert scene.finish().status == 401
    assert [path for path, *_ in scene.endpoint.asked].count("/keys") == fetched + 1


def test_a_code_is_exchanged_once_for_a_state_that_is_replayed(scene: Scene) -> None:
    scene.endpoint.give(scene.endpoint.sign(scene.claims()))
    assert [scene.finish().status for _ in range(3)] == [200, 400, 400]
    assert [path for path, *_ in scene.endpoint.asked].count("/token") == 1


def test_metadata_of_another_issuer_are_503(scene: Scene) -> None:
    for changes in (
        {"issuer": "https://accounts.google.com"},
        {"issuer": scene.endpoint.url + "/"},
        {"token_endpoint": 7},
    ):
        with provider_endpoint.serving() as liar:
            liar.answers["/.well-known/openid-configuration"] |= changes
            scene.put(issuer=liar.url)
            answer = scene.client.call("federation_start", path={"provider": NAME})
            assert _code(answer) == (503, "provider_unavailable")


def test_metadata_cannot_lead_to_a_private_address(scene: Scene) -> None:
    for address in (
        "http://169.254.169.254/latest",
        "https://10.0.0.1/token",
        "file:///etc/passwd",
        "https://[fe80::1]/",
    ):
        with provider_endpoint.serving() as liar:
            liar.answers["/.well-known/openid-configuration"] |= {"token_endpoint": address}
            scene.put(issuer=liar.url)
            scene.begin()
            assert _code(scene.finish()) == (503, "provider_unavailable")


def test_a_redirection_is_not_followed(scene: Scene) -> None:
    for path in ("/token", "/keys"):
        scene.begin()
        scene.endpoint.give(scene.endpoint.sign(scene.claims(), kid="fresh"))
        scene.endpoint.answers[path] = (302, {"Location": f"{scene.endpoint.url}/elsewhere"})
        assert _code(scene.finish()) == (503, "provider_unavailable")
    assert "/elsewhere" not in [path for path, *_ in scene.endpoint.asked]


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}),
        (502, [b"<html>"]),
        [b"not json"],
        ["a list"],
        (200, [b"{" + b" " * (outbound_calls.BODY_LIMIT_BYTES + 1)]),
        {"token_type": "Bearer"},
        {"access_token": 7},
        [b'{"access_token": "\xff"}'],
    ],
    ids=lambda answer: str(answer)[:20],
)
def test_an_answer_that_is_none_is_503(scene: Scene, answer: Any) -> None:
    scene.endpoint.answers["/token"] = answer
    assert _code(scene.finish()) == (503, "provider_unavailable")


@pytest.mark.settings(provider_timeout_seconds="0.5")
def test_a_silent_provider_is_503(scene: Scene) -> None:
    scene.endpoint.answers["/token"] = [b"{", 3.0, b"}"]
    began = time.monotonic()
    assert _code(scene.finish()) == (503, "provider_unavailable")
    assert time.monotonic() - began < 2


def test_what_comes_with_an_error_is_not_read(scene: Scene) -> None:
    keys = {"keys": [scene.endpoint.key.as_dict(private=False)]}
    scene.endpoint.answers["/keys"] = (500, keys)
    scene.endpoint.give(scene.endpoint.sign(scene.claims()))
    assert _code(scene.finish()) == (503, "provider_unavailable")
    scene.endpoint.answers["/keys"] = (200, keys)
    scene.begin()
    scene.endpoint.give(scene.endpoint.sign(scene.claims()))
    assert scene.finish().status == 200


def test_userinfo_about_someone_else_is_401(scene: Scene) -> None:
    scene.endpoint.answers["/.well-known/openid-configuration"]["userinfo_endpoint"] = f"{scene.endpoint.url}/me"
    with provider_endpoint.serving() as endpoint:
        endpoint.answers["/.well-known/openid-configuration"]["userinfo_endpoint"] = f"{endpoint.url}/me"
        scene.endpoint = endpoint
        scene.put()
        for sub, status in (("s-2", 401), ("s-1", 200)):
            scene.begin()
            endpoint.answers["/me"] = {"sub": sub, "email": "dora@example.com", "email_verified": True}
            endpoint.give(endpoint.sign(scene.claims(email=None, email_verified=None)))
            assert scene.finish().status == status


@pytest.mark.parametrize(
    "email", ["ben@example.com\n", "ben@", "a b@example.com", "x" * 250 + "@example.com", 7, "<a@b.c>"]
)
def test_an_address_that_is_none_makes_no_user(scene: Scene, email: Any) -> None:
    scene.endpoint.give(scene.endpoint.sign(scene.claims(email=email)))
    assert _code(scene.finish()) == (403, "email_not_verified")


@pytest.mark.parametrize("verified", [False, None, "yes", 1.5, "false", []])
def test_only_true_is_verified(scene: Scene, verified: Any) -> None:
    scene.endpoint.give(scene.endpoint.sign(scene.claims(email="ben@example.com", email_verified=verified)))
    assert _code(scene.finish()) == (403, "email_not_verified")


def test_names_that_are_none_are_left_out(scene: Scene) -> None:
    claims = scene.claims(given_name="\x00 \u202e", family_name="L\x00ovelace" + "e" * 200)
    scene.endpoint.give(scene.endpoint.sign(claims))
    assert scene.finish().status == 200
    users = scene.client.call("users_list", as_=scene.people.ada).json
    made = next(user for user in users if user["email"] == "dora@example.com")
    assert (made["first_name"], made["last_name"]) == (None, "Lovelace" + "e" * 92)


def test_subjects_of_two_providers_are_two_people(scene: Scene) -> None:
    scene.endpoint.give(scene.endpoint.sign(scene.claims()))
    assert scene.finish().status == 200
    with provider_endpoint.serving() as other:
        scene.endpoint = other
        scene.put()
        scene.begin()
        other.give(other.sign(scene.claims(email="eve@example.com")))
        assert scene.finish().status == 200
    users = scene.client.call("users_list", as_=scene.people.ada).json
    assert {"dora@example.com", "eve@example.com"} <= {user["email"] for user in users}


def test_subjects_of_two_providers_of_one_host_are_two_people(scene: Scene) -> None:
    """Two realms of one server number their people alike: whoever is 41 in the one is not whom the other calls 41."""
    url, addresses = scene.endpoint.url, ("dora@example.com", "eve@example.com")
    for realm, address in zip(("a", "b" * 300), addresses, strict=True):
        paths = {"auth_url": "authorize", "token_url": "token", "userinfo_url": "me"}
        spec = {name: f"{url}/{realm}/{path}" for name, path in paths.items()}
        body = definition(**spec, client_secret="s")
        put = scene.client.call("federation_put", path={"name": NAME}, body=body, as_=scene.people.ada)
        assert put.status == 200, put.text
        scene.begin()
        scene.endpoint.answers[f"/{realm}/token"] = {"access_token": "at-1", "token_type": "bearer"}
        scene.endpoint.answers[f"/{realm}/me"] = {"id": 41, "email": address, "email_verified": True}
        assert scene.finish().status == 200
    users = scene.client.call("users_list", as_=scene.people.ada).json
    assert set(addresses) <= {user["email"] for user in users}


def test_plain_oauth_needs_a_userinfo_that_vouches(scene: Scene) -> None:
    url = scene.endpoint.url
    addresses = {"auth_url": f"{url}/authorize", "token_url": f"{url}/token", "userinfo_url": f"{url}/me"}
    body = definition(**addresses, client_secret="s")
    put = scene.client.call("federation_put", path={"name": NAME}, body=body, as_=scene.people.ada)
    assert put.status == 200
    for verified, status in ((None, 403), (True, 200)):
        answer = scene.client.call("federation_start", path={"provider": NAME})
        asked = {name: value for name, [value] in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
        scene.asked, scene.cookie = asked, answer.cookies["LOGIN-FLOW"]
        assert asked["code_challenge_method"] == "S256"
        assert "nonce" not in asked
        scene.endpoint.give(None)
        scene.endpoint.answers["/me"] = {"id": 41, "email": "dora@example.com", "email_verified": verified}
        assert scene.finish().status == status
    assert next(row[2] for row in scene.endpoint.asked if row[0] == "/me") == "Bearer at-1"
    assert next(row[2] for row in scene.endpoint.asked if row[0] == "/token").startswith("Basic ")
