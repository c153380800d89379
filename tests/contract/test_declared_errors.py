"""Every error that an operation declares is given by it: each pair of operation and status is provoked, or excused with a reason."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.kernel.operation import Contract
from core.kernel.settings import Settings
from handlers.service import build
from models import database as database_door
from server.runtime import Runtime
from server.service import Service
from tests.client import Client
from tests.contract import provocations
from tests.contract.provocations import Provoke, Stage
from tests.factories.people import People
from tests.fuzz.seeds import WELL_KNOWN
from tests.fuzz.test_garbage import ENDS_ITS_CREDENTIAL
from tests.oracle import Operation, Oracle

CONTRACT_DIR = Path(__file__).parent.parent.parent / "models/contract"


@dataclass(frozen=True)
class Excuse:
    """Pairs that nothing here provokes; operations are matched by *."""

    operations: str
    status: int
    reason: str


_PROVIDER = "needs a provider over HTTP; tests/handlers/identity/test_{} has it"
_GITHUB_AND_APPLE, _FEDERATION = _PROVIDER.format("oauth.py"), _PROVIDER.format("federation.py")
EXCUSED = (
    Excuse(
        "invites_accept", 410, "needs an invite that is used, revoked or expired; tests/handlers/chat/test_invites.py"
    ),
    *(Excuse("oauth_callback_*", status, _GITHUB_AND_APPLE) for status in (401, 403, 423)),
    *(Excuse("oauth_exchange_*", status, _GITHUB_AND_APPLE) for status in (401, 403, 423)),
    *(Excuse("federation_callback", status, _FEDERATION) for status in (401, 403, 501)),
    Excuse("federation_start", 501, _FEDERATION),
    Excuse(
        "tokens_revoke", 403, "needs a browser's session without its CSRF token; the isolation matrix asks with one"
    ),
    Excuse("usage_get", 404, "the look at the caller's own tenant is the one at any tenant, which may be none's"),
    Excuse("tenants_get_own", 404, "the look at the caller's own tenant is the one at any tenant, which may be none's"),
)

# What provokes a status; 429, 500 and 503 come from the stage: its limits, its handlers, its database.
PROVOKED: dict[int, Provoke] = {
    304: provocations.unchanged,
    400: provocations.malformed,
    401: provocations.anonymous,
    403: provocations.powerless,
    404: provocations.missing,
    409: provocations.in_progress,
    412: provocations.stale,
    413: provocations.too_large,
    415: provocations.wrong_type,
    422: provocations.invalid,
    423: provocations.disabled,
    429: provocations.limited,
    500: provocations.plain,
    501: provocations.plain,
    503: provocations.plain,
}
PRODUCTION = {"profile": "production", "setup_token": "a-token-of-the-set-up-doors", "response_check": "enforce"}
"""The dev profile lets callers without credentials in, and everybody to the set-up."""
OFF = {"auth_v1": "false", "limits_admin_api": "false", "well_known": "false"}
ENTRIES = json.dumps({WELL_KNOWN: "Contact: mailto:security@example.com"})


def _one_request_each() -> str:
    contract = msgspec.json.decode((CONTRACT_DIR / "operations.json").read_bytes(), type=Contract)
    profiles = {operation.rate_profile for operation in contract.operations if operation.rate_profile}
    return json.dumps({name: {"limit": 1, "window_seconds": 3600} for name in sorted(profiles)})


def _stage(status: int, name: str = "", **variables: str) -> Any:
    chosen = {"well_known_entries": ENTRIES} | (PRODUCTION if status in {401, 403} else {}) | variables
    return pytest.param(status, name, id=f"{status}{name}", marks=pytest.mark.settings(**chosen))


STAGES = [
    *(_stage(status) for status in sorted(PROVOKED) if status != 429),
    _stage(404, "-switched-off", **PRODUCTION, **OFF),
    _stage(429, rate_profiles=_one_request_each()),
]


def _excuse(operation_id: str, status: int) -> Excuse | None:
    return next((row for row in EXCUSED if row.status == status and fnmatchcase(operation_id, row.operations)), None)


def _declared(oracle: Oracle, status: int) -> list[Operation]:
    """Return the operations that declare a status, those that end the caller's credential last."""
    found = [operation for operation in oracle.operations.values() if str(status) in operation.spec["responses"]]
    return sorted(found, key=lambda operation: operation.id in ENDS_ITS_CREDENTIAL)


def _belongs(operation: Operation, status: int, name: str) -> bool:
    """Say whether a stage is the one to provoke a status of an operation: a switch is the easiest way to 404."""
    return status != 404 or ("x-switch" in operation.spec) == (name == "-switched-off")


@pytest.fixture
def service(database: Settings, request: pytest.FixtureRequest) -> Service:
    """Build the product; on the stage of 500 its handlers fail."""
    built = build(database)
    if request.node.callspec.params.get("status") == 500:
        return msgspec.structs.replace(
            built, handlers=dict.fromkeys(built.handlers, _failing), prepares=dict.fromkeys(built.prepares, _failing)
        )
    return built


@pytest.fixture
def stage(client: Client, people: People, service: Service, runtime: Runtime) -> Stage:
    """Give everything that a provocation needs."""
    return Stage(client, people, service, runtime.telemetry)


def _failing(_call: Any) -> Any:
    raise RuntimeError("a bug")


@pytest.mark.parametrize(("status", "name"), STAGES)
def test_declared_status_is_given_when_it_is_provoked(stage: Stage, status: int, name: str) -> None:
    if status == 503:
        database_door.bind(_unreachable(stage.service.settings))
    never, needless = [], []
    for operation in _declared(stage.oracle, status):
        if not _belongs(operation, status, name):
            continue
        is_given = any(answer.status == status for answer in PROVOKED[status](stage, operation))
        if not is_given and not _excuse(operation.id, status):
            never.append(operation.id)
        if is_given and _excuse(operation.id, status):
            needless.append(operation.id)
    assert not never, (
        f"{status} is declared and not given: provoke it, excuse it in EXCUSED, or declare it no more: {never}"
    )
    assert not needless, f"{status} is excused, and yet given: {needless}"


def _unreachable(settings: Settings) -> Settings:
    url = "sqlite:////nowhere/accord.db" if settings.is_sqlite else "postgresql://nobody@127.0.0.1:1/nowhere"
    return msgspec.structs.replace(settings, database_url=url)


def test_every_declared_status_has_a_provocation_or_an_excuse(oracle: Oracle) -> None:
    declared = {(name, int(status)) for name, each in oracle.operations.items() for status in each.spec["responses"]}
    errors = {(name, status) for name, status in declared if status == 304 or status >= 400}
    assert {pair for pair in errors if pair[1] not in PROVOKED and not _excuse(*pair)} == set()
    assert [row for row in EXCUSED if not any(_excuse(*pair) is row for pair in errors)] == []
    assert all(len(row.reason) > 20 for row in EXCUSED)
