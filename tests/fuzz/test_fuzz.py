"""The running server against Schemathesis: no failure, and every operation accepted at least once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.databases import Databases, read_settings
from tests.fuzz.campaign import SETUP_TOKEN, WELL_KNOWN, Campaign, Verdict
from tests.fuzz.expectations import EXPECTATIONS
from tests.live import LiveServer
from tests.oracle import Oracle

# Bounds of `make test`: every operation in each phase, chains of operations this long (ACCORD_TEST_FUZZ_SECONDS).
BOUNDED_SECONDS = int(os.environ.get("ACCORD_TEST_FUZZ_SECONDS", "30"))
# Bounds of `make fuzz`, per database (ACCORD_TEST_FUZZ_CASES).
LONG_CASES = int(os.environ.get("ACCORD_TEST_FUZZ_CASES", "25000"))
LONG_ROUNDS = 40
# Operations that no fuzzer can be accepted by, and why; an entry that is accepted fails the test.
UNREACHABLE: dict[str, str] = {}

Start = Callable[[], Campaign]


@pytest.fixture
def start(databases: Databases, oracle: Oracle, tmp_path: Path) -> Iterator[Start]:
    """Start campaigns, each on a server of its own without users."""
    with ExitStack() as stack:
        folders = (tmp_path / f"server{number}" for number in count())
        yield lambda: stack.enter_context(_campaign(databases, oracle, next(folders)))


@contextmanager
def _campaign(databases: Databases, oracle: Oracle, folder: Path) -> Iterator[Campaign]:
    folder.mkdir()
    url = databases.create(folder, "migrated")
    server = LiveServer(
        read_settings(folder, database_url=url),
        response_check="enforce",
        setup_token=SETUP_TOKEN,
        well_known_entries=json.dumps({WELL_KNOWN: "Contact: mailto:security@example.com"}),
    )
    try:
        yield Campaign(server, server.client(oracle), folder)
    finally:
        server.close()
        databases.drop(url)


def _set_up(start: Start) -> tuple[Campaign, Verdict]:
    """Take both set-up doors, each on a server without users, and go on with one that lets nobody in without credentials.

    The example of setup_bootstrap has a common password, which only the dev profile takes.
    """
    verdict = start().set_up("setup_create")
    campaign = start()
    verdict += campaign.set_up("setup_bootstrap")
    campaign.restart(profile="production")
    return campaign, verdict


def _assert_clean(verdict: Verdict) -> None:
    assert not verdict.failures, f"{verdict.failures}\n{verdict.log[-20_000:]}"
    assert not verdict.errors, f"{verdict.errors}\n{verdict.log[-20_000:]}"


def _assert_reached(verdict: Verdict, oracle: Oracle) -> None:
    """Ask that every operation was accepted; only the long run has the examples that chains of fresh ids need."""
    labels = {f"{op.method.upper()} {op.path}": op.id for op in oracle.operations.values()}
    never = {name for label, name in labels.items() if not verdict.accepted.get(label)}
    assert never == set(UNREACHABLE)


def test_the_server_keeps_the_contract_when_fuzzed(start: Start) -> None:
    campaign, verdict = _set_up(start)
    verdict += campaign.fuzz("bearer", phases="examples,coverage", seed=1, max_examples=50, max_seconds=None)
    verdict += campaign.fuzz("session", phases="examples,coverage", seed=2, max_examples=50, max_seconds=None)
    verdict += campaign.fuzz("bearer", phases="fuzzing", seed=3, max_examples=10, max_seconds=None)
    verdict += campaign.fuzz("bearer", phases="stateful", seed=4, max_examples=10, max_seconds=BOUNDED_SECONDS)
    _assert_clean(verdict)


@pytest.mark.long
def test_the_server_keeps_the_contract_when_fuzzed_for_long(start: Start, oracle: Oracle) -> None:
    campaign, verdict = _set_up(start)
    for seed in range(1, LONG_ROUNDS):
        scheme = "session" if seed % 4 == 0 else "bearer"
        phases = "examples,coverage,fuzzing,stateful"
        verdict += campaign.fuzz(scheme, phases=phases, seed=seed, max_examples=100, max_seconds=None)
        print(f"round {seed} by {scheme}: {verdict.cases} cases, {len(verdict.failures)} failures", flush=True)
        if verdict.cases >= LONG_CASES or verdict.failures:
            break
    _assert_clean(verdict)
    _assert_reached(verdict, oracle)
    assert verdict.cases >= LONG_CASES


def test_every_expectation_says_why() -> None:
    for row in EXPECTATIONS:
        assert len(row.reason) > 20
        assert row.link.startswith("https://")
