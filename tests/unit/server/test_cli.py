"""The command line as an operator meets it: real processes, a real database file."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import httpx
import msgspec
import pytest

from core.kernel.settings import Settings, read
from server import address, cli, doctor, migration, project
from tests.unit.server.shop_contract import CONTRACT

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a project folder that serves the tiny service."""
    (tmp_path / "pyproject.toml").write_text('[tool.accord]\nservice = "tests.unit.server.tiny:build"\n')
    return tmp_path


def _environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ACCORD_", "PROMETHEUS"))}
    return kept | {"PYTHONPATH": str(ROOT), "ACCORD_DATA_DIR": str(folder / "data")} | settings


def _accord(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server.cli", *arguments],
        cwd=folder,
        env=_environment(folder, settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_serve_prints_where_things_are_and_ends_cleanly_when_it_is_told_to(folder: Path) -> None:
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "serve"],
        cwd=folder,
        env=_environment(folder, {"ACCORD_BIND": f"127.0.0.1:{port}"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        banner = [process.stderr.readline() for _ in range(6)]
        url = f"http://127.0.0.1:{port}"
        assert f"  api      {url}\n" in banner
        assert f"  docs     {url}/docs\n" in banner
        assert f"  metrics  {url}/metrics\n" in banner
        assert f"curl -X POST {url}/api/setup -H 'Content-Type: application/json' -d '{{" in banner[-1]
        for page in ("docs", "redoc"):
            answer = httpx.get(f"{url}/{page}")
            assert answer.status_code == 200
            for asset in [part.partition('"')[0] for part in answer.text.split('src="')[1:]]:
                assert httpx.get(url + asset).headers["cache-control"].endswith("immutable")
        assert "accord_requests_total" in httpx.get(f"{url}/metrics").text
    finally:
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    requests = [line for line in map(json.loads, output.splitlines()) if line["event"] == "request"]
    assert [(line["operation"], line["status"]) for line in requests if line["operation"] != "none"] == [
        ("contract_show_swagger", 200),
        ("contract_show_redoc", 200),
        ("metrics_get", 200),
    ]
    assert {"method", "duration_ms", "request_id", "client", "bytes", "at", "level"} <= requests[0].keys()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ACCORD_WORKERS": "none"}, "ACCORD_WORKERS='none'"),
        ({"ACCORD_PORT": "1"}, "unknown setting ACCORD_PORT"),
        ({"ACCORD_BIND": "0.0.0.0:1"}, "ACCORD_PROFILE=dev"),
        ({"ACCORD_PROFILE": "production"}, "ACCORD_SECRET_KEYS is required"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "migrate", "doctor"])
def test_command_ends_with_2_and_names_the_variable_when_a_setting_is_bad(
    folder: Path, command: str, settings: dict[str, str], message: str
) -> None:
    ended = _accord(folder, command, **settings)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_serve_ends_with_1_when_the_data_folder_cannot_be_made(folder: Path) -> None:
    (folder / "data").write_text("a file")
    ended = _accord(folder, "serve")
    assert ended.returncode == 1
    assert "ACCORD_DATA_DIR" in ended.stderr


def test_serve_ends_at_once_and_names_the_address_when_it_is_taken(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        ended = _accord(folder, "serve", ACCORD_BIND=taken)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"accord: ACCORD_BIND={taken}: the address is taken: something listens there already;"
        " end it, or set ACCORD_BIND to a free one\n"
    )
    assert not (folder / "data").exists()


def test_serve_ends_with_1_when_the_address_is_of_another_machine(folder: Path) -> None:
    ended = _accord(
        folder, "serve", ACCORD_BIND="192.0.2.1:8080", ACCORD_PROFILE="production", ACCORD_SECRET_KEYS="a" * 32
    )
    assert (ended.returncode, ended.stderr) == (
        1,
        "accord: ACCORD_BIND=192.0.2.1:8080: Cannot assign requested address\n",
    )


@pytest.mark.parametrize("variable", ["GUNICORN_FD", "LISTEN_FDS"])
def test_an_inherited_socket_is_no_fault(settings: Settings, variable: str) -> None:
    with socket.socket() as former:
        former.bind(("127.0.0.1", 0))
        former.listen()
        taken = msgspec.structs.replace(settings, bind=f"127.0.0.1:{former.getsockname()[1]}")
        assert address.find_fault(taken, {})
        assert address.find_fault(taken, {variable: "3"}) is None


def test_serve_ends_with_1_when_production_lacks_handlers(folder: Path) -> None:
    ended = _accord(folder, "serve", ACCORD_PROFILE="production", ACCORD_SECRET_KEYS="a" * 32)
    assert ended.returncode == 1
    assert "operations without a handler" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_unknown_command_ends_with_2_and_lists_the_known_ones(folder: Path) -> None:
    ended = _accord(folder, "fly")
    assert ended.returncode == 2
    assert all(name in ended.stderr for name in ("serve", "migrate", "doctor", "generate"))


def test_help_loads_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["accord", "help"])
    assert cli.main() == 0
    assert "usage: accord" in capsys.readouterr().out


def test_migrate_applies_what_is_pending_once(folder: Path) -> None:
    assert _accord(folder, "migrate").stdout.startswith("applied 0001")
    assert _accord(folder, "migrate").stdout == "up to date\n"


def test_doctor_shows_settings_masks_secrets_and_says_what_is_wrong(folder: Path) -> None:
    ended = _accord(folder, "doctor", ACCORD_SECRET_KEYS="very-secret", ACCORD_AI_API_KEY="sk-1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "very-secret" not in ended.stdout
    assert "sk-1" not in ended.stdout
    rows = {line.split()[0]: line for line in ended.stdout.splitlines() if line}
    assert "(set)" in rows["ACCORD_SECRET_KEYS"]
    assert "environment" in rows["ACCORD_SECRET_KEYS"]
    assert "default" in rows["ACCORD_WORKERS"]
    assert "FAIL" not in ended.stdout
    assert "fingerprint" in ended.stdout


def test_doctor_ends_with_1_when_the_database_cannot_be_reached(folder: Path) -> None:
    url = "postgresql://accord:hidden@127.0.0.1:1/none"
    ended = _accord(folder, "doctor", ACCORD_DATABASE_URL=url, ACCORD_DATABASE_TIMEOUT_SECONDS="1")
    assert ended.returncode == 1
    assert "FAIL  database" in ended.stdout
    assert "hidden" not in ended.stdout


def test_doctor_ends_with_1_when_others_may_look_into_the_data_folder(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data").chmod(0o755)
    assert "FAIL  data folder" in _accord(folder, "doctor").stdout


def test_doctor_names_each_file_of_the_contract_that_is_not_as_it_was_compiled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = read({"ACCORD_DATA_DIR": str(tmp_path / "data")})
    texts = {name: f"# {name}" for name in ("spec/a.yaml", "spec/b.yaml", "spec/c.yaml")}
    sources = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    service = SimpleNamespace(contract=msgspec.structs.replace(CONTRACT, sources=sources))

    def sources_lines() -> tuple[int, list[str]]:
        code = doctor.report(settings, lambda: service, {}, tmp_path)
        return code, [line for line in capsys.readouterr().out.splitlines() if " sources " in line]

    assert sources_lines() == (0, ["ok    sources       not here: the contract is served as it was compiled"])
    (tmp_path / "spec").mkdir()
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert sources_lines() == (0, ["ok    sources       3 files, all as they were compiled"])
    (tmp_path / "spec/b.yaml").write_text("# another")
    (tmp_path / "spec/c.yaml").unlink()
    code, lines = sources_lines()
    assert code == 1
    assert re.fullmatch(
        r"FAIL  sources       spec/b\.yaml was changed \S+ \S+ UTC, and not compiled; run `.*`", lines[0]
    )
    assert lines[1:] == ["FAIL  sources       spec/c.yaml is gone; run `accord generate`"]


def test_the_products_doctor_finds_its_contract_as_it_was_compiled(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "server.cli", "doctor"],
        cwd=ROOT,
        env=_environment(tmp_path, {}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert re.search(r"^ok    sources       \d+ files, all as they were compiled$", ended.stdout, re.MULTILINE), ended


def test_data_folder_is_closed_to_others(folder: Path) -> None:
    _accord(folder, "migrate")
    assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700


def test_start_changes_the_schema_only_where_it_may(empty_database: Settings) -> None:
    settings = msgspec.structs.replace(empty_database, profile="production")
    if settings.is_sqlite:
        migration.prepare(settings)
    else:
        with pytest.raises(migration.SchemaBehind, match=r"0001.*accord migrate"):
            migration.prepare(settings)
        migration.apply(settings)
        migration.prepare(settings)
    assert migration.pending(settings) == []


def test_installed_service_is_used_when_the_folder_names_none(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert project.find_service(tmp_path) == "handlers.service:build"


@pytest.mark.parametrize("text", ["[tool.accord", '[tool.accord]\nservice = "nowhere:build"\n'])
def test_fault_is_named_when_the_service_cannot_be_loaded(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(project.ProjectError, match=r"pyproject\.toml|nowhere"):
        project.load_service(tmp_path)
