"""Attacks on a running server of our own, on the loopback interface, each bounded; `make attacks` runs them."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from core.identity.throttling import ADDRESS
from tests.drills.scene import Launch
from tests.factories.api_keys import ROOT
from tests.live import Live

pytestmark = pytest.mark.long
JSON = {"Content-Type": "application/json"}
SLOW_CONNECTIONS = 200
DEADLINE_SECONDS = "2"
SQLMAP_SECONDS = 240
LISTS = (
    "/api/conversations?limit=2&cursor=00000000-0000-0000-0000-000000000000",
    "/auth/admin/users?limit=2&offset=1",
    f"/api/v1/tenants/{ROOT}/api-keys?limit=2&offset=1",
)
HEAD = "GET /auth/me HTTP/1.1\r\nHost: a\r\n"
POST = "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
SMUGGLING = {
    "two lengths": f"{POST}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{{}}",
    "a length and chunks": f"{POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks of another coding": f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a hidden coding": f"{POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded header": f"{HEAD}X-A: b\r\n Authorization: Bearer x\r\n\r\n",
    "a NUL in a header": f"{HEAD}X-A: b\0c\r\n\r\n",
    "a bare CR in a header": f"{HEAD}X-A: b\rAuthorization: Bearer x\r\n\r\n",
    "no host": "GET /auth/me HTTP/1.1\r\n\r\n",
    "two hosts": f"{HEAD}Host: b\r\n\r\n",
    "a signed length": f"{POST}Content-Length: +2\r\n\r\n{{}}",
}
STRINGS = (
    "\0",
    "a\0b",
    "\ud800",
    "\U0010ffff" * 50,
    "' OR '1'='1",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}",
    "../" * 40,
    "%00",
    "\u202e",
)
NUMBERS = (2**63, -(2**63) - 1, 2**64, 10**400, -1, 1e308)


@pytest.fixture
def live(launch: Launch) -> Live:
    """Give a server with short deadlines that an attack may harm; in production, where nobody is let in without a credential."""
    deadlines = {"header_timeout_seconds": DEADLINE_SECONDS, "body_timeout_seconds": DEADLINE_SECONDS}
    return launch(workers=2, profile="production", **deadlines)


@pytest.fixture(autouse=True)
def _nothing_failed(live: Live) -> Any:
    """Expect, after every attack, a server that answers and has not failed once (501: a provider is not configured)."""
    workers = live.server.workers()
    yield
    assert live.client.call("health_check_readiness").status == 200
    assert set(workers) <= set(live.server.workers())
    log = live.server.log.read_text(errors="replace")
    failed = [line for line in log.splitlines() if '"level":"error"' in line and '"status":501' not in line]
    assert not failed, failed[:3]


def _raw(live: Live, text: str) -> int:
    """Send bytes and return the status of the first answer, 0 when the connection was closed without one."""
    with socket.create_connection((live.server.host, live.server.port), timeout=10) as connection:
        connection.sendall(text.encode("latin-1"))
        answer = connection.recv(65_536)
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


@pytest.mark.parametrize("part", [HEAD + "X-Slow: ", f"{POST}Content-Length: 1000\r\n\r\n{{"], ids=["heads", "bodies"])
def test_slow_senders_are_cut_and_others_are_served(live: Live, part: str) -> None:
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection((live.server.host, live.server.port), timeout=10))
            for _ in range(SLOW_CONNECTIONS)
        ]
        for connection in slow:
            connection.sendall(part.encode())
        began = time.monotonic()
        times = []
        while time.monotonic() - began < float(DEADLINE_SECONDS) + 3:
            asked = time.monotonic()
            assert live.client.call("sessions_get_me", as_=live.people.ada.by_token()).status == 200
            times.append(time.monotonic() - asked)
            time.sleep(0.05)  # one caller among others, not a load
        kept = 0
        for connection in slow:
            connection.settimeout(1)
            try:
                while connection.recv(4096):
                    pass
            except TimeoutError:
                kept += 1
    print(f"\n{SLOW_CONNECTIONS} slow senders: {kept} kept; {len(times)} others served, slowest {max(times):.2f} s")
    assert kept == 0


@pytest.mark.parametrize("text", SMUGGLING.values(), ids=SMUGGLING)
def test_ambiguous_requests_are_refused(live: Live, text: str) -> None:
    assert _raw(live, text) in {0, 400}


def test_credentials_cannot_be_smuggled(live: Live) -> None:
    ada, ben = live.people.ada, live.people.ben
    token = ada.token
    tries = {
        "a header with underscores": {"HTTP_AUTHORIZATION": f"Bearer {token}"},
        "a token as a cookie": {"Cookie": f"Authorization=Bearer {token}; bearer={token}"},
        "a forwarded identity": {
            "X-Forwarded-User": ada.user_id,
            "X-Remote-User": ada.email,
            "X-Original-URL": "/auth/me",
        },
        "a session in a header": {"SESSION_ID": ada.session or ""},
        "a method in a header": {"X-HTTP-Method-Override": "DELETE"},
    }
    for name, headers in tries.items():
        assert live.client.request("GET", "/api/auth/me", headers=headers).status == 401, name
    twice = {"Cookie": f"SESSION_ID={ben.session}; SESSION_ID={ada.session}"}
    assert live.client.request("GET", "/api/auth/me", headers=twice).json["id"] == ben.user_id


def test_spraying_is_throttled_and_the_user_still_gets_in(live: Live) -> None:
    statuses: Counter[int] = Counter()
    for number in range(ADDRESS.burst + 40):
        body = {"email": f"user{number}@example.com", "password": "Winter2026!"}
        statuses[live.client.call("sessions_login", body=body).status] += 1
    print(f"\nspraying: {dict(statuses)}")
    assert set(statuses) <= {401, 429, 503}
    assert statuses[429] > 0
    assert live.client.call("sessions_get_me", as_=live.people.ben.by_token()).status == 200


def test_odd_strings_and_numbers_break_nothing(live: Live) -> None:
    ada = {**live.people.ada.headers("POST"), **JSON}
    statuses: Counter[int] = Counter()
    for text in STRINGS:
        for data in (json.dumps({"title": text}), json.dumps({"title": text}, ensure_ascii=False)):
            sent = data.encode("utf-8", "surrogatepass")
            statuses[live.client.request("POST", "/api/conversations", headers=ada, data=sent).status] += 1
    for number in NUMBERS:
        shown = str(int(number)) if abs(number) < 1e300 else repr(number)
        targets = ("/api/conversations?limit=", "/auth/admin/users?offset=", "/auth/admin/users/")
        for target in targets:
            answer = live.client.request("GET", f"{target}{shown}", headers=live.people.ada.headers("GET"))
            statuses[answer.status] += 1
        body = f'{{"conversation_id": "{uuid4()}", "root_id": "{uuid4()}", "seconds": {shown}}}'
        statuses[live.client.request("POST", "/api/typing", headers=ada, data=body.encode()).status] += 1
    print(f"\nodd values: {dict(statuses)}")
    assert max(statuses) < 500


@pytest.mark.parametrize("depth", [500, 100_000])
@pytest.mark.parametrize("piece", ["[", '{"a":'])
def test_deep_json_is_refused(live: Live, depth: int, piece: str) -> None:
    headers = {**live.people.ada.headers("POST"), **JSON}
    answer = live.client.request("POST", "/api/conversations", headers=headers, data=(piece * depth).encode())
    assert answer.status in {400, 422}


def test_large_forms_are_refused_without_being_kept(live: Live) -> None:
    boundary = "x" * 20
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'.encode() + b"a" * 3_000_000
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    assert live.client.request("POST", "/auth/token", headers=headers, data=part).status in {413, 415}
    many = "&".join(f"a{number}=1" for number in range(200_000)).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert live.client.request("POST", "/auth/token", headers=form, data=many).status == 413
    few = "&".join(f"a{number}=1" for number in range(2_000)).encode()
    assert live.client.request("POST", "/auth/token", headers=form, data=few[:16_000]).status in {400, 422}


def test_fuzzer_finds_no_operation_that_ignores_its_credential(live: Live, tmp_path: Path) -> None:
    header = f"Authorization: Bearer {live.people.ben.token}"
    command = [
        str(Path(sys.executable).with_name("st")),
        "run",
        f"{live.server.url}/openapi.json",
        "--url",
        live.server.url,
    ]
    command += [
        "--checks",
        "ignored_auth",
        "--phases",
        "coverage",
        "--max-examples",
        "1",
        "--no-color",
    ]
    command += ["--header", header, "--max-time", "120", "--suppress-health-check", "all", "--seed", "1"]
    command += ["--exclude-operation-id", "tokens_revoke", "--exclude-operation-id", "sessions_logout"]
    command += ["--exclude-operation-id", "tokens_refresh", "--report-json-path", "report.json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path, check=False)
    report = tmp_path / "report.json"
    assert report.exists(), (done.stdout + done.stderr)[-3000:]
    found = json.loads(report.read_text())
    print(f"\nschemathesis: {found['test_cases']['generated']} cases, {len(found['failures'])} failures")
    assert found["test_cases"]["generated"] > 200
    assert not found["failures"], done.stdout[-3000:]


@pytest.mark.parametrize("target", LISTS)
def test_sqlmap_finds_no_injection(live: Live, target: str, tmp_path: Path) -> None:
    program = shutil.which("sqlmap", path=str(Path(sys.executable).parent))
    assert program is not None, "make attacks installs sqlmap"
    command = [program, "-u", live.server.url + target, "--batch", "--level", "2", "--risk", "2", "--threads", "2"]
    command += [
        "-H",
        f"Authorization: Bearer {live.people.ada.token}",
        "--output-dir",
        str(tmp_path),
        "--flush-session",
    ]
    command += ["--ignore-code", "*", "--technique", "BEUS", "--dbms", "PostgreSQL,SQLite", "--disable-coloring"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SQLMAP_SECONDS, check=False)
        output = done.stdout + done.stderr
    except subprocess.TimeoutExpired as expired:
        output = (expired.stdout or b"").decode() + "\n(time is over)"
    print(f"\n{target}: {output.strip().splitlines()[-1][:160]}")
    assert "testing" in output, output[-2000:]
    assert "identified the following injection point" not in output
    assert "is vulnerable" not in output
