"""Run Schemathesis against a running server and read its verdict.

The administrator is made by the fuzzer itself (the contract's own set-up example), logins use the contract's examples,
and what a caller would know (ids of conversations, messages, users, invites) is given to it as dictionaries.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.client import Client, Person
from tests.factories import api_keys, conversations, people
from tests.fuzz.expectations import ALL, EXPECTATIONS
from tests.live import LiveServer

CONTRACT = Path(__file__).parent.parent.parent / "models/contract/openapi.json"
SETUP_TOKEN = "the-token-that-opens-both-set-up-doors"
WELL_KNOWN = "security.txt"
_SLACK_SECONDS = 240
_GUESS = 0.7


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


class Campaign:
    """Everything that is fuzzed on one server that begins without users."""

    def __init__(self, server: LiveServer, client: Client, folder: Path) -> None:
        self._server = server
        self._client = client
        self._folder = folder
        self._runs = 0

    def set_up(self, operation_id: str) -> Verdict:
        """Let the fuzzer take a set-up door with the contract's example."""
        token = ["--header", f"X-Setup-Token: {SETUP_TOKEN}"]
        return self._run("", phases="examples", extra=["--include-operation-id", operation_id, *token])

    def restart(self, **variables: str) -> None:
        """Restart the server with other settings."""
        self._server.restart(**variables)

    def fuzz(self, scheme: str, *, phases: str, seed: int, max_examples: int, max_seconds: int | None) -> Verdict:
        """Fuzz every operation as the administrator, by `bearer` or by `session`."""
        administrator = people.sign_in(self._client, _administrator())
        config = _auth(scheme) + _dictionaries(_known_things(self._client, administrator))
        extra = ["--seed", str(seed), "--max-examples", str(max_examples)]
        if max_seconds is not None:
            extra += ["--max-time", str(max_seconds)]
        return self._run(config, phases=phases, extra=extra, max_seconds=max_seconds)

    def _run(self, config: str, *, phases: str, extra: list[str], max_seconds: int | None = None) -> Verdict:
        self._runs += 1
        folder = self._folder / f"run{self._runs}"
        folder.mkdir(parents=True)
        (folder / "schemathesis.toml").write_text(_checks() + config)
        report = folder / "report.json"
        command = [Path(sys.executable).with_name("st"), "--config-file", folder / "schemathesis.toml", "run", CONTRACT]
        command += ["--url", self._server.url, "--phases", phases, "--report-json-path", report, "--no-color", *extra]
        command += ["--suppress-health-check", "too_slow,filter_too_much"]  # of the generator, on a busy machine
        timeout = None if max_seconds is None else max_seconds + _SLACK_SECONDS
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, timeout=timeout, cwd=folder, check=False
        )
        (folder / "output.txt").write_text(done.stdout + done.stderr)
        return _verdict(report, done.stdout + done.stderr)


def _administrator() -> Person:
    document = json.loads(CONTRACT.read_text())
    example = _example(document, "/auth/bootstrap")
    return Person(user_id="", name="Admin", email=example["email"], password=example["password"])


def _example(document: dict[str, Any], path: str) -> dict[str, Any]:
    media = next(iter(document["paths"][path]["post"]["requestBody"]["content"].values()))
    return dict(next(iter(media["examples"].values()))["value"])


def _verdict(report: Path, log: str) -> Verdict:
    if not report.exists():
        return Verdict(errors=[{"title": "no report", "count": 1}], log=log)
    found = json.loads(report.read_text())
    accepted = {
        label: sum(phase["accepted"] for phase in phases.values()) for label, phases in found["valid_rates"].items()
    }
    errors = found["errors"] + ([] if found["complete"] else [{"title": found["stop_reason"], "count": 1}])
    return Verdict(found["test_cases"]["generated"], found["failures"], errors, accepted, log)


def _checks() -> str:
    """Write the narrowed checks; the reasons are in expectations.py."""
    lines = ["request-timeout = 20.0", "max-stream-events = 3", "continue-on-failure = true"]
    operations = []
    for row in EXPECTATIONS:
        setting = f"expected-statuses = {json.dumps(list(row.statuses))}" if row.statuses else "enabled = false"
        if row.operation_id == ALL:
            lines += [f"[checks.{row.check}]", setting]
        else:
            name = f'include-operation-id = "{row.operation_id}"'
            operations += ["[[operations]]", name, f"[operations.checks.{row.check}]", setting]
    return "\n".join([*lines, *operations, ""])


def _auth(scheme: str) -> str:
    """Write how the fuzzer logs in: by itself, and again whenever it has logged itself out."""
    person = _administrator()
    if scheme == "bearer":
        return "\n".join(
            [
                "[auth.dynamic.openapi.bearer]",
                'path = "/auth/token"',
                f'payload = {{ username = "{person.email}", password = "{person.password}" }}',
                'payload_content_type = "application/x-www-form-urlencoded"',
                'extract_selector = "/access_token"',
                "",
            ]
        )
    lines = []
    for name, place, selector in (("session", "cookie", "SESSION_ID"), ("csrf", "body", "/csrf_token")):
        lines += [
            f"[auth.dynamic.openapi.{name}]",
            'path = "/api/auth/login"',
            f'payload = {{ email = "{person.email}", password = "{person.password}" }}',
            f'extract_from = "{place}"',
            f'extract_selector = "{selector}"',
        ]
    return "\n".join([*lines, ""])


def _known_things(client: Client, administrator: Person) -> dict[str, list[str]]:
    """Make what a caller would know, and return the values by the parameter that takes them."""
    member = _member(client, administrator)
    talks = [conversations.make_talk(client, administrator, member) for _ in range(3)]
    messages = [conversations.reply(client, administrator, talk.root_id, "Yes")["message_id"] for talk in talks]
    user = client.call("users_get", path={"id": administrator.user_id}, as_=administrator).json
    return {
        "path.conversation_id": [talk.conversation_id for talk in talks],
        "body.conversation_id": [talk.conversation_id for talk in talks],
        "path.root_id": [talk.root_id for talk in talks],
        "body.root_id": [talk.root_id for talk in talks],
        "path.parent_id": messages,
        "path.message_id": messages,
        "path.user_id": [member.user_id],
        "body.user_id": [member.user_id],
        "path.id": [member.user_id],
        "path.role_id": [role["id"] for role in user["roles"]],
        "path.token": [_invite(client, administrator, talk.conversation_id) for talk in talks],
        "path.path": [WELL_KNOWN],
        "path.tenantId": [api_keys.ROOT],
        "path.accountId": [row["id"] for row in _accounts(client, administrator) if row["userId"] == member.user_id],
        "path.keyId": [api_keys.make_key(client, administrator).id for _ in range(3)],
    }


def _member(client: Client, administrator: Person) -> Person:
    """Create the user of the contract's login example, and one whom the fuzzer may change and delete."""
    example = _example(json.loads(CONTRACT.read_text()), "/api/auth/login")
    client.call("users_create", body=example, as_=administrator)
    body = {"email": f"{uuid.uuid4().hex}@example.com", "password": example["password"]}
    answer = client.call("users_create", body=body, as_=administrator)
    assert answer.status == 201, answer.text
    return Person(user_id=answer.json["id"], name="Member", **body)


def _accounts(client: Client, administrator: Person) -> list[dict[str, Any]]:
    answer = client.call("accounts_list", path={"tenantId": api_keys.ROOT}, as_=administrator)
    return list(answer.json["data"])


def _invite(client: Client, owner: Person, conversation_id: str) -> str:
    body = {"email": "guest@example.com", "role": "member"}
    answer = client.call("invites_create", path={"conversation_id": conversation_id}, body=body, as_=owner)
    assert answer.status == 200, answer.text
    return str(answer.json["token"])


def _dictionaries(known: Mapping[str, Iterable[str]]) -> str:
    lines = []
    for number, values in enumerate(known.values()):
        lines += [f"[dictionaries.known{number}]", f"values = {json.dumps(list(values))}"]
    lines.append("[parameters]")
    for number, parameter in enumerate(known):
        lines.append(f'"{parameter}" = {{ dictionary = "known{number}", probability = {_GUESS} }}')
    return "\n".join([*lines, ""])
