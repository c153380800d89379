"""What the audit trail says of requests: who, what, from where and with which credential, and of refusals; no secret."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest

from core.kernel import clock
from core.system import audit_chain
from core.system.audit import list_entries
from core.system.upkeep import clear
from handlers.audit import audit as command
from models.tables.audit import AuditEntry
from tests.client import Client
from tests.conftest import ROOT
from tests.factories.conversations import make_conversation
from tests.factories.people import PASSWORD, People

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _last(operation: str) -> AuditEntry:
    found = list_entries(limit=1, operation=operation)
    assert found, f"{operation} is not in the trail"
    return found[-1]


def _objects(entry: AuditEntry) -> dict[str, str]:
    objects: dict[str, str] = json.loads(entry.objects)
    return objects


def test_deed_says_who_did_what_to_which_object_with_which_credential(client: Client, people: People) -> None:
    headers = {"X-Request-Id": "request-of-the-trail"}
    made = client.call("users_create", body={"email": "d@example.com"}, as_=people.ada.by_token(), headers=headers)
    entry = _last("users_create")
    assert (entry.status, entry.code, str(entry.user_id)) == (201, None, people.ada.user_id)
    assert (entry.credential_kind, entry.client_address) == ("token", "127.0.0.1")
    assert entry.request_id == "request-of-the-trail"
    assert entry.credential_id
    assert _objects(entry) == {"made": made.json["id"]}
    path = {"user_id": people.ben.user_id, "role_id": "00000000-0000-4000-8000-000000000004"}
    assert client.call("users_assign_role", path=path, as_=people.ada.by_token()).status == 200
    assert _objects(_last("users_assign_role")).items() >= path.items()


def test_login_says_who_and_a_failed_one_says_only_a_digest_of_the_name(client: Client, people: People) -> None:
    assert client.call("sessions_login", body={"email": people.ben.email, "password": PASSWORD}).status == 200
    assert str(_last("sessions_login").user_id) == people.ben.user_id
    form = urlencode({"username": people.ben.email, "password": PASSWORD}).encode()
    assert client.call("tokens_create", data=form, headers=FORM).status == 200
    assert str(_last("tokens_create").user_id) == people.ben.user_id
    for name in (people.ben.email, people.ben.email.upper()):
        assert client.call("sessions_login", body={"email": name, "password": "not the password"}).status == 401
    first, second = list_entries(limit=2, operation="sessions_login")
    assert (first.status, first.code, first.user_id) == (401, "invalid_credentials", None)
    assert first.objects == second.objects
    assert _objects(first)["account"].startswith("sha256:")
    assert people.ben.email not in first.objects


def test_refusal_names_the_caller_who_was_refused(client: Client, people: People) -> None:
    path = {"id": people.ada.user_id}
    assert client.call("users_delete", path=path, as_=people.ben.by_token()).status == 403
    entry = _last("users_delete")
    assert (entry.status, entry.code) == (403, "insufficient_scope")
    assert (str(entry.user_id), _objects(entry)) == (people.ben.user_id, path)


def test_reading_and_chatting_are_not_in_the_trail(client: Client, people: People) -> None:
    conversation = make_conversation(client, people.ben.by_token())
    assert _objects(_last("conversations_create")) == {"made": conversation}
    before = len(list_entries(limit=1000))
    body = {"content": "Hello", "role": "system"}
    path = {"conversation_id": conversation}
    assert client.call("threads_create", path=path, body=body, as_=people.ben.by_token()).status == 201
    assert client.call("conversations_get", path=path, as_=people.ben.by_token()).status == 200
    assert len(list_entries(limit=1000)) == before


def test_secret_in_a_path_is_kept_as_a_digest(client: Client, people: People) -> None:
    path = {"conversation_id": make_conversation(client, people.ben.by_token())}
    body = {"email": "x@example.com", "role": "member"}
    token = client.call("invites_create", path=path, body=body, as_=people.ben.by_token()).json["token"]
    assert client.call("invites_revoke", path={"token": token}, as_=people.ben.by_token()).status == 204
    assert _objects(_last("invites_revoke"))["token"].startswith("sha256:")
    assert all(token not in entry.objects for entry in list_entries(limit=1000))


def test_repeated_request_is_told_of_once(client: Client, people: People) -> None:
    key, body = {"Idempotency-Key": "once"}, {"email": "e@example.com"}
    for _ in range(2):
        assert client.call("users_create", body=body, as_=people.ada.by_token(), headers=key).status == 201
    entries = [entry for entry in list_entries(limit=1000, operation="users_create") if entry.status == 201]
    assert len({entry.objects for entry in entries}) == len(entries)


def test_upkeep_seals_what_waits(client: Client, people: People) -> None:
    assert client.call("users_create", body={"email": "f@example.com"}, as_=people.ada.by_token()).status == 201
    assert audit_chain.verify().waiting > 0
    clear(clock.now())
    verdict = audit_chain.verify()
    assert (verdict.waiting, verdict.broken) == (0, None)
    assert verdict.sealed == len(list_entries(limit=1000))


def test_command_lists_and_verifies(
    client: Client, people: People, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.kernel import settings  # noqa: PLC0415

    current = settings.current()
    monkeypatch.setenv("ACCORD_DATABASE_URL", current.database_url)
    monkeypatch.setenv("ACCORD_DATA_DIR", current.data_dir)
    monkeypatch.setenv("ACCORD_SECRET_KEYS", ",".join(current.secret_keys))
    assert client.call("users_create", body={"email": "g@example.com"}, as_=people.ada.by_token()).status == 201
    assert command(["list", "--operation", "users_create", "--limit", "1"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["operation"], line["user_id"]) == ("users_create", people.ada.user_id)
    assert command(["verify"]) == 0
    assert "entries hold" in capsys.readouterr().out


def test_every_unsafe_operation_is_audited_or_says_why_not() -> None:
    bundle = json.loads((Path(ROOT) / "models/contract/openapi.json").read_bytes())
    table = msgspec.json.decode((Path(ROOT) / "models/contract/operations.json").read_bytes())
    audited = {row["id"] for row in table["operations"] if row.get("is_audited")}
    unsafe = {
        item[method]["operationId"]: item[method]
        for item in bundle["paths"].values()
        for method in ("post", "put", "patch", "delete")
        if method in item
    }
    silent = {name for name, row in unsafe.items() if name not in audited and not isinstance(row.get("x-audit"), str)}
    assert not silent
    assert len(audited) > 20
