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
from tests.fuzz.campaign import SETUP_TOKEN, Campaign, Verdict
from tests.fuzz.expectations import DISABLED, REFUSALS, RULES, SUPPRESSED, Disabled, Refusal, Rule, Suppressed
from tests.fuzz.seeds import WELL_KNOWN, unused_seeds
from tests.live import LiveServer
from tests.oracle import Oracle

# Bounds of `make test`: every operation in each phase, chains of operations this long (ACCORD_TEST_FUZZ_SECONDS).
BOUNDED_SECONDS = int(os.environ.get("ACCORD_TEST_FUZZ_SECONDS", "20"))
# Bounds of `make fuzz`, per database (ACCORD_TEST_FUZZ_CASES).
LONG_CASES = int(os.environ.get("ACCORD_TEST_FUZZ_CASES", "25000"))
LONG_ROUNDS = 40
# Operations that no fuzzer can be accepted by, and why; an entry that is accepted fails the test.
_CALLBACK = (
    "takes a state of this browser's and a code that a provider gave for it; tests/openid.py plays one elsewhere"
)
_DEVELOPER = "is there in the dev profile alone, and the fuzzer's server runs in the production profile"
UNREACHABLE = {
    "federation_callback": _CALLBACK,
    "oauth_callback_apple": _CALLBACK,
    "oauth_callback_github": _CALLBACK,
    "oauth_exchange_apple": _DEVELOPER,
    "oauth_exchange_github": _DEVELOPER,
    "oauth_start_apple": "asks Apple for its discovery document first, and tests have no network",
}

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
    profiles = {op.spec["x-rate-profile"] for op in oracle.operations.values() if "x-rate-profile" in op.spec}
    server = LiveServer(
        read_settings(folder, database_url=url),
        response_check="enforce",
        setup_token=SETUP_TOKEN,
        rate_profiles=json.dumps({name: {"limit": 1_000_000, "window_seconds": 1} for name in profiles}),
        well_known_entries=json.dumps({WELL_KNOWN: "Contact: mailto:security@example.com"}),
        public_url="https://accord.example.com",
        github_client_id="accord",
        github_client_secret="correct-horse",
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
    never = verdict.never_accepted(oracle)
    missing = sorted(never - set(UNREACHABLE))
    assert not missing, (
        f"never answered with a success: {', '.join(missing)}. Say what they need to know in SEEDS of tests/fuzz/seeds.py, or in "
        f"UNREACHABLE of {Path(__file__).name} why no fuzzer can be accepted.\n{verdict.log[-20_000:]}"
    )
    assert set(UNREACHABLE) <= never, f"no longer unreachable: {sorted(set(UNREACHABLE) - never)}"


def test_every_operation_accepts_its_examples_when_they_name_real_things(start: Start, oracle: Oracle) -> None:
    campaign, verdict = _set_up(start)
    verdict += campaign.fuzz("bearer", phases="seeded", seed=1)
    verdict += campaign.fuzz("session", phases="seeded", seed=2)
    _assert_clean(verdict)
    _assert_reached(verdict, oracle)


def test_the_server_keeps_the_contract_when_fuzzed(start: Start, backend: str) -> None:
    campaign, verdict = _set_up(start)
    # What the contract does not take meets no database: one of them is enough here. What is drawn goes to one or the other
    # (half of its time is spent on getting ready for each operation). `make fuzz` sends everything to both.
    is_sqlite = backend == "sqlite"
    mode, share = ("all", slice(0, None, 2)) if is_sqlite else ("positive", slice(1, None, 2))
    verdict += campaign.fuzz("bearer", phases="examples,coverage", seed=1, max_examples=50, mode=mode)
    verdict += campaign.fuzz("bearer", phases="fuzzing", seed=3, max_examples=5, share=share)
    verdict += campaign.fuzz("bearer", phases="stateful", seed=4, max_examples=10, max_seconds=BOUNDED_SECONDS)
    _assert_clean(verdict)


@pytest.mark.long
def test_the_server_keeps_the_contract_when_fuzzed_for_long(start: Start, oracle: Oracle) -> None:
    verdict = Verdict()
    for seed in range(1, LONG_ROUNDS):
        scheme = "bearer" if seed % 2 else "session"
        # On a server of its own: to a former round's Idempotency-Keys most of what is sent by the same ones would be refused.
        campaign, found = _set_up(start)
        verdict += found
        verdict += campaign.fuzz(scheme, phases="examples,coverage,fuzzing", seed=seed, max_examples=100)
        # A run of its own: after the other phases Schemathesis ends its chains of operations at a fifth of the length.
        verdict += campaign.fuzz(scheme, phases="stateful", seed=seed, max_examples=100)
        print(f"round {seed} by {scheme}: {verdict.cases} cases, {len(verdict.failures)} failures", flush=True)
        if verdict.cases >= LONG_CASES or verdict.failures:
            break
    _assert_clean(verdict)
    _assert_reached(verdict, oracle)
    assert verdict.cases >= LONG_CASES


def test_every_exception_says_why() -> None:
    rows: list[Rule | Refusal | Disabled | Suppressed] = [*RULES, *REFUSALS, *DISABLED, *SUPPRESSED]
    for row in rows:
        assert len(row.reason) > 20, row
        assert row.link.startswith("https://"), row
    assert all(len(reason) > 20 for reason in UNREACHABLE.values())


def test_every_refusal_is_declared_and_follows_from_no_rule(oracle: Oracle) -> None:
    for row in REFUSALS:
        operation = oracle.operations[row.operation_id]
        assert str(row.status) in operation.spec["responses"], row
        assert not [rule for rule in RULES if rule.status == row.status and rule.has_cause(oracle, operation)], row


def test_every_seed_is_used(oracle: Oracle) -> None:
    assert unused_seeds(oracle) == set()
