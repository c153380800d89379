"""Run Schemathesis against a running server and read its verdict.

The administrator is made by the fuzzer itself, by the contract's own set-up example; what a caller would know is made
anew for every run (tests/fuzz/seeds.py).
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.client import Client, Person
from tests.factories import people
from tests.fuzz.expectations import SUPPRESSED
from tests.fuzz.seeded import seed_contract, takes
from tests.fuzz.seeds import Seeds
from tests.fuzz.settings import bearer_login, write_settings
from tests.live import LiveServer
from tests.oracle import Oracle

SETUP_TOKEN = "the-token-that-opens-both-set-up-doors"
ENDS_ITS_SESSION = frozenset({"sessions_logout", "sessions_refresh"})
_SLACK_SECONDS = 240


@dataclass
class Verdict:
    """What one or more runs found. accepted: "METHOD /path" → requests that were answered 2xx."""

    cases: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    accepted: dict[str, int] = field(default_factory=dict)
    log: str = ""

    def __iadd__(self, other: Verdict) -> Verdict:
        self.cases += other.cases
        self.failures += other.failures
        self.errors += other.errors
        for label, count in other.accepted.items():
            self.accepted[label] = self.accepted.get(label, 0) + count
        self.log += other.log
        return self

    def never_accepted(self, oracle: Oracle) -> set[str]:
        """Return the ids of the operations without an answer of success."""
        labels = {op.id: f"{op.method.upper()} {op.path}" for op in oracle.operations.values()}
        return {name for name, label in labels.items() if not self.accepted.get(label)}


class Campaign:
    """Everything that is fuzzed on one server that begins without users."""

    def __init__(self, server: LiveServer, client: Client, folder: Path) -> None:
        self._server = server
        self._client = client
        self._oracle = client.oracle
        self._folder = folder
        self._runs = 0

    def set_up(self, operation_id: str) -> Verdict:
        """Let the fuzzer take a set-up door with the contract's example."""
        extra = ["--include-operation-id", operation_id, "--header", f"X-Setup-Token: {SETUP_TOKEN}"]
        contract = seed_contract(self._oracle, {}, scheme="bearer", is_exact=True)
        settings = write_settings(self._oracle, [self._oracle.operations[operation_id]])
        return self._run(contract, settings, ["--phases", "examples", *extra])

    def restart(self, **variables: str) -> None:
        """Restart the server with other settings."""
        self._server.restart(**variables)

    def fuzz(
        self,
        scheme: str,
        *,
        phases: str,
        seed: int,
        mode: str = "all",
        max_examples: int = 1,
        max_seconds: int | None = None,
        share: slice = slice(None),
    ) -> Verdict:
        """Fuzz the operations that a caller by `bearer` or by `session` may call, as the administrator.

        phases: "seeded" sends the examples alone, with a thing of its own for each operation; else phases of Schemathesis.
        mode: "positive" sends what the contract takes, "negative" what it does not, "all" both.
        share: which of the operations, in the order of their names.
        """
        administrator = people.sign_in(self._client, _administrator(self._oracle))
        seeds = Seeds(self._oracle, self._client, administrator)
        operations = [each for each in self._oracle.operations.values() if takes(each, scheme)]
        if scheme == "bearer":
            settings = write_settings(self._oracle, operations, seeds, login=bearer_login(administrator))
        else:
            settings = write_settings(self._oracle, operations, seeds, headers=self._sessions(administrator))
        is_exact = phases == "seeded"
        contract = seed_contract(self._oracle, seeds.values, scheme=scheme, is_exact=is_exact)
        extra = [
            "--phases",
            "examples" if is_exact else phases,
            "--seed",
            str(seed),
            "--max-examples",
            str(max_examples),
        ]
        extra += ["--mode", "positive" if is_exact else mode]
        extra += [] if max_seconds is None else ["--max-time", str(max_seconds)]
        for name in sorted(operation.id for operation in operations)[share]:
            extra += ["--include-operation-id", name]
        return self._run(contract, settings, extra, max_seconds)

    def _sessions(self, person: Person) -> dict[str, dict[str, str]]:
        """Return the headers of a browser for each operation; those that end a session have one each."""
        shared = person.in_browser().headers("POST")
        operations = [operation.id for operation in self._oracle.operations.values() if operation.spec["security"]]
        return {name: self._session(person) if name in ENDS_ITS_SESSION else shared for name in operations}

    def _session(self, person: Person) -> dict[str, str]:
        return people.sign_in(self._client, replace(person)).in_browser().headers("POST")

    def _run(
        self, contract: dict[str, Any], settings: str, extra: list[str], max_seconds: int | None = None
    ) -> Verdict:
        self._runs += 1
        folder = self._folder / f"run{self._runs}"
        folder.mkdir(parents=True)
        (folder / "schemathesis.toml").write_text(settings)
        (folder / "openapi.json").write_text(json.dumps(contract))
        command = [
            str(Path(sys.executable).with_name("st")),
            "--config-file",
            "schemathesis.toml",
            "run",
            "openapi.json",
        ]
        command += ["--url", self._server.url, "--report-json-path", "report.json", "--no-color", *extra]
        command += ["--suppress-health-check", ",".join(row.health_check for row in SUPPRESSED)]
        timeout = None if max_seconds is None else max_seconds + _SLACK_SECONDS
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=folder, check=False)
        (folder / "output.txt").write_text(done.stdout + done.stderr)
        return _verdict(folder / "report.json", done.stdout + done.stderr)


def _administrator(oracle: Oracle) -> Person:
    media = next(iter(oracle.operations["setup_bootstrap"].spec["requestBody"]["content"].values()))
    example = next(iter(media["examples"].values()))["value"]
    return Person(user_id="", name="Admin", email=example["email"], password=example["password"])


def _verdict(report: Path, log: str) -> Verdict:
    if not report.exists():
        return Verdict(errors=[{"title": "no report", "count": 1}], log=log)
    found = json.loads(report.read_text())
    accepted = {
        label: sum(phase["accepted"] for phase in phases.values()) for label, phases in found["valid_rates"].items()
    }
    errors = found["errors"] + ([] if found["complete"] else [{"title": found["stop_reason"], "count": 1}])
    return Verdict(found["test_cases"]["generated"], found["failures"], errors, accepted, log)
