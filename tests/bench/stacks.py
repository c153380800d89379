"""The measured stacks: how each is started and what it is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import orjson

from tests.bench.accounts import SETUP_TOKEN
from tests.bench.load import Target
from tests.bench.processes import Server, free_port, serving

_BIN = Path(sys.executable).parent
_ADDRESS = "127.0.0.1:{port}"
_PROBE = "/contacts/7"
READY = "/readyz"
_RATE = {"limit": 60_000_000, "window_seconds": 60}
_RATES = orjson.dumps(dict.fromkeys(("default", "conversation.post", "tenant.minute"), _RATE)).decode()
"""Requests are counted, and a loader, which is one caller, is never refused."""
CONTACT = {
    "name": {"given": "Ada", "family": "Byron"},
    "account_id": "01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a34",
    "met_at": "2026-11-22T09:30:00Z",
    "tags": ["friend", "number", "engine"],
    "addresses": [
        {"street": "12 St James Square", "city": "London", "postal_code": "SW1Y 4LB", "country": "GB"},
        {"street": "1 Rue de Rivoli", "city": "Paris", "postal_code": "75001", "country": "FR"},
    ],
    "score": 87,
    "note": "Met at the demonstration of the difference engine; asked for the drawings and for the notes on them.",
}


class Stack(NamedTuple):
    """One server under test; values of `command` and `environment` may hold {port}. probe: a GET that says it is ready."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    targets: Mapping[str, Target]
    probe: str = _PROBE

    @contextmanager
    def serving(self, core: int | None) -> Iterator[Server]:
        """Hold this stack, served on a free port."""
        port = free_port()
        environment = {name: value.replace("{port}", str(port)) for name, value in self.environment.items()}
        command = [part.replace("{port}", str(port)) for part in self.command]
        with serving(
            command, port=port, environment=environment, folder=self.folder, core=core, probe=self.probe
        ) as server:
            yield server


def bench_targets(token: str) -> dict[str, Target]:
    """Return the questions of the bench contract: the small GET and the validated, authenticated POST."""
    post = Target("POST", ("/contacts?dry=true&limit=10",), bearer(token), orjson.dumps(CONTACT))
    return {"GET": Target("GET", (_PROBE,), {}), "POST": post}


def sql_targets(token: str, parents: Iterable[str]) -> dict[str, Target]:
    """Return the questions that need the database: a reply, spread over many threads, and a page of 50."""
    replies = tuple(f"/api/messages/{parent}/reply" for parent in parents)
    body = orjson.dumps({"content": "And the notes? " * 10, "role": "system"})
    page = Target("GET", ("/api/conversations?limit=50",), bearer(token))
    return {"reply": Target("POST", replies, bearer(token), body), "list": page}


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def connexion(environment: Mapping[str, str], folder: Path, targets: Mapping[str, Target]) -> Stack:
    """Return stock Connexion under gunicorn's uvicorn worker."""
    command = (str(_BIN / "gunicorn"), "-w", "1", "-k", "uvicorn.workers.UvicornWorker", "-b", _ADDRESS)
    return Stack("connexion", (*command, "tests.bench.peers.connexion_app:app"), environment, folder, targets)


def fastapi(
    name: str, module: str, environment: Mapping[str, str], folder: Path, targets: Mapping[str, Target]
) -> Stack:
    """Return a FastAPI application under uvicorn."""
    options = ("--port", "{port}", "--loop", "uvloop", "--http", "httptools", "--no-access-log")
    return Stack(
        name, (str(_BIN / "uvicorn"), *options, f"tests.bench.peers.{module}:app"), environment, folder, targets
    )


def on_our_worker(name: str, application: str, folder: Path, targets: Mapping[str, Target]) -> Stack:
    """Return a WSGI application that is not ours, on our worker."""
    command = (sys.executable, "-m", "tests.bench.worker_only", application)
    return Stack(name, command, {"ACCORD_BIND": _ADDRESS, "ACCORD_WORKERS": "1"}, folder, targets)


def accord(name: str, folder: Path, environment: Mapping[str, str], targets: Mapping[str, Target]) -> Stack:
    """Return our server as `accord serve` starts it, for the project in `folder`, with every stage on."""
    return Stack(name, (str(_BIN / "accord"), "serve"), environment, folder, targets)


def accord_environment(data_dir: Path, database_url: str = "") -> dict[str, str]:
    """Return settings as an operator's: production, one worker."""
    return {
        "ACCORD_BIND": _ADDRESS,
        "ACCORD_WORKERS": "1",
        "ACCORD_DATA_DIR": str(data_dir),
        "ACCORD_DATABASE_URL": database_url,
        "ACCORD_PROFILE": "production",
        "ACCORD_SECRET_KEYS": "a secret of the benchmark that signs nothing else",
        "ACCORD_SETUP_TOKEN": SETUP_TOKEN,
        "ACCORD_RATE_PROFILES": _RATES,
    }
