"""`accord admin create` as an operator meets it: a process, its standard streams, and a database."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from core.kernel.settings import Settings
from models.database import read
from models.tables.identity import User
from tests.client import Client
from tests.databases import SECRET_KEY

ROOT = Path(__file__).parents[3]
NAMES = ("--username", "Ada", "--email", "ada@example.com")
PASSWORD = "correct horse battery"


def _environment(settings: Settings, variables: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCORD_")}
    own = {
        "ACCORD_DATA_DIR": settings.data_dir,
        "ACCORD_DATABASE_URL": settings.database_url,
        "ACCORD_SECRET_KEYS": SECRET_KEY,
        "PYTHONPATH": str(ROOT),
    }
    return kept | own | variables


def _create(
    settings: Settings, *arguments: str, typed: str = PASSWORD + "\n", **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server.cli", "admin", "create", *arguments],
        cwd=ROOT,
        env=_environment(settings, variables),
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _count_users() -> int:
    with read():
        return User.select().count()


def test_administrator_is_made_and_both_doors_close(client: Client, database: Settings) -> None:
    made = _create(database, *NAMES, "--password-stdin", ACCORD_PROFILE="production")
    assert (made.returncode, made.stderr) == (0, "")
    assert "ada@example.com" in made.stdout
    login = client.call("sessions_login", body={"email": "ada", "password": PASSWORD})
    assert login.json["user"]["roles"] == ["admin", "member"]
    body = {"username": "eve", "email": "eve@example.com", "password": PASSWORD}
    assert client.call("setup_create", body=body).status == 400
    again = _create(database, *NAMES, "--password-stdin")
    assert (again.returncode, again.stderr) == (1, "accord: The first administrator exists\n")
    assert _count_users() == 1


@pytest.mark.parametrize(
    ("arguments", "typed", "variables", "refusal"),
    [
        ((*NAMES, "--password-stdin"), "short\n", {}, (1, "password: ")),
        (("--username", "a b", "--email", "none", "--password-stdin"), PASSWORD, {}, (1, "username: ")),
        ((*NAMES, "--password-stdin"), "password1\n", {"ACCORD_PROFILE": "production"}, (1, "common")),
        (NAMES, PASSWORD, {}, (2, "give --password-stdin")),
        (("--email", "a@example.com", "--password-stdin"), PASSWORD, {}, (2, "give --username")),
        ((*NAMES, "--password", PASSWORD), "", {}, (2, "unrecognized arguments")),
        ((*NAMES, "--password-stdin"), PASSWORD, {"ACCORD_WORKERS": "many"}, (2, "ACCORD_WORKERS='many'")),
        (
            (*NAMES, "--password-stdin"),
            PASSWORD,
            {"ACCORD_DATABASE_URL": "sqlite:////no/where/x.db"},
            (1, "unable to open"),
        ),
    ],
)
def test_refusal_says_why_and_makes_no_one(
    database: Settings, arguments: tuple[str, ...], typed: str, variables: dict[str, str], refusal: tuple[int, str]
) -> None:
    refused = _create(database, *arguments, typed=typed, **variables)
    assert refused.returncode == refusal[0]
    assert refusal[1] in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""
    assert _count_users() == 0


def test_schema_that_is_behind_is_named(empty_database: Settings) -> None:
    settings = {"ACCORD_PROFILE": "production"}
    made = _create(empty_database, *NAMES, "--password-stdin", **settings)
    if empty_database.is_sqlite:
        assert made.returncode == 0, made.stderr
    else:
        assert (made.returncode, "accord migrate" in made.stderr) == (1, True)


def _converse(settings: Settings, *answers: str) -> tuple[int, str]:
    """Run it at a terminal of its own and type each answer when it is asked for; the output is what the terminal shows."""
    process, terminal = pty.fork()
    if process == 0:
        command = [sys.executable, "-m", "server.cli", "admin", "create"]
        os.execve(sys.executable, command, _environment(settings, {}))
    shown = b""
    for answer in answers:
        before = shown.count(b": ")
        while shown.count(b": ") == before:
            shown += os.read(terminal, 1024)
        os.write(terminal, answer.encode() + b"\n")
    try:
        while chunk := os.read(terminal, 1024):
            shown += chunk
    except OSError:  # Linux says EIO when the other side of a terminal has gone
        pass
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_everything_is_asked_for_at_a_terminal_and_the_password_not_shown(database: Settings) -> None:
    code, shown = _converse(database, "ada", "ada@example.com", PASSWORD, "another one")
    assert (code, "the passwords differ" in shown) == (1, True)
    code, shown = _converse(database, "ada", "ada@example.com", PASSWORD, PASSWORD)
    assert code == 0, shown
    assert PASSWORD not in shown
    assert _count_users() == 1
