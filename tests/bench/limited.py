"""What counting costs: one authenticated GET of the tenant surface with limits and usage on, against the same without."""

from __future__ import annotations

import http.client
from pathlib import Path

import orjson

from tests.bench import rounds, stacks
from tests.bench.accounts import EMAIL, PASSWORD, Account
from tests.bench.load import Target
from tests.bench.processes import ROOT
from tests.bench.rounds import Cores, Line
from tests.bench.stacks import Stack

BOUND = 2.0
_PATH = "/api/v1/tenants"
_ROOT_TENANT = "00000000-0000-0000-0000-000000000000"
_PYPROJECT = '[tool.accord]\nservice = "tests.bench.uncounted:build"\n'


def targets(account: Account) -> dict[str, Target]:
    """Return the GET by session, bearer and API key of a running product's administrator."""
    return {name: Target("GET", (_PATH,), headers) for name, headers in _credentials(account).items()}


def lines(
    targets: dict[str, Target], environment: dict[str, str], folder: Path, *, plan: tuple[int, float, Cores]
) -> list[Line]:
    """Measure both; folder: takes the uncounted product's project file. plan: rounds, seconds and cores."""
    (folder / "pyproject.toml").write_text(_PYPROJECT)
    counted = stacks.accord("counted", ROOT, environment, targets)._replace(probe=stacks.READY)
    free = stacks.accord("uncounted", folder, environment, targets)._replace(probe=stacks.READY)
    number, seconds, cores = plan
    results = rounds.run([counted, free], rounds=number, seconds=seconds, cores=cores)
    print(rounds.table(results))
    return [line for name in targets for line in _compared(results, name, counted, free)]


def _compared(results: rounds.Results, target: str, counted: Stack, free: Stack) -> list[Line]:
    with_, without = results[counted.name, target], results[free.name, target]
    return [
        Line(
            f"{target}: time of a request, counted / uncounted",
            without.requests_per_second / with_.requests_per_second,
            BOUND,
            is_ceiling=True,
        ),
        Line(f"{target}: CPU of a request, counted / uncounted", with_.cpu_ms / without.cpu_ms, BOUND, is_ceiling=True),
        Line(f"{target}: p99 in ms, counted", with_.p99_ms, None),
        Line(f"{target}: p99 in ms, uncounted", without.p99_ms, None),
    ]


def _credentials(account: Account) -> dict[str, dict[str, str]]:
    key = account.post(f"/api/v1/tenants/{_ROOT_TENANT}/api-keys", {"name": "bench", "scopes": ["tenant:read"]})
    return {
        "session": {"Cookie": f"SESSION_ID={_session(account)}"},
        "Biscuit": stacks.bearer(account.token),
        "API key": {"x-api-key": key["data"]["apiKey"]},
    }


def _session(account: Account) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", account.port, timeout=30)
    body = orjson.dumps({"email": EMAIL, "password": PASSWORD})
    connection.request("POST", "/api/auth/login", body, {"Content-Type": "application/json"})
    cookies = connection.getresponse().headers.get_all("Set-Cookie") or []
    return next(line.partition("=")[2].partition(";")[0] for line in cookies if line.startswith("SESSION_ID="))
