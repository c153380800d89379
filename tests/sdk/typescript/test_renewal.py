"""Bearer tokens renew themselves: before they end, once for all who call, and for calls that met the renewal."""

from __future__ import annotations

import pytest

from tests.sdk.scripted import Row, scripted
from tests.sdk.typescript.conftest import Program, Project

CREATED = Row(201, {"conversation_id": "01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a34"})
SUCCESSOR = Row(200, {"access_token": "second", "token_type": "bearer", "expires_in": 1000, "scope": ""})
LOST = Row(0)


@pytest.mark.parametrize(
    ("rows", "bearers"),
    [
        pytest.param([SUCCESSOR, CREATED, CREATED], ["first", "second", "second"], id="renewed once"),
        pytest.param(
            [LOST, SUCCESSOR, CREATED, CREATED], ["first", "first", "second", "second"], id="its answer was lost"
        ),
        pytest.param([Row(403, {}), CREATED, CREATED], ["first", "first", "first"], id="refused"),
    ],
)
def test_a_token_is_renewed_before_it_ends(project: Project, rows: list[Row], bearers: list[str]) -> None:
    with scripted(*rows) as server:
        changes = project.run("renewal", PLAN="before", BASE_URL=server.url)
        assert [asked.headers["authorization"] for asked in server.asked] == [f"Bearer {bearer}" for bearer in bearers]
        assert server.asked[0].path == "/auth/refresh"
    assert changes == (["second"] if "second" in bearers else [])


def test_a_call_that_met_a_renewal_is_sent_again(project: Project) -> None:
    with scripted(Row(401, {}), CREATED) as server:
        assert project.run("renewal", PLAN="beside", BASE_URL=server.url) == "second"
        assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer first", "Bearer second"]


def test_calls_at_once_renew_once(run_program: Program) -> None:
    assert run_program("renewal", PLAN="together") == 1
