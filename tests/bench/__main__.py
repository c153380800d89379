"""`make bench`: measure everything once, print tables and ratios, and fail when a promise is not kept."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests import postgres
from tests.bench import clients, contracts, limited, logins, rounds, stacks, startcost, streams
from tests.bench.accounts import Account
from tests.bench.peers import callers
from tests.bench.processes import ROOT
from tests.bench.rounds import Cores, Line
from tests.bench.stacks import Stack

_THREADS = 64
_SQL_WARM_SECONDS = 6.0
"""asyncpg prepares each statement on each of its connections once."""
_USER = "01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a35"
_PYPROJECT = f"""[tool.accord]
contract = "spec/openapi.yaml"
output = "{contracts.PACKAGE}"
handlers = "bench_handlers"
service = "tests.bench.product:build"
"""


class Plan(NamedTuple):
    """How long and where to measure, and the folder everything is made in."""

    folder: Path
    rounds: int
    seconds: float
    cores: Cores


def main() -> int:
    """Run the chosen parts; 1 when a promise is not kept."""
    options = read_options(sys.argv[1:])
    streams.raise_open_files()
    found: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="accord-bench-") as folder:
        plan = Plan(Path(folder), options.rounds, options.seconds, rounds.choose_cores())
        print(f"Python {platform.python_version()}, {platform.machine()}, cores {plan.cores}, {plan.rounds} rounds")
        for name in options.parts or _PARTS:
            lines = _PARTS[name](plan)
            print(*lines, "", sep="\n", flush=True)
            found += lines
    missed = [line for line in found if not line.is_met]
    print(f"{len(found) - len(missed)} kept, {len(missed)} missed")
    return 1 if missed else 0


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; no part means all of them."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(_PARTS)}; all of them when absent")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of load per stack, target and round")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(_PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return options


def _http(plan: Plan) -> list[Line]:
    """Compare the bench contract on every stack."""
    folder = _compiled(plan.folder / "contract")
    public_key, token = callers.make_credentials(str(folder / "epoch.db"), _USER)
    peer = {
        "BENCH_PUBLIC_KEY": public_key,
        "BENCH_EPOCH_DATABASE": str(folder / "epoch.db"),
        "BENCH_SOURCES": str(folder / "spec"),
    }
    targets = stacks.bench_targets(token)
    ours = stacks.accord_environment(folder / "data")
    with _product(plan, ours) as account:
        mine = stacks.bench_targets(account.token)
    measured = [
        stacks.accord("accord", folder, ours, mine),
        stacks.connexion(peer, folder, targets),
        stacks.fastapi("fastapi", "fastapi_app", peer, folder, targets),
        stacks.fastapi("fastapi, plain", "fastapi_app", {**peer, "BENCH_PLAIN": "1"}, folder, targets),
        stacks.on_our_worker("bare wsgi", "tests.bench.peers.bare_wsgi:app", folder, targets),
        stacks.on_our_worker("empty flask", "tests.bench.peers.empty_flask:app", folder, targets),
    ]
    results = rounds.run(measured, rounds=plan.rounds, seconds=plan.seconds, cores=plan.cores)
    print(rounds.table(results))
    bounds = {"connexion": 7.0, "fastapi": 1.3, "fastapi, plain": None, "bare wsgi": 0.5, "empty flask": None}
    posts = [rounds.ratio(results, "POST", "accord", other, bound) for other, bound in bounds.items()]
    posts += [rounds.cpu_ratio(results, "POST", "accord", other) for other in bounds]
    gets = [rounds.ratio(results, "GET", "accord", other, None) for other in bounds]
    return [*posts, *gets, *(rounds.spread(results, "accord", target, 10) for target in ("POST", "GET"))]


def _sql(plan: Plan) -> list[Line]:
    """Compare a write and a page on PostgreSQL."""
    with postgres.running() as server:
        peer_url, own_url = (server.url(postgres.create_database(server)) for _ in range(2))
        environment = stacks.accord_environment(plan.folder / "sql", own_url)
        _migrate(environment)
        with _product(plan, environment) as account:
            parents = [account.make_thread(f"Conversation {index}")[1] for index in range(_THREADS)]
        ours = stacks.accord("accord", ROOT, environment, stacks.sql_targets(account.token, parents))
        peer = _sql_peer(plan, peer_url)
        ours, peer = (stack._replace(probe=probe) for stack, probe in ((ours, stacks.READY), (peer, "/openapi.json")))
        results = rounds.run(
            [ours, peer], rounds=plan.rounds, seconds=plan.seconds, cores=plan.cores, warm_seconds=_SQL_WARM_SECONDS
        )
    print(rounds.table(results))
    lines = [rounds.ratio(results, target, ours.name, peer.name, 1.5) for target in ("reply", "list")]
    return [*lines, *(rounds.cpu_ratio(results, target, ours.name, peer.name) for target in ("reply", "list"))]


def _sql_peer(plan: Plan, url: str) -> Stack:
    folder = plan.folder / "peer"
    folder.mkdir()
    public_key, token = callers.make_credentials(str(folder / "epoch.db"), _USER)
    environment = {
        "BENCH_PUBLIC_KEY": public_key,
        "BENCH_EPOCH_DATABASE": str(folder / "epoch.db"),
        "BENCH_DATABASE_URL": url,
    }
    command = [sys.executable, "-m", "tests.bench.peers.fill", _USER, str(_THREADS)]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    targets = stacks.sql_targets(token, json.loads(done.stdout))
    return stacks.fastapi("fastapi+sqlalchemy", "fastapi_sql", environment, folder, targets)


def _start(plan: Plan) -> list[Line]:
    """Measure starts of the product on a database that is up to date."""
    stack = stacks.accord("accord", ROOT, stacks.accord_environment(plan.folder / "start"), {})
    stack = stack._replace(probe="/healthz")
    _migrate(stack.environment)
    return [startcost.line(stack, rounds=plan.rounds, cores=plan.cores)]


def _streams(plan: Plan) -> list[Line]:
    """Open thousands of streams on the product."""
    environment = stacks.accord_environment(plan.folder / "streams")
    _migrate(environment)
    stack = stacks.accord("accord", ROOT, environment, {})._replace(probe=stacks.READY)
    with stack.serving(plan.cores.server) as server:
        account = Account(server.port)
        account.set_up()
        return streams.lines(server, account, cores=plan.cores)


def _logins(plan: Plan) -> list[Line]:
    """Log in to the product while others read."""
    environment = stacks.accord_environment(plan.folder / "logins")
    _migrate(environment)
    stack = stacks.accord("accord", ROOT, environment, {})._replace(probe=stacks.READY)
    with stack.serving(plan.cores.server) as server:
        account = Account(server.port)
        account.set_up()
        return logins.lines(server, account, rounds=plan.rounds, seconds=plan.seconds)


def _sdk(plan: Plan) -> list[Line]:
    """Compare the Python client with others, on the product's own completions."""
    environment = stacks.accord_environment(plan.folder / "sdk")
    _migrate(environment)
    stack = stacks.accord("accord", ROOT, environment, {})._replace(probe=stacks.READY)
    with stack.serving(plan.cores.server) as server:
        account = Account(server.port)
        account.set_up()
        return clients.lines(server, account.token, plan.folder / "client", rounds=plan.rounds)


def _limits(plan: Plan) -> list[Line]:
    """Compare the tenant surface with and without limits and usage."""
    environment = stacks.accord_environment(plan.folder / "limits")
    folder = plan.folder / "uncounted"
    folder.mkdir()
    with _product(plan, environment) as account:
        targets = limited.targets(account)
    return limited.lines(targets, environment, folder, plan=(plan.rounds, plan.seconds, plan.cores))


def _compiled(folder: Path) -> Path:
    """Compile the bench contract as a project of its own."""
    contracts.write_sources(folder / "spec")
    (folder / "pyproject.toml").write_text(_PYPROJECT)
    command = [sys.executable, "-m", "codegen.cli", "generate"]
    subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, check=True, stdout=subprocess.DEVNULL)
    return folder


@contextmanager
def _product(plan: Plan, environment: dict[str, str]) -> Iterator[Account]:
    """Hold the product on the database of `environment`, set up, with an account."""
    _migrate(environment)
    stack = stacks.accord("product", ROOT, environment, {})._replace(probe=stacks.READY)
    with stack.serving(None) as server:
        account = Account(server.port)
        account.set_up()
        yield account


def _migrate(environment: dict[str, str]) -> None:
    plain = {name: value.replace("{port}", "1") for name, value in environment.items()}
    command = [sys.executable, "-m", "server.cli", "migrate"]
    subprocess.run(command, cwd=ROOT, env=plain, check=True, stdout=subprocess.DEVNULL)


_PARTS = {
    "http": _http,
    "sql": _sql,
    "limits": _limits,
    "start": _start,
    "streams": _streams,
    "logins": _logins,
    "sdk": _sdk,
}

if __name__ == "__main__":
    sys.exit(main())
