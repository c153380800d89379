"""`accord admin create`: make the first administrator from the machine itself, by the rules of the contract's set-up door."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import NoReturn

import msgspec

from core.identity.passwords import hash_password
from core.identity.users import NewUser
from core.kernel import settings as kernel_settings
from core.kernel.problems import Problem
from core.kernel.settings import Settings, SettingsError
from core.system import setup
from handlers.service import CONTRACT_DIR
from server import migration
from server.schemas import Schemas

_DOOR = "#/components/schemas/system.Setup"
_USAGE_ERROR = 2


class _Refused(Exception):
    """Why no administrator was made, and the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def admin(arguments: list[str]) -> int:
    """Make the first administrator; returns the exit code: 0 made, 1 refused, 2 wrong usage or settings."""
    options = _parser().parse_args(arguments)
    try:
        settings = kernel_settings.read(os.environ)
        _open_database(settings)
        email = _create(options)
    except SettingsError as error:
        return _fail(str(error), _USAGE_ERROR)
    except (migration.SchemaBehind, OSError) as error:
        return _fail(str(error), 1)
    except _Refused as refused:
        return _fail(str(refused), refused.code)
    except Problem as problem:
        reasons = [violation.message for violation in problem.errors] or [problem.cause or ""]
        return _fail(f"{problem.detail} {' '.join(reasons)}".strip(), 1)
    except (KeyboardInterrupt, EOFError):
        return _fail("given up", 1)
    print(f"{email} is the administrator; both set-up doors are closed")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="accord admin", description="Administration from the machine itself.")
    commands = parser.add_subparsers(required=True, metavar="create")
    create = commands.add_parser("create", help="make the first administrator", description=admin.__doc__)
    create.add_argument("--username", help="asked for when it is not given")
    create.add_argument("--email", help="asked for when it is not given")
    create.add_argument(
        "--password-stdin", action="store_true", help="read the password from the first line of standard input"
    )
    return parser


def _open_database(settings: Settings) -> None:
    """Bring the schema up to date where a start may do so, and look at the doors before anything is asked."""
    kernel_settings.install(settings)
    Path(settings.data_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    migration.prepare(settings)
    if setup.is_set_up():
        raise setup.AlreadySetUp


def _create(options: argparse.Namespace) -> str:
    may_ask = sys.stdin.isatty() and not options.password_stdin
    username = options.username or _ask("--username", "User name: ", may_ask=may_ask)
    email = options.email or _ask("--email", "E-mail address: ", may_ask=may_ask)
    password = sys.stdin.readline().rstrip("\r\n") if options.password_stdin else _ask_password(may_ask=may_ask)
    _check({"username": username, "email": email, "password": password})
    password_hash = hash_password(password)
    setup.do_set_up(NewUser(email=email, username=username, password_hash=password_hash))
    return email


def _ask(option: str, prompt: str, *, may_ask: bool) -> str:
    return input(prompt).strip() if may_ask else _refuse_to_ask(option)


def _ask_password(*, may_ask: bool) -> str:
    if not may_ask:
        _refuse_to_ask("--password-stdin")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("The same again: "):
        raise _Refused("the passwords differ")
    return password


def _refuse_to_ask(option: str) -> NoReturn:
    raise _Refused(f"there is no terminal to ask at: give {option}", _USAGE_ERROR)


def _check(body: dict[str, str]) -> None:
    """Judge what was given by the schema of the door's own body."""
    bundle = msgspec.json.decode((CONTRACT_DIR / "openapi.json").read_bytes())
    found = Schemas(bundle).get(_DOOR).violations(body, location="body")
    if found:
        raise _Refused("\n".join(f"{violation.pointer.strip('/')}: {violation.message}" for violation in found))


def _fail(message: str, code: int) -> int:
    print(f"accord: {message}", file=sys.stderr)
    return code
