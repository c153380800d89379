"""What is added to a contract breaks nobody; what is taken away or narrowed is found where it is."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from codegen import compatibility, ir
from codegen.bundle import bundle
from codegen.load import Sources
from tests.conftest import ROOT

VALID = Path(__file__).parent / "contract"
FIXTURES = ROOT / "tests/sdk/fixtures"
ITEMS, PATHS, SHARED = "schemas/shop/items.yaml", "paths/shop/items.yaml", "shared.yaml"
TODAY = date(2026, 6, 1)
_NAME = r"outside of pattern '^[^\\x00]*[^\\s\\x00][^\\x00]*$'"
_NUL = "a name of one NUL was 500 on PostgreSQL, whose text holds none: it was taken by mistake"
# What today's contract refuses and the kept one took, and why.
MEANT = {
    f"setup_bootstrap: callers send first_name {_NAME}": _NUL,
    f"users_create: callers send first_name {_NAME}": _NUL,
    f"users_update: callers send first_name {_NAME}": _NUL,
    f"users_update: callers send last_name {_NAME}": _NUL,
}

BREAKS = [
    (PATHS, "operationId: items_update", "operationId: items_change", "called items_change now"),
    (PATHS, "    x-idempotent: true\n", "", "x-idempotent is gone"),
    (PATHS, "security: [{session: []}, {bearer: []}]", "security: [{bearer: []}]", "open to callers with session"),
    (PATHS, "in: query, style: pipeDelimited", "in: query, required: true, style: pipeDelimited", "send the parameter colours"),
    (PATHS, "name: cursor, in: query", "name: position, in: query", "query parameter cursor is gone"),
    (ITEMS, "enum: [red, green, blue]", "enum: [red, green]", "callers send 'blue' as items of colours"),
    (ITEMS, "maxItems: 3", "maxItems: 2", "outside of maxItems 2"),
    (ITEMS, "required: [name, payment]", "required: [name, payment, count]", "do not send count of body"),
    (ITEMS, "    count: {type: integer, minimum: 0, maximum: 100, default: 1}\n", "", "callers send count of body"),
    (ITEMS, "count: {type: integer, minimum: 0", "count: {type: integer, minimum: 1", "outside of minimum 1"),
    (ITEMS, "count: {type: integer", "count: {type: string", "callers send integer as count"),
    (ITEMS, "pattern: '\\S'", "pattern: '^\\S+$'", "outside of pattern"),
    (ITEMS, "Name: {type: string", "Name: {type: string, format: email", "outside of format 'email'"),
    (ITEMS, "    name: {anyOf: [{$ref: \"#/Name\"}, {type: \"null\"}]}", "    name: {$ref: \"#/Name\"}", "callers send null as name"),
    (ITEMS, "      cash: \"#/Cash\"\n", "", "callers send the payment cash"),
    (ITEMS, "required: [id, name, created_at]", "required: [id, name]", "callers rely on created_at of items of items"),
    (ITEMS, "next_cursor: {type: [string, \"null\"]", "next_cursor: {type: [string, integer, \"null\"]", "expect no integer"),
    (ITEMS, "id: {type: string, format: uuid}", "id: {type: [string, \"null\"], format: uuid}", "expect no null as id"),
    ("schemas/shop/events.yaml", "sold_at: {", "sold_on: {", "callers read sold_at of sold"),
    ("paths/shop/events.yaml", "                sold:", "                gone:", "callers wait for the event sold"),
    ("paths/shop/pictures.yaml", "multipart/form-data:", "image/png:", "callers send multipart/form-data"),
]  # fmt: skip
_EVENTS = '{resumable: true, events: {sold: {$ref: "../../schemas/shop/events.yaml#/Sold"}}}'
_SSE = """        content:
          text/event-stream:
            x-sse:
              resumable: true
              events:
                sold: {$ref: "../../schemas/shop/events.yaml#/Sold"}
"""
_SSE_OF_RESPONSE = f"        x-sse: {_EVENTS}\n        content:\n          text/event-stream:\n"
ADDITIONS = [
    (ITEMS, "enum: [red, green, blue]", "enum: [red, green, blue, grey]"),
    (ITEMS, "maxItems: 3", "maxItems: 4"),
    (ITEMS, "Name: {type: string", "Name: {type: string, format: password"),
    (ITEMS, "required: [name, payment]", "required: [payment]"),
    (ITEMS, "    payment: {$ref", "    note: {type: string, maxLength: 9}\n    payment: {$ref"),
    (ITEMS, "required: [id, name, created_at]\n  properties:\n", "required: [id, name, created_at, note]\n  properties:\n    note: {type: string}\n"),
    ("paths/shop/events.yaml", _SSE, _SSE_OF_RESPONSE),
    (PATHS, "security: [{bearer: []}]", "security: [{bearer: []}, {session: [], csrf: []}]"),
    (PATHS, "    parameters:\n      - {name: cursor", "    parameters:\n      - {name: q, in: query, schema: {type: string, maxLength: 9}}\n      - {name: cursor"),
]  # fmt: skip


def _contract(folder: Path) -> ir.Contract:
    return ir.build(bundle(Sources(folder, "openapi.yaml")))


def _edited(folder: Path, file: str, find: str, replace: str) -> ir.Contract:
    shutil.copytree(VALID, folder, dirs_exist_ok=True)
    text = (folder / file).read_text()
    assert text.count(find) == 1, "the edit must be in exactly one place"
    (folder / file).write_text(text.replace(find, replace))
    return _contract(folder)


@pytest.mark.parametrize(("file", "find", "replace", "says"), BREAKS)
def test_a_break_is_found_where_it_is(tmp_path: Path, file: str, find: str, replace: str, says: str) -> None:
    findings = list(compatibility.check(_contract(VALID), _edited(tmp_path, file, find, replace), today=TODAY))
    assert [finding for finding in findings if says in finding.message], findings
    assert {finding.location.file for finding in findings} <= {file, PATHS, "paths/shop/pictures.yaml"}


@pytest.mark.parametrize(("file", "find", "replace"), ADDITIONS)
def test_an_addition_is_no_break(tmp_path: Path, file: str, find: str, replace: str) -> None:
    assert not list(compatibility.check(_contract(VALID), _edited(tmp_path, file, find, replace), today=TODAY))


@pytest.mark.parametrize(("today", "count"), [(date(2026, 12, 30), 1), (date(2026, 12, 31), 0)])
def test_an_operation_may_go_when_its_sunset_is_over(tmp_path: Path, today: date, count: int) -> None:
    later = _edited(
        tmp_path,
        "paths/shop/events.yaml",
        "  get:\n    operationId: events_stream",
        "  put:\n    operationId: events_stream",
    )
    findings = list(compatibility.check(_contract(VALID), later, today=today))
    assert len(findings) == count
    assert all("GET /items/{item_id}/events (events_stream) is gone" in finding.message for finding in findings)


def test_todays_contract_breaks_no_caller_of_the_kept_one_but_where_it_is_meant(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_bytes(gzip.decompress((FIXTURES / "openapi.json.gz").read_bytes()))
    command = [sys.executable, "-m", "codegen.cli", "lint", "--against", str(tmp_path / "old.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = re.findall(r": (\w+: .+): do not narrow it \[compatibility\]$", done.stderr, re.MULTILINE)
    assert (set(found), done.stderr.count("[compatibility]")) == (set(MEANT), len(MEANT)), done.stderr


def test_lint_refuses_a_contract_that_breaks_the_older_one(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    _edited(tmp_path / "new", ITEMS, "maxItems: 3", "maxItems: 2")
    (tmp_path / "new/pyproject.toml").write_text('[tool.accord]\ncontract = "openapi.yaml"\n')
    command = [sys.executable, "-m", "codegen.cli", "lint", "--against", str(VALID / "openapi.yaml")]
    done = subprocess.run(
        command, cwd=tmp_path / "new", env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "schemas/shop/items.yaml:3:" in done.stderr
    assert "items_list: callers send colours outside of maxItems 2: do not narrow it [compatibility]" in done.stderr
