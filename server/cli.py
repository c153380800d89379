"""The command line `accord`: serve, migrate and doctor, and whatever commands are installed beside them.

Nothing but the standard library is imported at the top: `accord serve` patches it for gevent first.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from core.kernel.settings import Settings
    from server.service import Service

_GROUP = "accord.commands"
_USAGE_ERROR = 2
_HELP = {
    "serve": "serve the contract under gunicorn",
    "migrate": "bring the database up to date",
    "doctor": "show every setting and check what serving needs",
}


def main() -> int:
    """Run `accord COMMAND …`; returns the exit code: 0 done, 1 failed, 2 wrong usage or settings."""
    name, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("help", [])
    if name == "serve":
        from gevent import monkey  # noqa: PLC0415 - before every other import: gunicorn patches too late when it preloads

        monkey.patch_all()
        gc.disable()  # until the workers are forked: nearly all that a start makes stays
    own: dict[str, Callable[[list[str]], int]] = {"serve": serve, "migrate": migrate, "doctor": doctor}
    if name in own:
        return own[name](arguments)
    installed = {entry.name: entry for entry in entry_points(group=_GROUP)}
    if name in installed:
        command: Callable[[list[str]], int] = installed[name].load()
        return command(arguments)
    is_help = name in {"help", "-h", "--help"}
    print(_usage(sorted(installed)), file=sys.stdout if is_help else sys.stderr)
    return 0 if is_help else _USAGE_ERROR


def serve(arguments: list[str]) -> int:
    """Serve until a signal says to stop; returns only when it could not begin."""
    settings = _settings(arguments)
    if settings is None:
        return _USAGE_ERROR
    from server import address, datadir  # noqa: PLC0415 - metrics may be imported only after the data folder is made

    if fault := address.find_fault(settings, os.environ):
        return _fail(f"ACCORD_BIND={settings.bind}: {fault}")
    try:
        datadir.prepare_data_dir(settings)
    except OSError as error:
        return _fail(f"ACCORD_DATA_DIR={settings.data_dir}: {error}")
    from core.kernel.problems import Problem  # noqa: PLC0415 - as all of these: not before the data folder is made
    from server import banner, logs, migration, process, runtime  # noqa: PLC0415 - likewise
    from server.app import HandlerMissing  # noqa: PLC0415 - likewise
    from server.project import ProjectError  # noqa: PLC0415 - likewise
    from server.switches import SwitchUnknown  # noqa: PLC0415 - likewise

    log = logs.Log(settings.log_level)
    logs.capture(log)
    try:
        migration.prepare(settings)
        service = _service(settings)
        application = process.Application(runtime.Runtime(service, log), banner.text(service))
    except (ProjectError, HandlerMissing, SwitchUnknown, migration.SchemaBehind) as error:
        return _fail(str(error))
    except Problem as problem:
        return _fail(f"{problem.detail} {problem.cause or ''}")
    runtime.close_database()
    _run_and_leave(application.run)


def _run_and_leave(run: Callable[[], object]) -> NoReturn:
    """Run gunicorn's master, and in its forks the workers, and end each process at once.

    By then everything is closed; to take the interpreter apart would cost most of the two seconds of a stop.
    """
    gc.freeze()  # what is shared with the workers is not walked, and so not copied, by their collections
    gc.enable()
    code: object = 0
    try:
        run()
    except SystemExit as ended:
        code = ended.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def migrate(arguments: list[str]) -> int:
    """Apply every pending migration."""
    settings = _settings(arguments)
    if settings is None:
        return _USAGE_ERROR
    from core.kernel.problems import Problem  # noqa: PLC0415 - `accord help` need not load the database
    from server import migration  # noqa: PLC0415 - likewise

    Path(settings.data_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        applied = migration.apply(settings)
    except Problem as problem:
        return _fail(f"{problem.detail} {problem.cause or ''}")
    print("\n".join(f"applied {name}" for name in applied) or "up to date")
    return 0


def doctor(arguments: list[str]) -> int:
    """Print every setting and the state of what serving needs; 1 when something would keep it from serving."""
    settings = _settings(arguments)
    if settings is None:
        return _USAGE_ERROR
    from server import doctor as checks  # noqa: PLC0415 - `accord help` need not load the service

    return checks.report(settings, lambda: _service(settings), os.environ, Path.cwd())


def _settings(arguments: list[str]) -> Settings | None:
    from core.kernel.settings import SettingsError, read  # noqa: PLC0415 - after monkey.patch_all()

    if arguments:
        _fail(f"unexpected {' '.join(arguments)}; settings come from ACCORD_* variables (`accord doctor` lists them)")
        return None
    try:
        return read(os.environ)
    except SettingsError as error:
        _fail(str(error))
        return None


def _service(settings: Settings) -> Service:
    from server.project import load_service  # noqa: PLC0415 - after monkey.patch_all()

    return load_service(Path.cwd())(settings)


def _usage(installed: list[str]) -> str:
    own = "\n".join(f"  {name:<10}{text}" for name, text in _HELP.items())
    more = "".join(f"\n  {name}" for name in installed)
    return f"usage: accord COMMAND\n\n{own}{more}"


def _fail(message: str) -> int:
    print(f"accord: {message.strip()}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
