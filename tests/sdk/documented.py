"""The samples of the documentation, with what must exist in the places of what the contract's examples name.

A published sample names things by the examples of the contract: ids, the caller's own address and password, names that
must be new. Nothing of that name exists on a test's server. So a sample is run as the same writer writes it with values
of `tests/fuzz/seeds.py` (and below, for logins) in those places; everything else of it is as published, which
`Documented.difference` says.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from joserfc.jwk import ECKey

from codegen import ir
from codegen.sdk import documentation
from codegen.sdk.surface import Method
from tests.client import Person
from tests.factories import people
from tests.fuzz.seeds import Scene, Value, seed
from tests.live import Live
from tests.oracle import Oracle
from tests.provider_endpoint import ProviderEndpoint

LANGUAGES = ("Python", "TypeScript", "Shell")
APPLE_KEY = ECKey.generate_key("P-256")
SPENDING = {"sessions_refresh", "sessions_logout", "tokens_refresh", "tokens_revoke"}
"""Operations that end the credential they are called with."""
FIRST = {"setup_create", "setup_bootstrap"}
"""Operations that only a server without users answers."""
ENDLESS = {"streams_open_conversation"}
"""Operations whose answer ends only when the caller leaves."""


@dataclass(frozen=True)
class Documented:
    """A sample. source: as it is run. values: real → documented, where they differ. variables: its environment."""

    operation: str
    label: str
    published: str
    source: str
    values: Mapping[str, str]
    variables: Mapping[str, str]

    def difference(self) -> str | None:
        """Return both texts where more than the named values differs; layout, which follows their length, left out."""
        told = self.source
        for real, documented in self.values.items():
            for way in (str, quote):
                told = told.replace(way(real), way(documented))
        return None if _bare(told) == _bare(self.published) else f"{self.published}\n{self.source}"


def _bare(source: str) -> str:
    return re.sub(r"[\s,]", "", source)


def provider_settings(endpoint: ProviderEndpoint) -> dict[str, str]:
    """Return settings by which a server takes the endpoint for GitHub and Apple."""
    return {
        "github_client_id": "accord",
        "github_client_secret": "gh-secret",
        "github_url": endpoint.url,
        "github_api_url": endpoint.url,
        "apple_client_id": "accord",
        "apple_team_id": "TEAM",
        "apple_key_id": "KEY",
        "apple_private_key": APPLE_KEY.as_pem(private=True).decode().replace("\n", "\\n"),
        "apple_issuer": endpoint.url,
        "outbound_networks": "127.0.0.0/8",
    }


class Logins:
    """Logins that were begun at the endpoint, each waiting for its own code."""

    def __init__(self, live: Live, endpoint: ProviderEndpoint) -> None:
        self._live = live
        self._endpoint = endpoint
        self._codes: dict[str, str] = {}
        endpoint.answers |= {
            "/login/oauth/access_token": {"access_token": "at-1", "token_type": "bearer", "scope": "user:email"},
            "/user": {"id": 583231, "login": "dora", "name": "Dora Lovelace", "email": None},
            "/user/emails": [{"email": "dora@example.com", "primary": True, "verified": True}],
            "/token": self._token,
        }

    def begin(self, operation: str, provider: str | None = None) -> dict[str, Value]:
        """Begin a login whose answer an operation takes, and return what the browser brings there."""
        door = operation.rpartition("_")[2]
        client = self._live.client
        if provider is None:
            answer = client.call(f"oauth_start_{door}")
            url = answer.json["auth_url"]
        else:
            answer = client.call("federation_start", path={"provider": provider})
            url = answer.headers["Location"]
        asked = dict(parse_qsl(urlsplit(url).query))
        return {
            "query.code": self.code(nonce=asked.get("nonce")),
            "query.state": asked["state"],
            "cookie.LOGIN-FLOW": answer.cookies["LOGIN-FLOW"],
        }

    def code(self, **claims: Any) -> str:
        """Return a code that the endpoint exchanges for an id_token with these claims."""
        code = f"code-{len(self._codes)}"
        self._codes[code] = self._endpoint.sign(self._endpoint.claims(**claims))
        return code

    def provider(self) -> str:
        """Make the endpoint a provider of the federation and return its name."""
        name = "endpoint"
        spec = {"provider": "custom", "client_id": "accord", "client_secret": "s", "issuer": self._endpoint.url}
        body = {"kind": "FederationProvider", "version": "v1", "metadata": {"name": name}, "spec": spec}
        ada = self._live.people.ada
        assert self._live.client.call("federation_put", path={"name": name}, body=body, as_=ada).status == 200
        return name

    def _token(self, form: Mapping[str, str]) -> dict[str, str]:
        return {"access_token": "at-1", "token_type": "Bearer", "id_token": self._codes[form["code"]]}


@dataclass
class Library:
    """Writes samples that run on a server."""

    contract: ir.Contract
    oracle: Oracle
    live: Live
    logins: Logins

    def samples(self, language: str, operations: set[str]) -> Iterator[Documented]:
        """Yield the samples of some operations in one language, each with things of its own."""
        published = documentation.code_samples(self.contract)
        callers = {operation: self._caller(operation) for operation in operations}
        places = {operation: self._places(operation) for operation in operations}
        values: dict[str, dict[str, str]] = {operation: {} for operation in operations}

        def change(method: Method, arguments: dict[str, Any]) -> dict[str, Any]:
            operation = method.operation.id
            return _placed(method, arguments, places.get(operation, {}), values.get(operation, {}))

        written = documentation.code_samples(self.contract, change)
        for operation in sorted(operations):
            for shown, run in zip(published[operation], written[operation], strict=True):
                if shown["lang"] == language:
                    told = self._variables(callers[operation])
                    yield Documented(operation, shown["label"], shown["source"], run["source"], values[operation], told)

    def _caller(self, operation: str) -> Person:
        ada = self.live.people.ada
        if operation not in SPENDING:
            return ada
        return people.sign_in(self.live.client, replace(Scene(self.live.client, ada).stranger))

    def _places(self, operation: str) -> dict[str, Value]:
        scene = Scene(self.live.client, self.live.people.ada)
        found = {} if operation in FIRST else seed(self.oracle, self.oracle.operations[operation], scene)
        if operation.startswith("oauth_callback"):
            found |= self.logins.begin(operation)
        if operation == "oauth_exchange_apple":
            found["body.auth_code"] = self.logins.code()
        if operation == "federation_callback":
            name = self.logins.provider()
            found |= {"path.provider": name} | self.logins.begin(operation, name)
        return found

    def _variables(self, caller: Person) -> dict[str, str]:
        return {
            "BASE_URL": self.live.server.url,
            "TOKEN": str(caller.token),
            "SESSION_ID": str(caller.session),
            "CSRF_TOKEN": str(caller.csrf),
        }


def _placed(
    method: Method, arguments: dict[str, Any], places: Mapping[str, Value], values: dict[str, str]
) -> dict[str, Any]:
    """Return documented arguments with other values in the places that are there, and note which they are."""
    found = copy.deepcopy(arguments)
    for argument in method.arguments:
        for place, value in places.items():
            location, *names = place.split(".")
            if location == argument.location and names[0] == argument.wire and argument.name in found:
                _put(found, [argument.name, *names[1:]], value, values)
    return found


def _put(holder: Any, names: list[str], value: Value, values: dict[str, str]) -> None:
    for name in names[:-1]:
        holder = holder.get(name, {})
    if isinstance(holder, dict) and names[-1] in holder:
        if holder[names[-1]] != value:
            values[str(value)] = str(holder[names[-1]])
        holder[names[-1]] = value
